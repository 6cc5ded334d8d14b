"""Durable work: intake, planning, delivery, sweeps, budgets."""
