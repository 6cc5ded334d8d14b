from django.db import migrations, models

# Two processes could make two rows for one scope; the remote's hook of a row that goes is taken
# down as a double, since its address is ours and names no row.
ONE_ROW_EACH = """
DELETE FROM store_hook AS later USING store_hook AS first
 WHERE later.workspace_id = first.workspace_id AND later.id > first.id
   AND later.project_id IS NOT DISTINCT FROM first.project_id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0007_sought_by_target_and_mark'),
    ]

    operations = [
        migrations.AddField(
            model_name='hook',
            name='address',
            field=models.CharField(db_default='', max_length=300),
        ),
        migrations.AddField(
            model_name='hook',
            name='tended_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='hook',
            name='trouble',
            field=models.CharField(db_default='', max_length=40),
        ),
        migrations.RunSQL(ONE_ROW_EACH, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='hook',
            constraint=models.UniqueConstraint(
                fields=('workspace', 'project_id'),
                name='one_hook_per_scope',
                nulls_distinct=False,
            ),
        ),
    ]
