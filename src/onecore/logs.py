"""Log lines of libraries without content: what, where in the code, and ids; never values.

A library's message may quote a row, an address or a form. So its arguments are dropped: a line
carries the message's template, the class of an error and the places in the code it came through.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any


class WithoutContent(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": str(record.msg)[:200] if record.args else _first_words(str(record.msg)),
        }
        request = getattr(record, "request", None)
        if request is not None:
            line["path"] = str(getattr(request, "path", ""))[:200]
        status = getattr(record, "status_code", None)
        if status is not None:
            line["status"] = status
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["came_through"] = _places(record.exc_info[2])
        return json.dumps(line)


def _first_words(message: str) -> str:
    """A message with no template may have values in it anywhere; its first words say enough."""
    return " ".join(message.split()[:6])[:80]


def _places(trace: Any) -> list[str]:
    """The last places of a traceback, as file:line function; no source lines, no values."""
    frames = traceback.extract_tb(trace)[-8:]
    return [f"{'/'.join(f.filename.split('/')[-3:])}:{f.lineno} {f.name}" for f in frames]


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"without_content": {"()": "onecore.logs.WithoutContent"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "without_content",
            "level": "WARNING",
        }
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        # Django's own handlers would mail whole requests, settings and local values included
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        # a page that is not there is no trouble of ours
        "django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "uvicorn.error": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}
