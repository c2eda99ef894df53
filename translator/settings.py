"""Every setting of Zirnevis. This module is the only reader of the environment and of `.env`.

`.env` lies beside `manage.py` (ENV_FILE names another one); what the real environment sets wins over it. All
variables are described in docs/settings.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

import dj_database_url
from csp import constants as csp
from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values

from jobs.engines.prices import KNOWN_IN, parse_prices
from jobs.engines.registry import SPECS
from jobs.engines.spec import read_options
from translator import __version__

VERSION = __version__
BASE_DIR = Path(__file__).resolve().parent.parent


def _read_environment() -> Mapping[str, str]:
    file = os.environ.get("ENV_FILE", str(BASE_DIR / ".env"))
    from_file = {name: value for name, value in dotenv_values(file).items() if value is not None} if file else {}
    return {**from_file, **os.environ}


_env = _read_environment()


def _flag(name: str, default: bool = False) -> bool:
    text = _env.get(name, "").strip().lower()
    return text in {"1", "true", "yes", "on"} if text else default


def _number(name: str, default: int) -> int:
    text = _env.get(name, "").strip()
    try:
        return int(text) if text else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not “{text}”.") from None


def _amount(name: str, default: str) -> Decimal:
    text = _env.get(name, "").strip() or default
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ImproperlyConfigured(f"{name} must be an amount of money such as 2.50, not “{text}”.") from None


def _list(name: str, default: str) -> list[str]:
    return [part.strip() for part in _env.get(name, default).split(",") if part.strip()]


def _secret(name: str) -> str:
    if value := _env.get(name):
        return value
    if DEBUG:
        return f"only-for-debugging-{name}"
    raise ImproperlyConfigured(f"{name} is not set. Set it to a long random value in .env; `make .env` writes one.")


# The site

DEBUG = _flag("DEBUG")
SECRET_KEY = _secret("SECRET_KEY")
ALLOWED_HOSTS = _list("ALLOWED_HOSTS", "127.0.0.1,localhost")
HTTPS = _flag("HTTPS")
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None  # daphne speaks plain HTTP to nginx
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
# Nothing is loaded from other hosts. Inline styles are allowed, because the player writes some.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [csp.SELF],
        "script-src": [csp.SELF, csp.NONCE],
        "style-src": [csp.SELF, csp.UNSAFE_INLINE],
        "img-src": [csp.SELF, "data:"],
        "media-src": [csp.SELF, "blob:"],  # the length of a chosen file is read before it is sent
        "object-src": [csp.NONE],
        "base-uri": [csp.NONE],
        "form-action": [csp.SELF],
        "frame-ancestors": [csp.NONE],
    }
}
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if HTTPS]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_q",
    "jobs",
]
MIDDLEWARE = [
    "jobs.web.middleware.HttpsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "jobs.web.middleware.RequestGuardMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
CSRF_FAILURE_VIEW = "jobs.web.middleware.csrf_failure"
ROOT_URLCONF = "translator.urls"
ASGI_APPLICATION = "translator.asgi.application"
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
                "csp.context_processors.nonce",
                "jobs.web.context_processors.page",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "login", "new", "login"
SIGN_UP = _flag("SIGN_UP")
LANGUAGE_CODE = _env.get("LANGUAGE_CODE") or "en"  # for browsers that ask for neither
LANGUAGES = [("fa", "فارسی"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "translator" / "locale"]
TIME_ZONE = _env.get("TIME_ZONE") or "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = Path(_env.get("STATIC_ROOT") or BASE_DIR / "staticfiles")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else "translator.static.StaticFiles"
    },
}
MEDIA_ROOT = Path(_env.get("MEDIA_ROOT") or BASE_DIR / "media")
FILE_UPLOAD_MAX_MEMORY_SIZE = 64 << 20  # bytes: pieces of uploads (MAX_CHUNK_BYTES) need no room for temporary files
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The internal address under which nginx serves MEDIA_ROOT, if it is in front

X_ACCEL_REDIRECT = _env.get("X_ACCEL_REDIRECT", "")

# Messages to open pages stay within a web server process: each reads changes of jobs from the database itself

CHANNEL_LAYERS = {"default": {"BACKEND": "jobs.web.live.channel_layer.PageChannelLayer"}}

# E-mail: password resets and notifications of ended jobs. Without a mail server they are written to the log.

EMAIL_HOST = _env.get("EMAIL_HOST", "")
EMAIL_PORT = _number("EMAIL_PORT", 587)
EMAIL_HOST_USER = _env.get("EMAIL_USER", "")
EMAIL_HOST_PASSWORD = _env.get("EMAIL_PASSWORD", "")
EMAIL_USE_SSL = EMAIL_PORT == 465
EMAIL_USE_TLS = bool(EMAIL_HOST_USER) and not EMAIL_USE_SSL
EMAIL_TIMEOUT = 20
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
DEFAULT_FROM_EMAIL = _env.get("EMAIL_FROM") or "zirnevis@localhost"

# The database: SQLite unless DATABASE_URL names another one. Write-ahead logging lets readers work beside the one
# writer; IMMEDIATE takes the write lock at the start of a transaction, where it waits; later it would fail at once.
# Temporary tables stay in memory, because the directory of temporary files may be full or read-only.

DATABASES = {"default": dj_database_url.parse(_env.get("DATABASE_URL") or f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;",
    }

# The queue. A ticket is redelivered after `retry`; the time limits of the work itself are the supervisor's.

CLUSTERS = {
    "speech": _number("SPEECH_WORKERS", 1),
    "text": _number("TEXT_WORKERS", 2),
    "media": _number("MEDIA_WORKERS", 2),
}
CLUSTER = _env.get("Q_CLUSTER_NAME", "")  # the cluster of this process, if any
Q_CLUSTER = {
    "name": "zirnevis",
    "orm": "default",
    "workers": 1,
    "queue_limit": 1,  # a ticket fetched before a worker is free is hidden from other clusters
    "poll": 0.1,
    "retry": 60,
    "timeout": 50,  # for tasks other than tickets, which bring their own
    "recycle": 100_000,
    "save_limit": -1,
    "ack_failures": True,
    "ALT_CLUSTERS": {name: {"workers": workers} for name, workers in CLUSTERS.items()},
}

# Seconds for which a page counts its owner as present: after its last renewal, after it was closed, and while it is
# hidden on a touch device. An outage of up to twice the lease makes no owner absent.

PAGE_LEASE = _number("PAGE_LEASE", 180)
TAB_CLOSE_GRACE = _number("TAB_CLOSE_GRACE", 10)
HIDDEN_GRACE = _number("HIDDEN_GRACE", 15 * 60)

# Limits of each owner, unless the admin sets others (0: no limit), and hours for which results are kept

LIMIT_RUNNING = _number("LIMIT_RUNNING", 2)
LIMIT_QUEUED = _number("LIMIT_QUEUED", 20)
LIMIT_MINUTES_A_DAY = _number("LIMIT_MINUTES_A_DAY", 0)
LIMIT_STORED_BYTES = _number("LIMIT_STORED_MEGABYTES", 50_000) * 1024 * 1024
RETENTION_HOURS = _number("RETENTION_HOURS", 24)

# The cost of paid services: prices per million tokens, and caps of each job and of each owner a month, unless the admin
# sets others (0: no cap). At a cap a job pauses, and is cancelled after PAUSED_DAYS.

CURRENCY = (_env.get("CURRENCY") or KNOWN_IN).strip().upper()
try:
    PRICES = parse_prices(_env.get("TRANSLATION_PRICES", ""), CURRENCY)
except ValueError as wrong:
    raise ImproperlyConfigured(f"TRANSLATION_PRICES cannot be read: {wrong}.") from None
LIMIT_COST_A_JOB = _amount("LIMIT_COST_A_JOB", "1.00")
LIMIT_COST_A_MONTH = _amount("LIMIT_COST_A_MONTH", "10.00")
LIMIT_TOKENS_A_JOB = _number("LIMIT_TOKENS_A_JOB", 2_000_000)
LIMIT_TOKENS_A_MONTH = _number("LIMIT_TOKENS_A_MONTH", 20_000_000)
PAUSED_DAYS = _number("PAUSED_DAYS", 35)

# Environment variables that child processes of stages inherit: no key, no password, no address of a database

_INHERITED = {"PATH", "HOME", "USER", "LANG", "TZ", "LD_LIBRARY_PATH", "XDG_CACHE_HOME", "IMAGEIO_FFMPEG_EXE"}
_INHERITED_PREFIXES = ("LC_", "CUDA_", "NVIDIA_", "HF_HOME", "HF_HUB_", "TORCH_", "OMP_", "MKL_", "NLTK_", "SSL_CERT_")
CHILD_ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith(_INHERITED_PREFIXES)
}

# Limits of a video

MAX_BYTES = _number("MAX_MEGABYTES", 4096) * 1024 * 1024
MAX_SECONDS = _number("MAX_MINUTES", 240) * 60
MAX_PIXELS = _number("MAX_PIXELS", 3840 * 2160)

# Percent of the height of a tall picture that stay free below its subtitles, for the buttons of apps

PORTRAIT_MARGIN = _number("PORTRAIT_MARGIN", 20)
if not 0 <= PORTRAIT_MARGIN <= 60:
    raise ImproperlyConfigured(f"PORTRAIT_MARGIN must be between 0 and 60, not {PORTRAIT_MARGIN}.")

# Logs: a line for each transition, with its job, stage and attempt

LOG_LEVEL = (_env.get("LOG_LEVEL") or "INFO").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"fields": {"()": "jobs.log_format.FieldFormatter"}},
    "filters": {"bounded": {"()": "jobs.log_format.Bounded"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "fields", "filters": ["bounded"]}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},  # in place of daphne's own: each line comes once
    "loggers": {
        "jobs": {"level": LOG_LEVEL},
        "django": {"handlers": [], "level": "WARNING"},
        "django-q": {"level": "WARNING"},
    },
}

# Links

LINK_PROXY = _env.get("LINK_PROXY", "")
LINK_COOKIES = Path(_env["LINK_COOKIES"]) if _env.get("LINK_COOKIES") else None
LINK_DENO = Path(_env["LINK_DENO"]) if _env.get("LINK_DENO") else None
LINK_TEST_HOSTS = tuple(_list("LINK_TEST_HOSTS", ""))

# Engines: the chosen ones, and the options of each by name

TRANSCRIBER = _env.get("TRANSCRIBER") or "auto"
TRANSLATOR = _env.get("TRANSLATOR") or "auto"
try:
    ENGINE_OPTIONS = {spec.name: read_options(spec, _env) for spec in SPECS}
except ValueError as wrong:
    raise ImproperlyConfigured(str(wrong)) from None
