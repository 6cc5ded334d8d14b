"""OneCore keeps Procore Construction Financials and Xero in step, both ways."""
