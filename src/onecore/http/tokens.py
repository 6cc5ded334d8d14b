"""A token in hand, for calls made before a grant is stored."""

from onecore.ports import AccessLost, Remote, Token


class OneToken:
    """Tokens of a single access token that nothing renews."""

    def __init__(self, remote: Remote, token: Token) -> None:
        self._remote = remote
        self._token = token

    async def current(self) -> Token:
        return self._token

    async def renew(self, stale: Token) -> Token:
        raise AccessLost(self._remote, "renew", "this token cannot be renewed")
