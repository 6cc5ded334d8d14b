"""A stand-in for Xero: organisations, documents, payments, sign-in, webhooks, and a few pages."""
