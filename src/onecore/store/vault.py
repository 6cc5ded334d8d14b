"""Sealing short texts and secrets for the database, and digesting fields (design 9)."""

from collections.abc import Callable

from onecore.store.secrets import Digester, Keyring, new_digest_key


class Vault:
    """Seals text to the row it belongs to. One per process."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    @property
    def keyring(self) -> Keyring:
        """The keys themselves, for whoever seals everything anew."""
        return self._keyring

    def seal(self, text: str, bound_to: str) -> bytes:
        return self._keyring.seal(text.encode(), bound_to)

    def open(self, sealed: bytes | memoryview, bound_to: str) -> str:
        """Raises SecretUnreadable when the key is gone or the bytes belong to another row."""
        return self._keyring.open(bytes(sealed), bound_to).decode()

    def new_digest_key(self, bound_to: str) -> bytes:
        return self._keyring.seal(new_digest_key(), bound_to)

    def digest(self, sealed_key: bytes | memoryview, bound_to: str) -> Callable[[str, str], str]:
        """(field name, value) -> keyed digest, under a workspace's own key."""
        return Digester(self._keyring.open(bytes(sealed_key), bound_to)).of(bound_to)
