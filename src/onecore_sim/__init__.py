"""Simulators of Procore and Xero: programs with state, rules, faults and a clock."""
