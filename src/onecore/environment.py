"""Settings, read once from the environment (design 13)."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

DEFAULT_BASE_URL = "http://localhost:8000"
DEFAULT_BIND = "127.0.0.1:8000"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class WrongSetting(ValueError):
    """An environment variable that cannot be used; the message names it and says what would."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything OneCore reads from its environment. Secrets are not shown by repr."""

    data_dir: Path
    database_url: str | None = field(repr=False)  # None: the embedded server
    secret_key: str | None = field(repr=False)  # None: a file of its own in data_dir
    base_url: str
    bind_host: str
    bind_port: int
    procore_login_url: str
    procore_api_url: str
    procore_client_id: str | None
    procore_client_secret: str | None = field(repr=False)
    xero_login_url: str
    xero_identity_url: str
    xero_api_url: str
    xero_client_id: str | None
    xero_client_secret: str | None = field(repr=False)
    xero_webhook_keys: tuple[str, ...] = field(repr=False)  # the newest first; () takes nothing
    poll_seconds: float | None  # the shortest wait between two looks at one project
    poll_longest: float | None  # the longest, in seconds, where nothing stirs
    region: str | None
    support: str | None

    @property
    def database_dir(self) -> Path:
        return self.data_dir / "database"


def read_settings(environ: dict[str, str] | None = None) -> Settings:
    """The settings `environ` gives, with defaults. Raises WrongSetting."""
    env = dict(os.environ if environ is None else environ)

    def text(name: str) -> str | None:
        return env.get(f"ONECORE_{name}") or None

    def url(name: str, default: str) -> str:
        return _url(f"ONECORE_{name}", text(name) or default)

    host, port = _bind(text("BIND") or DEFAULT_BIND)
    return Settings(
        data_dir=Path(text("DATA_DIR") or _default_dir()).expanduser().resolve(),
        database_url=text("DATABASE_URL"),
        secret_key=text("SECRET_KEY"),
        base_url=url("BASE_URL", DEFAULT_BASE_URL),
        bind_host=host,
        bind_port=port,
        procore_login_url=url("PROCORE_LOGIN_URL", "https://login.procore.com"),
        procore_api_url=url("PROCORE_API_URL", "https://api.procore.com"),
        procore_client_id=text("PROCORE_CLIENT_ID"),
        procore_client_secret=text("PROCORE_CLIENT_SECRET"),
        xero_login_url=url("XERO_LOGIN_URL", "https://login.xero.com"),
        xero_identity_url=url("XERO_IDENTITY_URL", "https://identity.xero.com"),
        xero_api_url=url("XERO_API_URL", "https://api.xero.com"),
        xero_client_id=text("XERO_CLIENT_ID"),
        xero_client_secret=text("XERO_CLIENT_SECRET"),
        xero_webhook_keys=_list(text("XERO_WEBHOOK_KEY")),
        poll_seconds=_seconds("ONECORE_POLL_SECONDS", text("POLL_SECONDS")),
        poll_longest=_seconds("ONECORE_POLL_LONGEST_SECONDS", text("POLL_LONGEST_SECONDS")),
        region=text("REGION"),
        support=text("SUPPORT"),
    )


def _bind(text: str) -> tuple[str, int]:
    shape = re.fullmatch(r"(.+):(\d{1,5})", text)
    if shape is None or int(shape[2]) > 65535:
        raise WrongSetting(f"ONECORE_BIND is {text!r}; write host:port, such as {DEFAULT_BIND}.")
    return shape[1], int(shape[2])


def _url(name: str, text: str) -> str:
    """A base URL without a slash at its end; plain http only on this machine."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WrongSetting(f"{name} is {text!r}; write a whole URL, such as https://example.com.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise WrongSetting(f"{name} is plain http to {parts.hostname}; use https there.")
    return text.rstrip("/")


def _list(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _seconds(name: str, text: str | None) -> float | None:
    try:
        return max(0.2, float(text)) if text else None
    except ValueError:
        raise WrongSetting(f"{name} is {text!r}; write a number of seconds.") from None


def _default_dir() -> Path:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/onecore")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "onecore"


_settings: Settings | None = None


def settings() -> Settings:
    """The process's settings, read on first use."""
    global _settings  # noqa: PLW0603 - read once is the point
    if _settings is None:
        _settings = read_settings()
    return _settings


def database_parts(url: str) -> dict[str, str]:
    """What Django's DATABASES wants of a PostgreSQL URL. Raises WrongSetting."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise WrongSetting("ONECORE_DATABASE_URL must begin with postgresql://.")
    # host, port and user may stand in the query, as they do for a socket directory
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "NAME": unquote(parts.path.lstrip("/")) or "onecore",
        "USER": unquote(parts.username or query.get("user", "")),
        "PASSWORD": unquote(parts.password or query.get("password", "")),
        "HOST": unquote(query.get("host", parts.hostname or "")),
        "PORT": query.get("port", str(parts.port or "")),
    }
