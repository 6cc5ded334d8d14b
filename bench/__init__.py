"""Measurements, each a command of its own that prints a table and writes a JSON."""
