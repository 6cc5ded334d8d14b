"""A stand-in for Procore: its API, its rules, and small pages for a person."""
