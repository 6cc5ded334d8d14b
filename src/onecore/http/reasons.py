"""What a remote says in words when it declines, out of every shape its bodies are known to have."""

from collections.abc import Iterator

import msgspec

LONGEST = 500  # characters of one reason; a page of HTML is not a reason


def reasons_in(body: bytes) -> tuple[str, ...]:
    """Each reason once, in order; empty when there are none to be read.

    Procore [P 2.4]: `errors` as text, list or by field, `error` as object or text, `message`,
    `reason`, `fields`. Xero [X 4]: `ValidationErrors` at any depth with `Message` or
    `Description`, `Message`, `Title` and `Detail`, `invalidFields`, `modelState`, plain text.
    """
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _plain(body)
    found = dict.fromkeys(text[:LONGEST] for text in _reasons(told) if text)
    return tuple(found)


def validation_texts(element: object) -> tuple[str, ...]:
    """Every text under any `ValidationErrors` of one element, its contact and lines included."""
    return tuple(dict.fromkeys(_validation_texts(element)))


def elements_refused(body: bytes) -> int:
    """How many elements of a Xero 400 carry validation errors: 0 when it is about the request."""
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0
    elements = told.get("Elements") if isinstance(told, dict) else None
    return sum(1 for one in elements if validation_texts(one)) if isinstance(elements, list) else 0


def _plain(body: bytes) -> tuple[str, ...]:
    text = body.decode("utf-8", "replace").strip()
    return (text[:LONGEST],) if text and not text.startswith("<") else ()


def _reasons(told: object) -> Iterator[str]:
    if isinstance(told, str):
        yield told.strip()
        return
    if isinstance(told, list):
        for item in told:
            yield from _reasons(item)
        return
    if not isinstance(told, dict):
        return
    specific = [*_validation_texts(told), *_by_field(told)]
    if specific:
        yield from specific
        return
    for key in ("errors", "error"):
        if told.get(key):
            yield from _reasons(told[key])
    for key in ("message", "Message", "reason", "error_description", "details"):
        yield from _texts(told.get(key))
    yield from _title_and_detail(told)


def _by_field(told: dict[str, object]) -> Iterator[str]:
    for key in ("errors", "fields", "modelState"):
        fields = told.get(key)
        if isinstance(fields, dict) and not {"message", "code"} & fields.keys():
            for name, texts in fields.items():
                for text in _texts(texts):
                    yield f"{name}: {text}"
    invalid = told.get("invalidFields")
    for item in invalid if isinstance(invalid, list) else ():
        if isinstance(item, dict):
            yield f"{item.get('name', 'field')}: {item.get('reason', '')}".strip()


def _title_and_detail(told: dict[str, object]) -> Iterator[str]:
    title = told.get("Title") or told.get("title")
    detail = told.get("Detail") or told.get("detail")
    words = [word for word in (title, detail) if isinstance(word, str) and word]
    if words:
        yield ": ".join(words)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _validation_texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _validation_texts(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "ValidationErrors" and isinstance(inner, list):
                yield from (text for item in inner for text in _message(item))
            else:
                yield from _validation_texts(inner)


def _message(item: object) -> Iterator[str]:
    if isinstance(item, dict):
        text = item.get("Message") or item.get("Description")
        if isinstance(text, str) and text.strip():
            yield text.strip()
