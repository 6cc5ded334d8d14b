"""Calls and limits are kept by app, organisation and workspace, in tables of their own.

The tables of before stay where they are: workers of the version before go on writing them until
they are replaced. What they counted is copied once; what they know of limits the remotes tell
again with the next answer.
"""

from django.db import migrations, models

COPY = """
INSERT INTO store_calls (remote, app, scope, workspace, hour, lane, calls, refused)
SELECT c.remote, COALESCE(g.client_id, ''), c.scope, 0, c.hour, c.lane, c.calls, c.refused
  FROM store_callcount c
  LEFT JOIN LATERAL (
       SELECT g.client_id
         FROM store_grant g
         LEFT JOIN store_workspaceorganisation o ON o.grant_id = g.id
        WHERE g.remote = c.remote
          AND c.scope IN ('app:' || g.client_id, o.organisation_id::text)
        ORDER BY g.id LIMIT 1) g ON true
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0004_document_latest")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel("CallCount"),
                migrations.DeleteModel("RemoteLimit"),
            ]
        ),
        migrations.CreateModel(
            name="CallCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("remote", models.CharField(max_length=10)),
                ("app", models.CharField(max_length=200)),
                ("scope", models.CharField(max_length=220)),
                ("workspace", models.BigIntegerField()),
                ("hour", models.DateTimeField()),
                ("lane", models.CharField(max_length=10)),
                ("calls", models.IntegerField(default=0)),
                ("refused", models.IntegerField(default=0)),
            ],
            options={
                "db_table": "store_calls",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hour", "remote", "app", "scope", "workspace", "lane"),
                        name="one_count_of_calls",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RemoteLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("remote", models.CharField(max_length=10)),
                ("app", models.CharField(max_length=200)),
                ("scope", models.CharField(max_length=220)),
                ("version", models.BigIntegerField()),
                ("state", models.JSONField(default=dict)),
                ("figures", models.JSONField(default=dict)),
                ("told_at", models.DateTimeField()),
                ("blocked_until", models.DateTimeField(null=True)),
                ("blocked_by", models.CharField(default="", max_length=20)),
            ],
            options={
                "db_table": "store_limits",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("remote", "app", "scope"), name="one_allowance"
                    )
                ],
            },
        ),
        migrations.RunSQL(COPY, migrations.RunSQL.noop),
    ]
