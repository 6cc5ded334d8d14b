"""Sealed secrets open where they belong and nowhere else; digests tell values apart."""

import base64
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore.store.secrets import (
    Digester,
    Keyring,
    KeyUnusable,
    SecretUnreadable,
    new_digest_key,
)

OLD = "an old secret of some forty characters, maybe"
NEW = base64.b64encode(bytes(range(32))).decode()
PLACE = "grant:12:access_token"
RING = Keyring([OLD])
posix = pytest.mark.skipif(os.name != "posix", reason="file modes of Unix")


@given(st.binary(), st.text(min_size=1))
def test_what_is_sealed_opens_in_its_place(plain: bytes, place: str) -> None:
    assert RING.open(RING.seal(plain, place), place) == plain


@given(st.binary(), st.text(min_size=1), st.text(min_size=1))
def test_nothing_opens_in_another_place(plain: bytes, place: str, other: str) -> None:
    sealed = RING.seal(plain, place)
    if place != other:
        with pytest.raises(SecretUnreadable):
            RING.open(sealed, other)


@given(st.binary(), st.data())
def test_a_changed_byte_anywhere_is_noticed(plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(RING.seal(plain, PLACE))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SecretUnreadable):
        RING.open(bytes(sealed), PLACE)


@given(st.binary(), st.data())
def test_a_shortened_secret_is_noticed(plain: bytes, data: st.DataObject) -> None:
    sealed = RING.seal(plain, PLACE)
    with pytest.raises(SecretUnreadable):
        RING.open(sealed[: data.draw(st.integers(0, len(sealed) - 1))], PLACE)


@given(st.binary())
def test_foreign_bytes_are_no_secret(blob: bytes) -> None:
    with pytest.raises(SecretUnreadable):
        RING.open(blob, PLACE)


def test_the_same_secret_never_looks_the_same_and_shows_nothing() -> None:
    sealed = {RING.seal(b"token-canary", PLACE) for _ in range(100)}
    assert len(sealed) == 100
    assert not any(b"canary" in x for x in sealed)
    assert {x[0] for x in sealed} == {1}


def test_a_moved_secret_says_so_without_showing_it() -> None:
    sealed = RING.seal(b"token-canary", PLACE)
    with pytest.raises(SecretUnreadable, match="another place") as error:
        RING.open(sealed, "grant:13:access_token")
    assert "canary" not in str(error.value) and "grant:13" in str(error.value)


def test_keys_rotate() -> None:
    before, both, after = Keyring([OLD]), Keyring([NEW, OLD]), Keyring([NEW])
    sealed = before.seal(b"token", PLACE)
    assert both.open(sealed, PLACE) == b"token"
    assert both.needs_rotation(sealed) and not before.needs_rotation(sealed)
    with pytest.raises(SecretUnreadable, match="key that is not here"):
        after.open(sealed, PLACE)
    moved = both.rotated(sealed, PLACE)
    assert not both.needs_rotation(moved)
    assert after.open(moved, PLACE) == b"token"
    with pytest.raises(SecretUnreadable):
        before.open(moved, PLACE)


def test_a_secret_sealed_earlier_still_opens() -> None:
    """The format is kept: bytes of the first release, by the key 0, 1, 2 … 31."""
    sealed = bytes.fromhex(
        "019ab60533bbc90932a335b76c03216bcf3069673f6b500d354260bb6d0ef6dc42dc568a51b6436dcf"
    )
    assert Keyring([NEW]).open(sealed, PLACE) == b"kept"


def test_base64_with_or_without_its_end_is_the_same_key() -> None:
    raw = bytes(range(200, 232))
    spellings = [base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()]
    spellings += [x.rstrip("=") for x in spellings]
    sealed = Keyring(spellings[:1]).seal(b"token", PLACE)
    assert all(Keyring([x]).open(sealed, PLACE) == b"token" for x in spellings)


def test_each_purpose_has_a_key_of_its_own_by_the_newest_secret() -> None:
    ring = Keyring([NEW, OLD])
    keys = {ring.purpose_key("django"), ring.purpose_key("hooks"), RING.purpose_key("django")}
    assert len(keys) == 3 and all(len(x) == 64 for x in keys)
    assert ring.purpose_key("django") == Keyring([NEW]).purpose_key("django")


@pytest.mark.parametrize("secrets", [[], ["short"], [NEW, "x" * 31]])
def test_weak_keys_are_refused_unsaid(secrets: list[str]) -> None:
    with pytest.raises(KeyUnusable) as error:
        Keyring(secrets)
    assert "xxx" not in str(error.value) and "short" not in str(error.value)


