"""The workspace document: YAML text in, checked settings out, and edits that keep comments."""

from onecore.engine.config.difference import Change, diff
from onecore.engine.config.effective import effective
from onecore.engine.config.problems import BadDocument, Problem
from onecore.engine.config.reading import read
from onecore.engine.config.starter import default_text
from onecore.engine.config.writing import write

__all__ = ["BadDocument", "Change", "Problem", "default_text", "diff", "effective", "read", "write"]
