"""How values look: money, instants, states, causes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import metadata
from typing import Any

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from onecore.engine.use.looking import Pair
from onecore.sync.expiry import Foretold, Weight
from onecore.web import causes, words

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86400
SOON = 45  # seconds that are "just now"


@register.filter
def money(amount: Decimal | None) -> str:
    """With separators and cents, a real minus sign; "" for none."""
    if amount is None:
        return ""
    text = f"{abs(amount):,.2f}"
    return f"−{text}" if amount < 0 else text


@register.filter
def ago(at: datetime | None) -> SafeString | str:
    """How long ago, with the exact instant behind it; a little script shows it in local time."""
    if at is None:
        return "never"
    exact = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        exact.isoformat(timespec="seconds"),
        f"{exact.day} {exact:%b %Y %H:%M}",
        _since(datetime.now(UTC) - exact, exact),
    )


def _since(gone: timedelta, at: datetime) -> str:
    seconds = gone.total_seconds()
    if seconds < -SOON:
        return f"on {at.day} {at:%b %H:%M}"
    if seconds < SOON:
        return "just now"
    for size, name, most in ((MINUTE, "minute", HOUR), (HOUR, "hour", DAY), (DAY, "day", 14 * DAY)):
        if seconds < most:
            count = max(1, round(seconds / size))
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return f"{at.day} {at:%b %Y}"


@register.filter
def badge(code: str) -> SafeString:
    """A state in its word, colour and sign."""
    word = words.state(code)
    return format_html(
        '<span class="badge {}" title="{}"><span aria-hidden="true">{}</span> {}</span>',
        word.tone,
        word.meaning,
        word.sign,
        word.label,
    )


@register.filter
def state_word(code: str) -> str:
    return words.state(code).label


@register.filter
def cause_title(code: str) -> str:
    return causes.cause(code).title


@register.filter
def causes_told(pair: Pair) -> str:
    """What keeps a document, unless its state says that already."""
    said = words.state(pair.state).label
    titles = [causes.cause(code).title for code in pair.causes]
    return ", ".join(title for title in titles if title != said)


@register.filter
def coded(text: str) -> SafeString:
    """Text with what stands in backticks set as code."""
    parts = [escape(part) for part in text.split("`")]
    return mark_safe(  # noqa: S308 - every part is escaped
        "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
    )


@register.filter
def detail_words(text: str) -> str:
    """What a matter's details say, with the names of fields in words."""
    return "\n".join(words.told(line) for line in text.splitlines())


@register.filter
def scope_words(scope: str, names: dict[str, str]) -> str:
    """Whose list it is: the company's, a project's or an organisation's."""
    return names.get(scope, scope.replace(":", " ").capitalize())


@register.filter
def flow_word(code: str) -> str:
    return words.flow(code)


@register.filter
def mode_word(code: str) -> str:
    return words.mode(code)


@register.filter
def act_word(code: str) -> str:
    return words.act(code)


@register.filter
def claim_word(ref: str) -> str:
    return words.claim(ref)


@register.filter
def note_words(code: str) -> str:
    return words.note(code)


@register.filter
def trouble_words(code: str) -> str:
    return words.trouble(code)


@register.filter
def role_word(code: str) -> str:
    return words.ROLES.get(code, code)


@register.filter
def at_key(table: dict[Any, Any] | None, key: Any) -> Any:
    """The value at a key that is known only here; "" without one, or without a table yet."""
    return table.get(key, "") if table else ""


@register.filter
def needs_somebody(foretold: tuple[Foretold, ...]) -> bool:
    """Whether a person has to do something before what is foretold happens."""
    return any(told.weight is Weight.SOON for told in foretold)


@register.simple_tag
def version() -> str:
    try:
        return metadata.version("onecore")
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return "from source"


@register.filter
def cause_words(code: str) -> causes.Cause:
    return causes.cause(code)


@register.filter
def is_curable(code: str) -> bool:
    return causes.is_curable(code)


@register.filter
def before_dot(subject: str) -> str:
    """The number of a subject such as "INV-7 · Acme"."""
    return subject.partition(" · ")[0]


@register.filter
def after_dot(subject: str) -> str:
    """The party of a subject such as "INV-7 · Acme"."""
    return subject.partition(" · ")[2]


@register.filter
def field_word(name: str) -> str:
    return words.field(name)


@register.filter
def humble(code: str) -> str:
    """A code as a word: "cost_codes" is "Cost codes"."""
    return code.replace("_", " ").capitalize()


@register.filter
def minus(a: int, b: int) -> int:
    return a - b


@register.filter
def with_article(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


@register.filter
def newline_first(text: str) -> str:
    """The text as a textarea keeps it: browsers drop a newline right after the tag."""
    return f"\n{text}"
