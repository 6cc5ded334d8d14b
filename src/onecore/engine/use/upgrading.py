"""The database's own shape: brought up to date, and whether it is."""

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def migrate() -> int:
    """Bring the tables up to date; how many migrations that took. Safe to repeat."""
    todo = len(pending())
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    return todo


def pending() -> list[str]:
    """Migrations that have not been applied, as "app.name"."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
