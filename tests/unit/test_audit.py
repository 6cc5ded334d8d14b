"""What the audit of the pinned libraries makes of pip-audit's answers."""

import runpy
from pathlib import Path
from typing import Any

import pytest

AUDIT = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "audit.py"))
FINE = {"name": "click", "version": "8.5.1", "vulns": []}
HOLE = {
    "name": "django",
    "version": "5.2.0",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["5.2.9"], "description": "…"}],
}
UNKNOWN = {"name": "attrs", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("rows", "holes", "words"),
    [
        ([FINE, HOLE, UNKNOWN], 1, ["django 5.2.0: PYSEC-2026-1, mended in 5.2.9", "2 audited, 1"]),
        ([FINE], 0, ["1 audited, 0 unknown there, 0 vulnerable"]),
        ([UNKNOWN], 0, ["NOT AUDITED"]),
        (None, 0, ["NOT AUDITED"]),
    ],
)
def test_holes_are_named_and_silence_is_no_pass(
    rows: list[dict[str, Any]] | None,
    holes: int,
    words: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert AUDIT["report"]("run.txt", rows) == holes
    said = capsys.readouterr().out
    assert all(one in said for one in words), said
