"""Settings, all from the environment; a wrong value stops the start with a sentence that names it.

Nothing here is a secret and nothing needs editing: README, "Running it for real", lists the variables.
"""

import secrets
from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env(eager=False)
if (BASE_DIR / ".env").is_file():
    env.read_env(str(BASE_DIR / ".env"))

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", [])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
HTTPS = env.bool("HTTPS", not DEBUG)
PROXY_COUNT = env.int("PROXY_COUNT", 0)
SITE_URL = env.str("SITE_URL", "http://localhost:8000").rstrip("/")
database = env.dj_db_url("DATABASE_URL", f"sqlite:///{BASE_DIR / 'clinic.sqlite3'}")
email = env.dj_email_url("EMAIL_URL", "")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "")
API_CALLS_PER_MINUTE = env.int("API_CALLS_PER_MINUTE", 120)
STATIC_FROM_APPS = env.bool("STATIC_FROM_APPS", DEBUG)
CLINIC_LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
TIME_ZONE = "UTC"

try:
    env.seal()
except EnvError as error:
    raise ImproperlyConfigured(f"The environment has a value the clinic cannot use: {error}") from error


def folder_key() -> str:
    """A key of this folder's own, made once."""
    path = BASE_DIR / ".secret_key"
    if not path.is_file():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text().strip()


# Commands get by on the folder's key. A server does not (clinic/wsgi.py): links that were mailed must outlive a folder.
SECRET_KEY_IS_SET = bool(SECRET_KEY)
SECRET_KEY = SECRET_KEY or folder_key()

INSTALLED_APPS = [
    "clinic",
    "bookings",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "clinic.apps.SetUpConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
]

# Outside in: transport, then headers, then who is asking, then the page.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "clinic.zones.clinic_time",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "bookings.desk.idle.IdleSignOut",
    "bookings.desk.gate.SecondFactorGate",
    "bookings.desk.undo.until_the_next_act",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "clinic.urls"
WSGI_APPLICATION = "clinic.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "clinic.context.clinic",
            ],
            "builtins": ["clinic.templatetags.clinic"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

SQLITE_OPTIONS: dict[str, Any] = {
    # Every atomic() takes the write lock at once: racers queue and are refused cleanly, never "database is locked".
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
}
POSTGRESQL_OPTIONS: dict[str, Any] = {"pool": {"min_size": 1, "max_size": 8, "timeout": 10}}


def database_settings(found: dict[str, Any]) -> dict[str, Any]:
    """Django's settings for the one database, with what racing bookings need on either engine."""
    engine = found["ENGINE"].rsplit(".", 1)[-1]
    if engine not in {"sqlite3", "postgresql"}:
        raise ImproperlyConfigured(f"DATABASE_URL names {engine!r}. Use sqlite:///path or postgres://…")
    options = SQLITE_OPTIONS if engine == "sqlite3" else POSTGRESQL_OPTIONS
    options = {**options, **found.get("OPTIONS", {})}
    if not options.get("pool", True):
        del options["pool"]
    # A pool keeps PostgreSQL's connections; a thread keeps its SQLite file open.
    kept = {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True} if engine == "postgresql" else {"CONN_MAX_AGE": None}
    # Races cannot be tested in SQLite's shared in-memory database: it ignores WAL and the timeout.
    test = {"NAME": f"{found['NAME']}.test"} if engine == "sqlite3" else {}
    return {**found, "ATOMIC_REQUESTS": False, "OPTIONS": options, "TEST": test, **kept}


DATABASES = {"default": database_settings(dict(database))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Mail always goes through the outbox table. Without EMAIL_URL it stays there and the desk says so.
MAIL_IS_SENT = bool(email.get("EMAIL_BACKEND"))
EMAIL_BACKEND = email.get("EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend")
EMAIL_HOST = email.get("EMAIL_HOST", "") or ""
EMAIL_PORT = email.get("EMAIL_PORT", 25) or 25
EMAIL_HOST_USER = email.get("EMAIL_HOST_USER", "") or ""
EMAIL_HOST_PASSWORD = email.get("EMAIL_HOST_PASSWORD", "") or ""
EMAIL_USE_TLS = email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# Wrong codes are counted in the database by bookings.limits, as wrong passwords are.
OTP_TOTP_THROTTLE_FACTOR = OTP_STATIC_THROTTLE_FACTOR = 0
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "desk:day"
LOGOUT_REDIRECT_URL = "home"

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
# Compressed files with a manifest need collectstatic; the demo and the tests serve the apps' own files.
STATIC_ROOT = None if STATIC_FROM_APPS else BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if STATIC_FROM_APPS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = STATIC_FROM_APPS

CRISPY_ALLOWED_TEMPLATE_PACKS = ("bootstrap5",)
CRISPY_TEMPLATE_PACK = "bootstrap5"
CRISPY_FAIL_SILENTLY = False

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_SSL_REDIRECT else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = bool(SECURE_HSTS_SECONDS)
SECURE_HSTS_PRELOAD = bool(SECURE_HSTS_SECONDS)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXY_COUNT else None

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# `__Host-` binds a cookie to this host over HTTPS; a browser refuses the name on plain HTTP.
COOKIE_PREFIX = "__Host-" if SECURE_SSL_REDIRECT else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}session"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrf"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_FAILURE_VIEW = "clinic.views.csrf_failure"

# Forms here are a few hundred bytes: a body of megabytes is refused before it is parsed.
DATA_UPLOAD_MAX_MEMORY_SIZE = 128 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {"without_tokens": {"()": "clinic.logs.WithoutTokens"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without_tokens"]}},
    "root": {"handlers": ["stderr"], "level": CLINIC_LOG_LEVEL},
    # Refused requests are no news.
    "loggers": {
        "django.request": {"handlers": [], "level": "ERROR", "propagate": True},
        "django.security": {"handlers": [], "level": "CRITICAL", "propagate": True},
    },
}
