"""The tables. Ids, digests, states, times, counts and settings: no content of a document.

The promise of design 9 is kept here: what a customer's document says is nowhere in the clear, and
while a document waits only a short sealed subject is kept, erased when it is in step.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models


class Workspace(models.Model):
    """One customer: a Procore company joined to one or more Xero organisations."""

    name = models.CharField(max_length=80, unique=True)
    company_id = models.BigIntegerField(null=True)
    company_name = models.CharField(max_length=200, default="")
    web_base_url = models.CharField(max_length=200, default="")
    digest_key = models.BinaryField()  # sealed; keys the field digests of this workspace
    paused = models.BooleanField(default=False)
    created_at = models.DateTimeField()


class Membership(models.Model):
    """What a person may do in a workspace."""

    ROLES: ClassVar = ["owner", "accountant", "project_manager", "viewer"]
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    role = models.CharField(max_length=20)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "user"], name="one_membership")
        ]


class Grant(models.Model):
    """A right to call a remote: its secrets sealed, its renewal under a short lease."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    remote = models.CharField(max_length=10)
    kind = models.CharField(max_length=20)  # client_credentials | authorization_code
    client_id = models.CharField(max_length=200)
    client_secret = models.BinaryField(null=True)
    access_token = models.BinaryField(null=True)
    refresh_token = models.BinaryField(null=True)
    previous_refresh_token = models.BinaryField(null=True)  # retried after a lost reply [X 1]
    previous_until = models.DateTimeField(null=True)
    access_expires_at = models.DateTimeField(null=True)  # by the database's clock
    scopes = models.TextField(default="")
    version = models.BigIntegerField(default=1)
    renewing_until = models.DateTimeField(null=True)
    renewing_by = models.BigIntegerField(null=True)  # the process, by its advisory lock
    renewed_at = models.DateTimeField(null=True)
    broken = models.CharField(max_length=300, default="")  # why a person must reconnect
    created_at = models.DateTimeField()


class Organisation(models.Model):
    """A Xero organisation: its facts, and the lease of its one writer (design 5.3).

    Two workspaces may share one, so it is not a workspace's own row.
    """

    tenant = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=200, default="")
    short_code = models.CharField(max_length=20, default="")
    fence = models.BigIntegerField(default=0)
    owner = models.BigIntegerField(null=True)
    until = models.DateTimeField(null=True)
    next_due_at = models.DateTimeField(null=True)
    digest_key = models.BinaryField(null=True)  # sealed; keys the bill index
    bills_cursor = models.DateTimeField(null=True)  # UpdatedDateUTC of the last row seen
    bills_read_at = models.DateTimeField(null=True)
    bills_wanted_at = models.DateTimeField(null=True)  # a bell rang; cleared by the read it asks
    rung_at = models.DateTimeField(null=True)  # Xero's last genuine delivery about its bills


class WorkspaceOrganisation(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT)
    connection_id = models.CharField(max_length=60, default="")
    custom = models.BooleanField(default=False)  # a custom connection sends no organisation header
    broken = models.CharField(max_length=300, db_default="")  # why it cannot be reached any more

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "organisation"], name="one_connection")
        ]


class ConfigVersion(models.Model):
    """One version of a workspace document; the newest holds, older ones can be brought back."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    number = models.IntegerField()
    text = models.TextField()
    author = models.CharField(max_length=200)
    note = models.CharField(max_length=200, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "number"], name="one_config_number")
        ]


class ReferenceList(models.Model):
    """A list of labels mappings point at (accounts, cost codes, vendors…), sealed, with its age."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    scope = models.CharField(max_length=60)  # "company", "project:7", "organisation:<uuid>"
    kind = models.CharField(max_length=30)
    payload = models.BinaryField()
    fetched_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "scope", "kind"], name="one_reference_list"
            )
        ]


