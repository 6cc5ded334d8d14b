"""Django's settings, made from OneCore's own (`onecore.environment`)."""

import os
import secrets
from urllib.parse import urlsplit

from onecore.environment import LOOPBACK, database_parts, settings
from onecore.logs import LOGGING
from onecore.store.secrets import Keyring

_ours = settings()
_url = os.environ.get("ONECORE_RESOLVED_DATABASE_URL") or _ours.database_url
CONNECTIONS = int(os.environ.get("ONECORE_DB_CONNECTIONS", "12"))
"""The most database connections this process opens; with five more for leases and jobs, a
server's 100 serve five processes."""
PATIENCE = float(os.environ.get("ONECORE_DB_PATIENCE", "10"))
"""Seconds a step waits for a connection before the database counts as out of reach."""

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        **database_parts(_url or "postgresql:///onecore"),
        "OPTIONS": {
            "pool": {"min_size": 0, "max_size": CONNECTIONS, "timeout": PATIENCE},
            # A process that is paused in a transaction must not keep its rows from everybody.
            "options": "-c idle_in_transaction_session_timeout=30s",
        },
        "CONN_MAX_AGE": 0,
        # Connections of before a restart of the server are found out before they are used.
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
}
_base = urlsplit(_ours.base_url)
_https = _base.scheme == "https"
if _url:
    _keyring = Keyring.from_setting(_ours.secret_key, _ours.data_dir)
    SECRET_KEY = _keyring.purpose_key("django")
    # Who signed in before a rotation stays signed in for as long as the old key is named.
    SECRET_KEY_FALLBACKS = _keyring.older_purpose_keys("django")
else:  # a process that never serves, such as a type check
    SECRET_KEY = secrets.token_hex(32)
DEBUG = False
ALLOWED_HOSTS = [_base.hostname or "localhost", *LOOPBACK, "[::1]"]
CSRF_TRUSTED_ORIGINS = [f"{_base.scheme}://{_base.netloc}"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if _https else 0
X_FRAME_OPTIONS = "DENY"

CSRF_FAILURE_VIEW = "onecore.web.urls.stale_form"
# Messages may name a party, so they stay in the reader's own browser and out of the database.
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "onecore.web.accounts.AccountAdapter"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key"}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-au"
USE_I18N = True

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "onecore.web",  # before allauth, whose templates it replaces
    "allauth",
    "allauth.account",
    "django_htmx",
    "procrastinate.contrib.django",
    "onecore.store",
]

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
_root = os.path.dirname(__file__)  # noqa: PTH120 - Django wants text
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "onecore.web.middleware.StaticFiles",
    "onecore.web.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "onecore.web.middleware.Troubles",
]
ROOT_URLCONF = "onecore.web.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
CACHES = {
    # rate limits must hold over all processes, so they live in the database
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ONECORE_SIGN_IN_ORIGINS = sorted(
    {
        f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
        for url in (_ours.xero_login_url, _ours.procore_login_url)
    }
)

__all__ = ["LOGGING"]  # Django reads it as a setting
