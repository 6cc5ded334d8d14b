"""The audit log is only ever added to: the database itself refuses anything else."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION store_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit log is only ever added to.';
END $$;
CREATE TRIGGER store_audit_append_only
    BEFORE UPDATE OR DELETE ON store_auditentry
    FOR EACH ROW EXECUTE FUNCTION store_audit_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0001_initial")]
    operations = [migrations.RunSQL(FORWARDS, migrations.RunSQL.noop)]
