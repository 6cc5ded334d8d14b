"""Keys that rotate by command, and secrets that show nowhere: no list of processes, no log."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.books import claim
from tests.harness import PROCORE_APP, SECRET_KEY, XERO_CUSTOM, Installation
from tests.simulators import Simulators

NEW = "another test's secret key that is as long as the first"
WEBHOOK_KEY = "a webhook key that nobody else knows"


def test_the_key_rotates_by_command(mapped: Installation, simulators: Simulators) -> None:
    both = f"{NEW},{SECRET_KEY}"
    due = mapped.run("doctor", "--json", SECRET_KEY=both)
    assert due.code == 1
    [check] = [c for c in due.json if not c["ok"]]
    assert check["name"] == "stored secrets"
    assert "onecore secrets rotate" in check["next_step"]

    counted = mapped.run("secrets", "rotate", "--dry-run", "--json", SECRET_KEY=both).ok().json
    assert counted["dry_run"] is True
    assert counted["moved"] > 3
    done = mapped.run("secrets", "rotate", "--json", SECRET_KEY=both).ok().json
    assert (done["moved"], done["unreadable"]) == (counted["moved"], [])
    again = mapped.run("secrets", "rotate", SECRET_KEY=both).ok().out
    assert "0 secrets sealed anew" in again

    mapped.run("doctor", SECRET_KEY=NEW).ok()
    claim(simulators, "1000.00")
    mapped.run("switch-on", "bill", SECRET_KEY=NEW).ok()
    synced = mapped.run("sync", "--until-idle", "--json", SECRET_KEY=NEW).ok().json
    assert synced["done"] == 1
    lost = mapped.run("sync", "--json")  # the old key alone opens nothing any more
    assert lost.code == 3
    assert "key that is not here" in "".join(lost.json["troubles"])


def test_a_secret_no_key_opens_is_named(mapped: Installation) -> None:
    stranger = "a key of somebody else's installation and long enough"
    found = mapped.run("secrets", "rotate", "--json", SECRET_KEY=stranger)
    assert found.code == 1
    assert found.json["moved"] == 0
    assert any(place.startswith("grant:") for place in found.json["unreadable"])
    assert (
        "at the end of ONECORE_SECRET_KEY"
        in mapped.run("secrets", "rotate", SECRET_KEY=stranger).out
    )


# --- where secrets must not show --------------------------------------------------------------


def command_lines() -> str:
    """The argument vectors of every process on this machine, as any user can list them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                found.append((entry / "cmdline").read_bytes().decode("utf-8", "replace"))
            except OSError:
                continue  # it ended meanwhile
    return "\n".join(found)


def server_environments() -> str:
    """The environments of the database servers that run: no secret of ours is handed to them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "comm").read_text().strip() == "postgres":
                    found.append((entry / "environ").read_bytes().decode("utf-8", "replace"))
            except OSError:
                continue
    return "\n".join(found)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_no_secret_shows_in_a_list_of_processes_or_a_log(simulators: Simulators) -> None:
    """All of it with its own server, whose password is a secret too, logging all it can."""
    simulators.reset()
    onecore = Installation(simulators, LOG="debug", XERO_WEBHOOK_KEY=WEBHOOK_KEY)
    said: list[str] = []
    seen: list[str] = []
    try:
        onecore.run("migrate").ok()
        onecore.connect(simulators)
        said += [onecore.run(*one).err for one in (("sync",), ("match", "vendors"))]
        serving = subprocess.Popen(
            onecore.command("worker"),
            env=onecore.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        backup = subprocess.Popen(
            onecore.command("backup", onecore.home / "all.dump"), env=onecore.environ
        )
        while backup.poll() is None:  # pg_dump runs in here
            seen.append(command_lines())
            time.sleep(0.02)
        assert backup.returncode == 0
        seen.append(server_environments())
        serving.terminate()
        said.append(serving.communicate(timeout=60)[0])
        server_log = onecore.server.status().log.read_text()
        passwords = [p.read_text().strip() for p in onecore.data_dir.rglob("*password*")]
    finally:
        onecore.close()
    assert "pg_dump" in "".join(seen)
    assert "remote.call" in "".join(said)
    assert passwords
    tokens = issued_tokens(simulators)
    assert len(tokens) >= 2
    secrets = [SECRET_KEY, PROCORE_APP[1], XERO_CUSTOM[1], WEBHOOK_KEY, *passwords, *tokens]
    everywhere = "\n".join([*seen, *said, server_log])
    assert [one for one in secrets if one in everywhere] == []


def issued_tokens(simulators: Simulators) -> list[str]:
    """Every access token the simulators gave out."""
    procore, xero = simulators.procore.state(), simulators.xero.state()
    return [one["access"] for one in procore["tokens"]] + [
        one["token"] for one in xero["access_tokens"].values()
    ]
