"""The workspace document: YAML text in, checked settings out, and edits that keep comments."""

from onecore.engine.config.difference import Change, diff
from onecore.engine.config.editing import (
    KEPT,
    add_code,
    add_codes,
    remove_vendor,
    set_cost_type_option,
    set_flow_mode,
    set_organisations,
    set_project_option,
    set_project_options,
    set_project_organisation,
    set_retention,
    set_retention_account,
    set_tracking,
    set_uncoded,
    set_value,
    set_vendor,
    set_vendors,
)
from onecore.engine.config.effective import effective
from onecore.engine.config.problems import BadDocument, Problem
from onecore.engine.config.reading import read
from onecore.engine.config.starter import default_text
from onecore.engine.config.writing import write

__all__ = [
    "KEPT",
    "BadDocument",
    "Change",
    "Problem",
    "add_code",
    "add_codes",
    "default_text",
    "diff",
    "effective",
    "read",
    "remove_vendor",
    "set_cost_type_option",
    "set_flow_mode",
    "set_organisations",
    "set_project_option",
    "set_project_options",
    "set_project_organisation",
    "set_retention",
    "set_retention_account",
    "set_tracking",
    "set_uncoded",
    "set_value",
    "set_vendor",
    "set_vendors",
    "write",
]
