import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Columns have defaults in the database, as workers of the version before write rows too."""

    dependencies = [
        ('store', '0009_connections'),
    ]

    operations = [
        migrations.AddField(
            model_name='feed',
            name='review_since',
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name='feed',
            name='asked_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='feed',
            name='time_zone',
            field=models.CharField(db_default='', default='', max_length=64),
        ),
        migrations.AddField(
            model_name='feed',
            name='approved_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='feed',
            name='stirred_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='feed',
            name='approvals',
            field=models.FloatField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='feed',
            name='expected',
            field=models.FloatField(db_default=0, default=0),
        ),
        migrations.CreateModel(
            name='Habit',
            fields=[
                ('workspace', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, serialize=False, to='store.workspace')),
                ('counts', models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name='LookPurse',
            fields=[
                ('scope', models.CharField(max_length=220, primary_key=True, serialize=False)),
                ('free_at', models.DateTimeField()),
            ],
        ),
    ]