class Feed(models.Model):
    """How far one list has been read, and when it is looked at next (design 6)."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    kind = models.CharField(max_length=30)  # requisitions | requisitions_walk
    project_id = models.BigIntegerField()
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.CASCADE)
    cursor = models.DateTimeField(null=True)
    seen = models.JSONField(default=dict)  # id -> "status@updated_at" inside the overlap
    in_flight = models.JSONField(default=list)  # ids of claims under review
    review_since = models.JSONField(default=dict, db_default={})  # id -> seconds since 1970
    read_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True)
    next_due_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)  # somebody waits for it to be read
    trouble = models.CharField(max_length=200, default="")
    time_zone = models.CharField(max_length=64, db_default="", default="")  # the project's
    # What `onecore.sync.polling` goes by: the last approval, until when somebody is thought to
    # work there, and approvals of late, as they were and as they would be were all lists alike.
    approved_at = models.DateTimeField(null=True)
    stirred_until = models.DateTimeField(null=True)
    approvals = models.FloatField(db_default=0, default=0)
    expected = models.FloatField(db_default=0, default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "kind", "project_id"], name="one_feed")
        ]


class Habit(models.Model):
    """When a workspace's people approve claims, as `onecore.sync.habits` counts it."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True)
    counts = models.JSONField(default=dict)


class LookPurse(models.Model):
    """Looks at lists that an app may make: when every one made so far is paid for."""

    scope = models.CharField(max_length=220, primary_key=True)  # "app:<client id>"
    free_at = models.DateTimeField()


class Hint(models.Model):
    """Look at this document again. One row however often it is said; content none."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.CASCADE)
    flow = models.CharField(max_length=20)
    ref = models.CharField(max_length=80)
    generation = models.BigIntegerField(default=1)
    lane = models.CharField(max_length=10, default="document")
    due_at = models.DateTimeField()
    said_at = models.DateTimeField()
    attempts = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "flow", "ref"], name="one_hint")
        ]
        indexes: ClassVar = [models.Index(fields=["organisation", "due_at"], name="hint_due")]


class Bell(models.Model):
    """Something a webhook rang for, one row however often it rings, until it has been answered.

    `scope` is an organisation's id or a workspace's, `ref` what of it. `spent_until` keeps it from
    being answered too often; an answered row is deleted once it is past.
    """

    scope = models.CharField(max_length=40)
    kind = models.CharField(max_length=20)
    ref = models.CharField(max_length=80)
    generation = models.BigIntegerField()
    answered = models.BigIntegerField()  # the generation that was answered last
    rung_at = models.DateTimeField()
    spent_until = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scope", "kind", "ref"], name="one_bell")
        ]
        indexes: ClassVar = [models.Index(fields=["rung_at"], name="bell_rung")]


class Document(models.Model):
    """Where one source document stands. `causes` are codes with ids, never text of a document."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.CASCADE)
    flow = models.CharField(max_length=20)
    ref = models.CharField(max_length=80)
    project_id = models.BigIntegerField(null=True)
    contract_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=12)
    note = models.CharField(max_length=40, default="")  # why, in a code: nothing_due, reopened
    since = models.DateTimeField()
    subject = models.BinaryField(null=True)  # sealed; erased when in step
    source_updated_at = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)
    approved_for = models.CharField(max_length=64, default="")  # digest of what was approved
    rejected_for = models.CharField(max_length=64, default="")
    answers = models.JSONField(default=dict)  # question digest -> choice
    absent_at = models.DateTimeField(null=True)  # when a complete list first lacked it

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "flow", "ref"], name="one_document")
        ]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "state", "since"], name="document_state"),
            models.Index(fields=["workspace", "project_id"], name="document_project"),
            models.Index(fields=["workspace", "-since", "-id"], name="document_latest"),
        ]


class Link(models.Model):
    """What one part of a document became: ids on the other side and field digests at agreement."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="links")
    part = models.CharField(max_length=40)
    version = models.IntegerField(default=1)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    target_kind = models.CharField(max_length=20)
    target_id = models.UUIDField()
    withdrawn = models.BooleanField(default=False)  # voided or deleted by us, or accepted as gone
    wanted = models.JSONField(default=dict)
    target = models.JSONField(default=dict)
    line_ids = models.JSONField(default=dict)
    target_updated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["document", "part", "version"], name="one_link"),
            models.UniqueConstraint(
                fields=["target_kind", "target_id"],
                condition=models.Q(withdrawn=False),
                name="one_source_per_target",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["target_id"], name="link_target")]


class Intent(models.Model):
    """A write about to be sent, committed before it was; gone once its fate is known."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="intents")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    part = models.CharField(max_length=40)
    version = models.IntegerField(default=1)
    action = models.CharField(max_length=10)  # create | update | remove
    body_digest = models.CharField(max_length=64)
    key = models.CharField(max_length=128)
    fence = models.BigIntegerField()
    grant_version = models.BigIntegerField(default=0)
    sent_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True)  # a look-up that found no mark
    wanted = models.JSONField(default=dict)  # field digests, so that a found mark can be settled
    lines = models.JSONField(default=list)  # line keys in the order they were sent

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["document", "part"], name="one_intent_per_part")
        ]


