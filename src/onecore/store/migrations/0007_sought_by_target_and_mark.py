"""Indexes that keep finding a bill by its id or its mark quick, however many there are.

They are built without locking the tables, so workers of before go on writing.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("store", "0006_bells")]
    operations = [
        AddIndexConcurrently(
            "link", models.Index(fields=["target_id"], name="link_target")
        ),
        AddIndexConcurrently(
            "billindex",
            models.Index(
                fields=["organisation", "mark"],
                name="index_mark_bytes",
                opclasses=["uuid_ops", "varchar_pattern_ops"],
            ),
        ),
        RemoveIndexConcurrently("billindex", "index_mark"),
    ]
