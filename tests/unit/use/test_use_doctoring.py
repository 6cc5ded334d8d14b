"""Each check by itself: what is well, what is not, and how it is mended."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.desk import SECRET, Desk

from onecore.engine.service import Service
from onecore.engine.use import doctoring
from onecore.engine.use.doctoring import Check, Reached
from onecore.environment import Settings, read_settings
from onecore.store.models import Grant

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
CREDENTIALS = {
    "ONECORE_PROCORE_CLIENT_ID": "id",
    "ONECORE_PROCORE_CLIENT_SECRET": "secret",
    "ONECORE_SECRET_KEY": SECRET,
}


def settings(path: Path, **more: str) -> Settings:
    given = {f"ONECORE_{name}": value for name, value in more.items()}
    return read_settings(CREDENTIALS | {"ONECORE_DATA_DIR": str(path)} | given)


def down() -> Service:
    raise ConnectionError("the server is asleep\nand more that is not shown")


def found(
    ready: Settings, service: Callable[[], Service] = down, at: datetime = NOW
) -> dict[str, Check]:
    rows = doctoring.checks(ready, NOW, lambda url: Reached(at), service)
    assert all(row.next_step for row in rows if not row.ok)
    return {row.name: row for row in rows}


def test_without_a_database_all_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    rows = found(settings(tmp_path))
    assert [name for name, row in rows.items() if not row.ok] == ["database"]
    assert rows["database"].detail == "the server is asleep"
    assert rows["clock"].detail == "within 0 s of the remotes"
    assert rows["secret key"].detail == "ONECORE_SECRET_KEY"


@pytest.mark.parametrize(("off", "ok"), [(89, True), (-89, True), (91, False), (-3600, False)])
def test_the_clock_is_held_against_the_remotes(tmp_path: Path, off: int, ok: bool) -> None:
    row = found(settings(tmp_path), at=NOW + timedelta(seconds=off))["clock"]
    assert row.ok is ok
    if not ok:
        assert f"{off:+d} s" in row.detail


def test_an_address_that_does_not_answer_is_named_once(tmp_path: Path) -> None:
    ready = settings(tmp_path)
    rows = doctoring.checks(ready, NOW, lambda url: Reached(trouble=f"no route to {url}"), down)
    bad = {row.name: row.detail for row in rows if not row.ok and row.name != "database"}
    assert set(bad) == set(doctoring.addresses(ready))
    assert bad["Xero API"].startswith("https://api.xero.com: no route")
    assert next(row for row in rows if row.name == "clock").ok


def test_the_data_directory(tmp_path: Path) -> None:
    assert "will be made" in doctoring.data_dir(settings(tmp_path / "new")).detail
    tmp_path.chmod(0o777)
    open_to_all = doctoring.data_dir(settings(tmp_path))
    assert (open_to_all.ok, open_to_all.next_step) == (False, f"chmod go-w {tmp_path}")
    tmp_path.chmod(0o711)
    assert doctoring.data_dir(settings(tmp_path)).ok
    file = tmp_path / "file"
    file.touch()
    assert not doctoring.data_dir(settings(file)).ok


def test_the_secret_key_and_its_file(tmp_path: Path) -> None:
    assert not doctoring.secret_key(settings(tmp_path, SECRET_KEY="short")).ok
    keyless = settings(tmp_path, SECRET_KEY="")
    assert "will be made" in doctoring.secret_key(keyless).detail
    assert list(tmp_path.iterdir()) == []
    file = tmp_path / "secret.key"
    file.write_text("short")
    file.chmod(0o600)
    assert not doctoring.secret_key(keyless).ok
    file.write_text(SECRET.replace(" ", "-"))
    assert doctoring.secret_key(keyless).ok
    if os.name == "posix":
        file.chmod(0o644)
        assert not doctoring.secret_key(keyless).ok


def test_missing_credentials_are_named(tmp_path: Path) -> None:
    row = doctoring.environment(settings(tmp_path, PROCORE_CLIENT_SECRET=""))
    assert (row.ok, row.detail) == (False, "ONECORE_PROCORE_CLIENT_SECRET not set")


def test_the_database_and_the_connections(tmp_path: Path, desk: Desk) -> None:
    rows = found(settings(tmp_path), lambda: desk.service)
    assert all(row.ok for row in rows.values())
    assert rows["database"].detail.startswith("PostgreSQL ")
    Grant.objects.filter(remote="xero").update(broken="the user left")
    row = found(settings(tmp_path), lambda: desk.service)["workspace Test"]
    assert not row.ok
    assert "the user left" in row.detail


def test_a_workspace_that_is_not_connected_yet(tmp_path: Path, bare_desk: Desk) -> None:
    row = found(settings(tmp_path), lambda: bare_desk.service)["workspace Test"]
    assert (row.ok, row.detail) == (False, "not connected to Procore and Xero")
    assert "onecore connect procore" in row.next_step


def test_a_server_too_old_is_refused(
    tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctoring, "OLDEST_SERVER", 99)
    row = found(settings(tmp_path), lambda: desk.service)["database"]
    assert not row.ok
    assert row.next_step == "Move to PostgreSQL 99 or newer."
