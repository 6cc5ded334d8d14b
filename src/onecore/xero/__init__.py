"""Xero: a thin client, and its wire format to and from the domain."""