def test_a_secret_must_be_bound() -> None:
    with pytest.raises(ValueError, match="bound to"):
        RING.seal(b"token", "")


def test_the_setting_is_a_list_with_the_new_one_first(tmp_path: Path) -> None:
    sealed = Keyring([OLD.replace(",", ";")]).seal(b"token", PLACE)
    ring = Keyring.from_setting(f" {NEW} , {OLD.replace(',', ';')},", tmp_path)
    assert ring.open(sealed, PLACE) == b"token" and ring.needs_rotation(sealed)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyUnusable):
        Keyring.from_setting(" , ", tmp_path)
    assert OLD not in repr(ring)


@posix
def test_without_a_setting_a_private_file_is_made_once(tmp_path: Path) -> None:
    place = tmp_path / "data"
    sealed = Keyring.from_setting(None, place).seal(b"token", PLACE)
    assert [x.name for x in place.iterdir()] == ["secret.key"]
    assert stat.S_IMODE((place / "secret.key").stat().st_mode) == 0o600
    assert Keyring.from_setting(None, place).open(sealed, PLACE) == b"token"


@posix
def test_the_file_rotates_by_a_line_put_first(tmp_path: Path) -> None:
    sealed = Keyring.from_setting(None, tmp_path).seal(b"token", PLACE)
    path = tmp_path / "secret.key"
    path.write_text(f"{NEW}\n{path.read_text()}")
    ring = Keyring.from_setting(None, tmp_path)
    assert ring.open(sealed, PLACE) == b"token" and ring.needs_rotation(sealed)


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_key_file_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    Keyring.from_setting(None, tmp_path)
    (tmp_path / "secret.key").chmod(mode)
    with pytest.raises(KeyUnusable, match=rf"mode {mode:04o}.*chmod 600"):
        Keyring.from_setting(None, tmp_path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give away")
def test_a_key_file_of_another_user_is_refused(tmp_path: Path) -> None:
    Keyring.from_setting(None, tmp_path)
    os.chown(tmp_path / "secret.key", 65534, 65534)
    with pytest.raises(KeyUnusable, match="another user"):
        Keyring.from_setting(None, tmp_path)


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from onecore.store.secrets import Keyring\n"
        "sys.stdout.write(Keyring.from_setting(None, Path(sys.argv[1])).seal(b't', 'p').hex())"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, tmp_path / "data"],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    sealed = [bytes.fromhex(x.communicate()[0]) for x in started]
    ring = Keyring.from_setting(None, tmp_path / "data")
    assert [ring.open(x, "p") for x in sealed] == [b"t"] * 4
    assert [x.name for x in (tmp_path / "data").iterdir()] == ["secret.key"]


def test_digests_are_steady_short_and_keyed() -> None:
    key = bytes(32)
    digest = Digester(key).digest("7", "total", "1087.80")
    assert digest == "aac029b58ab7182c17defab23e28e913"
    assert Digester(key).digest("7", "total", "1087.80") == digest
    assert Digester(new_digest_key()).digest("7", "total", "1087.80") != digest
    assert len(new_digest_key()) == 32 and new_digest_key() != new_digest_key()


def test_digests_outlive_the_rotation_of_the_sealing_key() -> None:
    key = new_digest_key()
    sealed = Keyring([OLD]).seal(key, "workspace:7:digest_key")
    ring = Keyring([NEW, OLD])
    moved = ring.rotated(sealed, "workspace:7:digest_key")
    after = Digester(Keyring([NEW]).open(moved, "workspace:7:digest_key"))
    assert after.digest("7", "total", "1.00") == Digester(key).digest("7", "total", "1.00")


Triple = st.tuples(st.text(), st.text(), st.text())


@given(Triple, Triple)
def test_two_things_have_two_digests(one: tuple[str, str, str], two: tuple[str, str, str]) -> None:
    digester = Digester(bytes(32))
    assert (digester.digest(*one) == digester.digest(*two)) == (one == two)


@given(st.text(min_size=1), st.text(min_size=1))
def test_parts_do_not_run_together(one: str, two: str) -> None:
    digester = Digester(bytes(32))
    assert digester.digest("w", one, two) != digester.digest("w", one + two, "")


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_digest_key_has_32_bytes(size: int) -> None:
    with pytest.raises(KeyUnusable, match="32 bytes"):
        Digester(bytes(size))
