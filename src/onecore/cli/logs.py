"""Log events as JSON lines on standard error, so that standard output stays a command's own."""

import logging
import os
import sys

import structlog


def to_stderr() -> None:
    """From warnings on, or from ONECORE_LOG (debug, info, warning, error)."""
    wanted = os.environ.get("ONECORE_LOG", "warning").upper()
    level = logging.getLevelNamesMapping().get(wanted, logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
