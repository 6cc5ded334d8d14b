"""Secrets at rest: sealed to their row under keys that rotate; and digests that say no content.

A sealed secret is a version byte, the id of its key, a nonce, and AES-256-GCM's ciphertext with
its tag. The row it belongs to is authenticated with it, so a copy in another row does not open.
"""

import base64
import binascii
import hmac
import os
import secrets as random_source
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = 1
KEY_ID_SIZE = 8
NONCE_SIZE = 12  # random; what GCM is made for
TAG_SIZE = 16
HEAD_SIZE = 1 + KEY_ID_SIZE + NONCE_SIZE
LEAST_LENGTH = 32  # characters of a secret, whatever it is made of
FILE_NAME = "secret.key"


class SecretUnreadable(Exception):
    """A sealed secret does not open: no key for it, another row's, or damaged."""


class KeyUnusable(ValueError):
    """The secret key, or the file it is in, cannot be used; the message says why."""


class Keyring:
    """Opens with any of its keys, seals with the first."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Each secret is 32 characters or more, or base64 of 32 bytes. Raises KeyUnusable."""
        if not secrets:
            raise KeyUnusable("There is no secret key.")
        materials = [_material(secret, n) for n, secret in enumerate(secrets, 1)]
        self._newest, self._older = materials[0], materials[1:]
        self._first = _id_of(self._newest)
        self._ciphers = {_id_of(x): AESGCM(_derived(x, b"seal", 32)) for x in materials}

    def __repr__(self) -> str:
        return f"<Keyring of {len(self._ciphers)}>"

    @classmethod
    def from_setting(cls, setting: str | None, directory: Path) -> "Keyring":
        """The keyring of ONECORE_SECRET_KEY's text; without one, of `secret.key` in `directory`.

        The file is made on first use. `directory` should be neither the database's nor part of
        its backups: who has both has the secrets. Raises KeyUnusable.
        """
        if setting is not None:
            return cls(_listed(setting, ","))
        return cls(_listed(_key_file(directory), None))

    def purpose_key(self, purpose: str) -> str:
        """64 hex digits for another purpose, such as signing cookies; a rotation changes them."""
        return _derived(self._newest, b"for " + purpose.encode(), 32).hex()

    def older_purpose_keys(self, purpose: str) -> list[str]:
        """What `purpose_key` gave under the keys before the newest."""
        return [_derived(x, b"for " + purpose.encode(), 32).hex() for x in self._older]

    def seal(self, plain: bytes, bound_to: str) -> bytes:
        """What may be stored; `bound_to` names its one place, as "grant:12:access_token"."""
        head = bytes([VERSION]) + self._first + random_source.token_bytes(NONCE_SIZE)
        cipher = self._ciphers[self._first]
        return head + cipher.encrypt(_nonce(head), plain, _bound(head, bound_to))

    def open(self, sealed: bytes, bound_to: str) -> bytes:
        """What was sealed for this place. Raises SecretUnreadable."""
        head, rest = sealed[:HEAD_SIZE], sealed[HEAD_SIZE:]
        cipher = self._ciphers.get(_key_id(sealed))
        if cipher is None:
            raise SecretUnreadable(
                f"The secret {bound_to} was sealed with a key that is not here "
                f"(id {_key_id(sealed).hex()}). Add the old key at the end of "
                f"ONECORE_SECRET_KEY, bring {FILE_NAME} back, or connect again."
            )
        try:
            return cipher.decrypt(_nonce(head), rest, _bound(head, bound_to))
        except InvalidTag:
            raise SecretUnreadable(
                f"The secret {bound_to} does not open: it was stored for another place, or has "
                "been changed."
            ) from None

    def needs_rotation(self, sealed: bytes) -> bool:
        """Whether another key than the first sealed it. Raises SecretUnreadable if it is none."""
        return _key_id(sealed) != self._first

    def rotated(self, sealed: bytes, bound_to: str) -> bytes:
        """The same secret under the first key. Raises SecretUnreadable."""
        return self.seal(self.open(sealed, bound_to), bound_to)


