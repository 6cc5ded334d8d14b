"""The installation by command: people, health, backups, and a server of its own."""

import json
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.harness import Installation
from tests.simulators import Simulators
from tests.store.servers import eventually

EVERY_COMMAND = """
    migrate serve worker demo doctor user workspace connect config match coverage preflight
    switch-on pause resume preview sync attention resolve approve reject documents reconcile
    retention budget audit backup restore
"""
PASSWORD = "seven-silver-spades\n"


def test_help_is_quick_and_names_every_command(bare: Installation) -> None:
    shown = bare.run("--help").ok().out
    for name in EVERY_COMMAND.split():
        assert f"\n  {name} " in shown, name
    for command in (("sync",), ("connect", "xero"), ("serve",), ("config", "import")):
        assert "--json" in bare.run(*command, "--help").ok().out
    source = "import sys, onecore.cli.main; print('django' in sys.modules, 'rich' in sys.modules)"
    loaded = subprocess.run(
        [bare.command()[0], "-c", source],
        env=bare.environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert loaded.stdout == "False False\n"


def test_people(bare: Installation) -> None:
    owner = ("user", "add", "boss@example.com", "--role", "owner", "--password-stdin")
    assert "boss@example.com may sign in" in bare.run(*owner, stdin=PASSWORD).ok().out
    for args, stdin, words in (
        (owner, PASSWORD, "already"),
        ((*owner[:2], "nobody", *owner[3:]), PASSWORD, "no e-mail address"),
        ((*owner[:2], "b@example.com", *owner[3:]), "short\n", "at least 12 characters"),
        ((*owner[:2], "b@example.com", *owner[3:]), "", "no password"),
        ((*owner[:2], "b@example.com", "--role", "king", "--password-stdin"), PASSWORD, "king"),
        ((*owner[:2], "b@example.com", "--role", "viewer", *owner[5:]), PASSWORD, "--workspace"),
    ):
        refused = bare.run(*args, "--json", stdin=stdin)
        assert refused.code == 2, refused
        assert words in refused.json["error"]
        assert "Traceback" not in refused.err
    bare.run("workspace", "add", "Main").ok()
    viewer = (*owner[:2], "v@example.com", "--role", "viewer", "--password-stdin", "-w", "Main")
    assert bare.run(*viewer, "--json", stdin=PASSWORD).ok().json["workspace"] == "Main"


def test_the_doctor_finds_everything_well(connected: Installation) -> None:
    found = connected.run("doctor", "--json").ok().json
    assert [check["name"] for check in found if not check["ok"]] == []
    names = [check["name"] for check in found]
    assert names[:4] == ["environment", "data directory", "secret key", "database"]
    assert {"migrations", "stored secrets", "workspace Main", "clock"} <= set(names)
    assert "Banksia" in connected.run("doctor").ok().out


def test_the_doctor_says_how_to_mend(connected: Installation, simulators: Simulators) -> None:
    away = connected.run("doctor", "--json", XERO_API_URL="http://127.0.0.1:9")
    assert away.code == 3
    [check] = [c for c in away.json if not c["ok"]]
    assert check["name"] == "Xero API"
    assert "firewall" in check["next_step"]
    unset = connected.run("doctor", "--json", PROCORE_CLIENT_SECRET="")
    assert unset.code == 1
    [check] = [c for c in unset.json if not c["ok"]]
    assert (check["name"], check["detail"]) == (
        "environment", "ONECORE_PROCORE_CLIENT_SECRET not set",
    )  # fmt: skip
    told = connected.run("doctor", "--json", REGION="AU", SUPPORT="02 5550 0000, 8-18 Sydney")
    assert "02 5550 0000, 8-18 Sydney" in told.ok().json[-1]["detail"]


def test_a_broken_connection_is_told_by_doctor_show_and_sync(
    mapped: Installation, simulators: Simulators
) -> None:
    simulators.xero.do("revoke", client_id="sim-xero-custom")
    mapped.run("match", "vendors")
    mapped.run("sync")
    checked = mapped.run("doctor", "--json")
    assert checked.code == 1
    [check] = [c for c in checked.json if not c["ok"]]
    assert check["name"] == "workspace Main"
    assert "onecore connect" in check["next_step"]
    stopped = mapped.run("sync", "--json")
    assert stopped.code == 1
    assert "onecore connect xero" in stopped.json["troubles"][-1]


# --- backups ----------------------------------------------------------------------------------


def test_a_backup_restores_into_an_empty_database(
    mapped: Installation, new_database: Callable[..., str]
) -> None:
    file = mapped.home / "monday.dump"
    told = mapped.run("backup", file, "--json").ok().json
    assert told["bytes"] == file.stat().st_size > 10_000
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = mapped.run("config", "export").ok().out

    again = mapped.run("backup", file)
    assert again.code == 2
    assert "there already" in again.err
    full = mapped.run("restore", file)
    assert full.code == 3
    assert "Nothing was restored" in full.err
    assert "holds tables already" in full.err

    empty = new_database()
    mapped.run("restore", file, DATABASE_URL=empty).ok()
    assert mapped.run("config", "export", DATABASE_URL=empty).ok().out == before
    assert mapped.run("coverage", "--json", DATABASE_URL=empty).ok().json["share"] == 1


@pytest.mark.parametrize("content", [b"", b"not a dump at all"])
def test_what_is_no_backup_is_refused(bare: Installation, content: bytes) -> None:
    file = bare.home / "odd.dump"
    file.write_bytes(content)
    refused = bare.run("restore", file)
    assert refused.code == 2
    assert "no backup made by onecore" in refused.err
    assert bare.run("restore", bare.home / "missing.dump").code == 2
    assert bare.run("backup", bare.home / "nowhere" / "x.dump").code == 2


# --- a server of its own ----------------------------------------------------------------------


@pytest.fixture
def embedded(simulators: Simulators) -> Iterator[Installation]:
    """No database URL: the command brings its own server up."""
    simulators.reset()
    made = Installation(simulators)
    yield made
    made.close()


def test_the_embedded_server_serves_one_command_after_another(
    embedded: Installation, simulators: Simulators
) -> None:
    early = embedded.run("workspace", "list", "--json")
    assert early.code == 3
    assert "onecore migrate" in early.err
    assert embedded.run("migrate", "--json").ok().json["applied"] > 0
    embedded.connect(simulators)
    [listed] = embedded.run("workspace", "list", "--json").ok().json
    assert (listed["name"], len(listed["connections"])) == ("Main", 2)
    embedded.server.stop()
    assert embedded.run("workspace", "list", "--json").ok().json == [listed]
    file = embedded.home / "all.dump"
    embedded.run("backup", file).ok()
    assert file.read_bytes()[:5] == b"PGDMP"


def test_a_command_killed_amid_its_work_leaves_a_server_that_serves(
    embedded: Installation,
) -> None:
    process = subprocess.Popen(
        embedded.command("migrate"),
        env=embedded.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    eventually(lambda: embedded.data_dir.exists() and embedded.server.status().answers)
    process.kill()
    assert process.wait() != 0
    assert embedded.server.status().answers
    embedded.run("migrate").ok()
    assert embedded.run("migrate", "--json").ok().json == {"applied": 0}
    assert embedded.run("workspace", "add", "After").ok()


def test_the_secret_key_is_made_once_and_kept_private(embedded: Installation) -> None:
    embedded.run("migrate", SECRET_KEY="").ok()
    file = Path(embedded.data_dir) / "secret.key"
    first = file.read_text()
    assert len(first) > 40
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    embedded.run("workspace", "add", "Main", SECRET_KEY="").ok()
    assert file.read_text() == first
    assert json.dumps(first.strip()) not in embedded.run("doctor", "--json", SECRET_KEY="").out
