"""A fresh state: the builder's organisation, and further ones of any country."""

from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from onecore_sim.builder import Builder
from onecore_sim.xero import chart, tax
from onecore_sim.xero.oauth import SCOPES
from onecore_sim.xero.state import (
    Account,
    App,
    Category,
    Connection,
    Contact,
    Grant,
    Option,
    Organisation,
    State,
)

CURRENCIES = {"AU": "AUD", "NZ": "NZD", "UK": "GBP", "US": "USD"}
TIME_ZONES = {
    "AU": "Australia/Sydney",
    "NZ": "Pacific/Auckland",
    "UK": "Europe/London",
    "US": "America/New_York",
}
WEB_CLIENT = ("sim-xero-client", "sim-xero-secret")
CUSTOM_CLIENT = ("sim-xero-custom", "sim-xero-custom-secret")


def state_from(builder: Builder, at: datetime) -> State:
    """The Xero half of the builder, with the two apps everybody knows."""
    org = organisation(builder.tenant_id, builder.name, "AU", at)
    for code, name in _accounts(builder).items():
        known = org.account(code)
        if known is None:
            account = _account(org, code, name, at)
            org.accounts[account.id] = account
    for party in builder.parties:
        if party.contact_id:
            org.contacts[party.contact_id] = Contact(
                id=party.contact_id,
                name=party.contact_name,
                email=party.email,
                tax_number=party.abn,
                is_supplier=not party.is_customer,
                is_customer=party.is_customer,
                updated_at=at,
            )
    projects = [p.tracking_option for p in builder.projects if p.tracking_option]
    for name, options in (
        ("Projects", projects),
        ("Cost Types", [c.name for c in builder.cost_types]),
    ):
        category = _category(org, name, options)
        org.categories[category.id] = category
    state = State(organisations={org.id: org})
    add_app(state, *WEB_CLIENT, "OneCore", None, at)
    add_app(state, *CUSTOM_CLIENT, "OneCore custom connection", org.id, at)
    return state


def organisation(id_: str, name: str, country: str, at: datetime) -> Organisation:
    """An organisation as it is on its first day."""
    org = Organisation(
        id=id_.lower(),
        name=name,
        country=country,
        currency=CURRENCIES[country],
        time_zone=TIME_ZONES[country],
        short_code="!" + uuid5(NAMESPACE_URL, id_).hex[:5].upper(),
        created_at=at,
        tax_rates=tax.rates(country),
    )
    org.accounts = {a.id: a for a in chart.default_accounts(org.id, country, at)}
    return org


def add_app(
    state: State, client_id: str, secret: str, name: str, tenant_id: str | None, at: datetime
) -> App:
    """An app; with `tenant_id` a custom connection, which its user has already approved."""
    app = App(client_id=client_id, secret=secret, name=name, tenant_id=tenant_id)
    state.apps[client_id] = app
    if tenant_id:
        app.scopes = sorted(SCOPES - {"accounting.journals.read", "offline_access"})
        approve_custom(state, app, at)
    return app


def approve_custom(state: State, app: App, at: datetime) -> Grant:
    """The approval that lets a custom connection ask for tokens."""
    event = str(uuid5(NAMESPACE_URL, f"{app.client_id}/{at.isoformat()}"))
    grant = Grant(
        id=str(uuid5(NAMESPACE_URL, f"{event}/grant")),
        client_id=app.client_id,
        user=app.name,
        scopes=list(app.scopes),
        auth_event_id=event,
    )
    state.grants[grant.id] = grant
    connection = Connection(
        id=str(uuid5(NAMESPACE_URL, f"{event}/connection")),
        client_id=app.client_id,
        user=app.name,
        tenant_id=app.tenant_id or "",
        auth_event_id=event,
        created_at=at,
        updated_at=at,
    )
    state.connections[connection.id] = connection
    return grant


def _accounts(builder: Builder) -> dict[str, str]:
    """Further account codes: the builder's own, and whatever a cost code books to."""
    named = dict(builder.accounts)
    for cost_code in builder.cost_codes:
        if cost_code.account:
            named.setdefault(cost_code.account, cost_code.name)
    return named


def _account(org: Organisation, code: str, name: str, at: datetime) -> Account:
    type_ = _type_of(code, name)
    return Account(
        id=chart.account_id(org.id, code),
        code=code,
        name=_free_name(org, name, code),
        type=type_,
        tax_type=chart.usual_tax(org.country, chart.CLASSES[type_]),
        updated_at=at,
    )


def _type_of(code: str, name: str) -> str:
    """Retention accounts are balances; otherwise the code's first digit tells, as in the chart."""
    if "retention" in name.lower() or code.upper().endswith("R"):
        return "CURRENT" if code.startswith("6") else "CURRLIAB"
    return {
        "2": "REVENUE", "3": "DIRECTCOSTS", "6": "CURRENT", "7": "FIXED", "8": "CURRLIAB",
        "9": "EQUITY",
    }.get(code[:1], "EXPENSE")  # fmt: skip


def _free_name(org: Organisation, name: str, code: str) -> str:
    taken = {a.name.lower() for a in org.accounts.values()}
    return name if name.lower() not in taken else f"{name} ({code})"


def _category(org: Organisation, name: str, options: list[str]) -> Category:
    id_ = str(uuid5(NAMESPACE_URL, f"{org.id}/category/{name}"))
    return Category(
        id=id_,
        name=name,
        options=[
            Option(id=str(uuid5(NAMESPACE_URL, f"{id_}/{option}")), name=option)
            for option in dict.fromkeys(options)
        ],
    )