class Attention(models.Model):
    """One cause that needs a person; every document it holds hangs on it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    cause = models.CharField(max_length=40)
    subject = models.CharField(max_length=120, default="")
    opened_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "cause", "subject"], name="one_open_attention"
            )
        ]


class AttentionItem(models.Model):
    """One document under a cause. `detail` is sealed, and gone when the document is in step."""

    attention = models.ForeignKey(Attention, on_delete=models.CASCADE, related_name="items")
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="attention")
    question = models.CharField(max_length=64, default="")
    choices = models.JSONField(default=list)
    detail = models.BinaryField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["attention", "document"], name="one_attention_item")
        ]


class BillIndex(models.Model):
    """Bills of an organisation as digests, so that doubles are seen without reading them again."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    bill_id = models.UUIDField()
    contact_id = models.UUIDField()
    number = models.CharField(max_length=32)
    total = models.CharField(max_length=32)
    bill_date = models.DateField()
    gone = models.BooleanField(default=False)
    mark = models.CharField(max_length=120, default="")
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "bill_id"], name="one_index_row")
        ]
        indexes: ClassVar = [
            models.Index(fields=["organisation", "contact_id", "number"], name="index_number"),
            models.Index(fields=["organisation", "contact_id", "total"], name="index_total"),
            # Compared byte by byte: marks are sought by what they begin with.
            models.Index(
                fields=["organisation", "mark"],
                opclasses=["uuid_ops", "varchar_pattern_ops"],
                name="index_mark_bytes",
            ),
        ]


class CallCount(models.Model):
    """Calls made, by hour; `scope` is the app or the organisation the remote counts against."""

    remote = models.CharField(max_length=10)
    app = models.CharField(max_length=200)  # the client id
    scope = models.CharField(max_length=220)  # "app:<client id>", or the organisation's id
    workspace = models.BigIntegerField()  # for which they were made; 0: for none in particular
    hour = models.DateTimeField()
    lane = models.CharField(max_length=10)
    calls = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)

    class Meta:
        db_table = "store_calls"  # store_callcount is of versions that did not tell apps apart
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["hour", "remote", "app", "scope", "workspace", "lane"],
                name="one_count_of_calls",
            )
        ]


class RemoteLimit(models.Model):
    """What is known of one allowance of calls; `store.allowances` reads and writes it.

    `state` is what the pure rules go by. `figures` are the last answer's, and `blocked_until` is
    told by the remote and holds for everybody.
    """

    remote = models.CharField(max_length=10)
    app = models.CharField(max_length=200)
    scope = models.CharField(max_length=220)
    version = models.BigIntegerField()
    state = models.JSONField(default=dict)
    figures = models.JSONField(default=dict)
    told_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True)
    blocked_by = models.CharField(max_length=20, default="")

    class Meta:
        db_table = "store_limits"  # store_remotelimit: as above
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["remote", "app", "scope"], name="one_allowance")
        ]


class Hook(models.Model):
    """A Procore webhook of ours: the secret of its address is in `secret`, sealed."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    name = models.CharField(max_length=40, unique=True)
    project_id = models.BigIntegerField(null=True)
    remote_id = models.CharField(max_length=40, default="")
    secret = models.BinaryField()
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    rung_at = models.DateTimeField(null=True)  # its last genuine delivery
    address = models.CharField(max_length=300, db_default="")  # where it was last made to send
    trouble = models.CharField(max_length=40, db_default="")  # why it cannot be had, in a code
    tended_until = models.DateTimeField(null=True)  # one process at a time sees to it

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "project_id"], nulls_distinct=False, name="one_hook_per_scope"
            )
        ]


class AuditEntry(models.Model):
    """Who did what to which id, for ever. A trigger refuses changes and deletions."""

    workspace = models.ForeignKey(Workspace, null=True, on_delete=models.DO_NOTHING)
    at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    act = models.CharField(max_length=60)
    subject = models.CharField(max_length=120, default="")
    facts = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["workspace", "at"], name="audit_at")]
