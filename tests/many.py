"""A database as it is after years: very many documents, with links, index rows and histories."""

from typing import Any, Protocol
from uuid import UUID

FILL = """
INSERT INTO store_document (workspace_id, organisation_id, flow, ref, project_id, contract_id,
                            state, note, since, approved_for, rejected_for, answers, looked_at)
SELECT %(workspace)s, %(organisation)s, 'bill', 'requisition:' || 1000 + n %% 50 || '/' || n,
       1000 + n %% 50, n / 10, CASE WHEN n %% 100 = 0 THEN 'withdrawn' ELSE 'in_step' END, '',
       now() - n * interval '1 minute', '', '', '{}', now()
  FROM generate_series(1000000, 999999 + %(count)s) AS n;
INSERT INTO store_link (document_id, part, version, organisation_id, target_kind, target_id,
                        withdrawn, wanted, target, line_ids, target_updated_at, created_at,
                        settled_at)
SELECT id, 'main', 1, organisation_id, 'bill', gen_random_uuid(), state = 'withdrawn',
       fields.body, fields.body, '{}', since, since, since
  FROM store_document, (SELECT jsonb_object_agg('line.item:' || n || '.amount', md5(n::text))
                               AS body FROM generate_series(1, 14) AS n) AS fields
 WHERE project_id >= 1000;
INSERT INTO store_billindex (organisation_id, bill_id, contact_id, number, total, bill_date, gone,
                             mark, updated_at)
SELECT link.organisation_id, target_id, gen_random_uuid(), md5(ref), md5(link.id::text),
       since::date, link.withdrawn, split_part(ref, ':', 2) || '/main.1', since
  FROM store_link AS link JOIN store_document AS document ON document.id = document_id;
INSERT INTO store_auditentry (workspace_id, at, actor, act, subject, facts)
SELECT workspace_id, since, 'onecore', 'bill.created', ref, '{}' FROM store_document;
"""


class Executing(Protocol):
    """A connection of psycopg, or a cursor of Django."""

    def execute(self, query: Any, params: Any = None) -> Any: ...


def fill(connection: Executing, workspace: int, organisation: UUID, count: int) -> None:
    """So many documents of fifty projects, each in step with a bill of its own or withdrawn.

    Not inside a transaction.
    """
    values = {"workspace": workspace, "organisation": organisation, "count": count}
    for statement in filter(str.strip, FILL.split(";\n")):
        connection.execute(statement, values if "%(" in statement else None)
    connection.execute("VACUUM ANALYZE")  # as PostgreSQL does by itself some time later
