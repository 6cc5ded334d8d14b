"""What a library logs reaches us without the values it quotes."""

import json
import logging
import sys

from onecore.logs import WithoutContent

CANARY = "Smith Concreting 98,000.00"


def _line(record: logging.LogRecord) -> dict[str, object]:
    text = WithoutContent().format(record)
    assert CANARY not in text
    found: dict[str, object] = json.loads(text)
    return found


def test_arguments_are_dropped_and_the_template_stays() -> None:
    record = logging.LogRecord("lib", logging.ERROR, "x.py", 1, "bad row %s", (CANARY,), None)
    assert _line(record)["event"] == "bad row %s"


def test_an_error_is_its_class_and_where_it_came_through() -> None:
    try:
        raise ValueError(CANARY)
    except ValueError:
        record = logging.LogRecord("lib", logging.ERROR, "x.py", 1, "failed", (), sys.exc_info())
    line = _line(record)
    assert line["error"] == "ValueError"
    assert "test_logs.py" in str(line["came_through"])


def test_a_message_made_whole_keeps_its_first_words_only() -> None:
    text = f"could not read the row that says {CANARY}"
    record = logging.LogRecord("lib", logging.ERROR, "x.py", 1, text, (), None)
    assert _line(record)["event"] == "could not read the row that"