class Digester:
    """Tells whether a value is the one seen before, without keeping it.

    Its key is a random one of its own, stored sealed, so that digests outlive the rotation of
    the keys that seal.
    """

    def __init__(self, key: bytes) -> None:
        """Raises KeyUnusable unless `key` is 32 bytes, as `new_digest_key` gives."""
        if len(key) != 32:
            raise KeyUnusable(f"A digest key has 32 bytes, this one {len(key)}.")
        self._key = _derived(key, b"field digest", 32)

    def digest(self, workspace: str, field: str, value: str) -> str:
        """32 hex digits that differ by workspace and field even for the same value."""
        return self.of(workspace)(field, value)

    def of(self, workspace: str) -> Callable[[str, str], str]:
        """`digest` for one workspace, of a field and a value."""
        key, begin = self._key, _with_length(workspace)

        def digest(field: str, value: str) -> str:
            message = begin + _with_length(field) + _with_length(value)
            return hmac.digest(key, message, "sha256").hex()[:32]

        return digest


def _with_length(text: str) -> bytes:
    """So that no two triples run together to the same bytes."""
    part = text.encode("utf-8", "surrogatepass")
    return len(part).to_bytes(8, "big") + part


def new_digest_key() -> bytes:
    """A fresh key for a Digester, to be stored sealed."""
    return random_source.token_bytes(32)


def _material(secret: str, place: int) -> bytes:
    if len(secret) < LEAST_LENGTH:
        raise KeyUnusable(
            f"Secret key number {place} has {len(secret)} characters; it takes {LEAST_LENGTH} or "
            "more. Make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return _as_base64(secret) or secret.encode()


def _id_of(material: bytes) -> bytes:
    return _derived(material, b"key id", KEY_ID_SIZE)


def _as_base64(secret: str) -> bytes | None:
    """The 32 bytes it stands for, None if it is any other text."""
    signs = secret.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        found = base64.b64decode(signs + "=" * (-len(signs) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if len(found) == 32 else None


def _derived(material: bytes, purpose: bytes, size: int) -> bytes:
    return HKDF(SHA256(), size, salt=None, info=b"onecore 1 " + purpose).derive(material)


def _listed(text: str, separator: str | None) -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]


def _key_id(sealed: bytes) -> bytes:
    if len(sealed) < HEAD_SIZE + TAG_SIZE or sealed[0] != VERSION:
        raise SecretUnreadable("What is stored there is no secret that this OneCore sealed.")
    return sealed[1 : 1 + KEY_ID_SIZE]


def _nonce(head: bytes) -> bytes:
    return head[-NONCE_SIZE:]


def _bound(head: bytes, bound_to: str) -> bytes:
    if not bound_to:
        raise ValueError("A secret is bound to the place it is stored in.")
    return head + bound_to.encode()


def _key_file(directory: Path) -> str:
    """What the key file holds, made first if there is none."""
    path = directory / FILE_NAME
    if not path.exists():
        _make_key_file(path)
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(handle, encoding="ascii") as file:
        _check_private(path, os.fstat(file.fileno()))
        return file.read()


def _make_key_file(path: Path) -> None:
    """Whole or not at all, and never over another process's that was quicker."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    # root's is passable, since the embedded server, its own user, lives further down
    path.parent.mkdir(mode=0o711 if as_root else 0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{FILE_NAME}.{random_source.token_hex(8)}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(base64.b64encode(random_source.token_bytes(32)).decode() + "\n")
            out.flush()
            os.fsync(out.fileno())
        os.link(new, path)
    except FileExistsError:
        pass
    finally:
        new.unlink()


def _check_private(path: Path, found: os.stat_result) -> None:
    if os.name != "posix":
        return
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISREG(found.st_mode) or mode & 0o077:
        raise KeyUnusable(
            f"{path} may be read by others (mode {mode:04o}). Make it private (chmod 600 {path}), "
            "and rotate the key if others use this machine."
        )
    if found.st_uid not in (0, os.geteuid()):
        raise KeyUnusable(f"{path} belongs to another user (user {found.st_uid}).")
