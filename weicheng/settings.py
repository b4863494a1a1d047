"""Every setting of a Weicheng site, read from the environment.

Each reader says what it wants and quotes what it got, so that a wrong setting is mended from its message.
`docs/settings.md` lists them all and a test holds the two together (`READ` below is the list).
"""

import base64
import os
import secrets
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

READ: dict[str, str] = {}  # name -> default as written in the docs


def _raw(name: str, default: str) -> str:
    READ[name] = default
    return os.environ.get(name, "").strip() or default


def env_text(name: str, default: str = "") -> str:
    """Return the setting as it stands."""
    return _raw(name, default)


def env_bool(name: str, default: bool = False) -> bool:
    """Return a yes/no setting written 1/0, true/false, yes/no or on/off."""
    raw = _raw(name, "1" if default else "0").lower()
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={raw!r} is not yes or no. Write {name}=1 or {name}=0.")


def env_int(name: str, default: int, *, least: int = 0) -> int:
    """Return a whole number not below `least`."""
    raw = _raw(name, str(default))
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(
            f"{name}={raw!r} is not a whole number. Write for example {name}={default}."
        ) from None
    if value < least:
        raise ImproperlyConfigured(
            f"{name}={value} is below {least}. Write {name}={max(default, least)} or more."
        )
    return value


def env_list(name: str, default: str = "") -> list[str]:
    """Return a comma-separated setting as a list without empty parts."""
    return [part.strip() for part in _raw(name, default).split(",") if part.strip()]


def database(url: str, data: Path) -> dict[str, object]:
    """Return Django's description of the database named by `url`; empty means SQLite in the data folder."""
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": data / "weicheng.sqlite3",
            "OPTIONS": {
                # IMMEDIATE: a read-then-write transaction would otherwise fail at once instead of waiting.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                # FULL: an acknowledged finding must survive a power cut.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                "PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;",
            },
            "CONN_MAX_AGE": None,
        }
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            f"WEICHENG_DATABASE_URL={url!r} names no database we know. "
            "Write postgresql://user:password@host:5432/name, or leave it empty for SQLite."
        )
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    host = unquote(parts.hostname or query.get("host", ""))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "weicheng",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", host)),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }


# --- where, and how open -------------------------------------------------------------------------
DATA = Path(env_text("WEICHENG_DATA", "./data")).resolve()
PRODUCTION = env_bool("WEICHENG_PRODUCTION", False)
DEBUG = env_bool("WEICHENG_DEBUG", False)
DEMO = env_bool("WEICHENG_DEMO", False)
DEMO_PASSWORD = env_text("WEICHENG_DEMO_PASSWORD", "weicheng-demo")
TESTING = "pytest" in sys.modules


def _kept_secret(name: str, size: int) -> bytes:
    """Return a secret kept in the data folder, made on first use and readable by its owner only."""
    path = DATA / "keys" / name
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(base64.urlsafe_b64encode(secrets.token_bytes(size)))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # the first of two starting processes wins; neither overwrites
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return base64.urlsafe_b64decode(path.read_bytes())


_secret = env_text("WEICHENG_SECRET_KEY")
if PRODUCTION and len(_secret) < 50:
    raise ImproperlyConfigured(
        "WEICHENG_SECRET_KEY is missing or shorter than 50 characters, and WEICHENG_PRODUCTION=1. "
        "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(60))'"
    )
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured(
        "WEICHENG_DEBUG=1 shows internals to visitors. Remove it, or WEICHENG_PRODUCTION=1."
    )
if PRODUCTION and DEMO:
    raise ImproperlyConfigured(
        "WEICHENG_DEMO=1 prints accounts and passwords on the sign-in page. Remove it, or WEICHENG_PRODUCTION=1."
    )
SECRET_KEY = _secret or (
    "for-tests-only-" * 4 if TESTING else base64.urlsafe_b64encode(_kept_secret("secret.key", 48)).decode()
)


def site_key() -> bytes:
    """Return the 32 bytes that wrap every record key; from WEICHENG_SITE_KEY or kept in the data folder."""
    given = os.environ.get("WEICHENG_SITE_KEY", "").strip()
    if not given:
        return _kept_secret("site.key", 32)
    try:
        key = base64.urlsafe_b64decode(given)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ImproperlyConfigured(
            "WEICHENG_SITE_KEY is not 32 bytes in base64. "
            "Make one with: python -c 'import base64, secrets; "
            "print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())'"
        )
    return key


READ["WEICHENG_SITE_KEY"] = ""

HOST = env_text("WEICHENG_HOST", "127.0.0.1")
PORT = env_int("WEICHENG_PORT", 8000, least=1)
THREADS = env_int("WEICHENG_THREADS", 8, least=1)
ALLOWED_HOSTS = env_list("WEICHENG_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("WEICHENG_TRUSTED_ORIGINS")
SITE_URL = env_text("WEICHENG_SITE_URL", f"http://{HOST}:{PORT}").rstrip("/")

# --- the house -----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "weicheng.journal",
    "weicheng.ui",
    "weicheng.places",
    "weicheng.evidence",
    "weicheng.standards",
    "weicheng.notices",
    "weicheng.cases",
    "weicheng.inspections",
    "weicheng.indicators",
    "weicheng.assessments",
    "weicheng.documents",
    "weicheng.web",
    "weicheng.api",
    "weicheng.demo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "weicheng.places.middleware.ActorMiddleware",
    "weicheng.cases.links.LinkMiddleware",
    "weicheng.web.middleware.RefusalMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "weicheng.urls"
WSGI_APPLICATION = "weicheng.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "weicheng.web.shell.shell",
            ],
            "builtins": ["django.templatetags.i18n", "weicheng.ui.templatetags.ui"],
        },
    }
]

DATABASES = {"default": database(env_text("WEICHENG_DATABASE_URL"), DATA)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # type: ignore[attr-defined]
    DATA.mkdir(parents=True, exist_ok=True)

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "OPTIONS": {}, "ENQUEUE_ON_COMMIT": False}}
WORKER_LEASE_S = env_int("WEICHENG_WORKER_LEASE_S", 30, least=5)
# What the worker does beside its jobs: (function of the moment, seconds between two calls).
PERIODIC = [
    ("weicheng.cases.outbox.deliver", 1),
    ("weicheng.cases.clock.tick", 20),
    ("weicheng.cases.repeats.link", 5),
    ("weicheng.evidence.jobs.check", 30),
    ("weicheng.evidence.jobs.sweep", 3600),
]
WORKER_INTERVAL_S = env_int("WEICHENG_WORKER_INTERVAL_S", 1, least=1)

# --- people --------------------------------------------------------------------------------------
AUTH_USER_MODEL = "places.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [{"NAME": "weicheng.places.passwords.PolicyValidator"}]
PASSWORD_LENGTH = env_int("WEICHENG_PASSWORD_LENGTH", 8, least=8)
LOGIN_URL = "/sign-in"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = env_int("WEICHENG_SESSION_HOURS", 12, least=1) * 3600
SESSION_IDLE_S = env_int("WEICHENG_SESSION_IDLE_MINUTES", 30, least=1) * 60
SESSIONS_PER_USER = env_int("WEICHENG_SESSIONS_PER_USER", 3, least=1)
API_TOKEN_DAYS = env_int("WEICHENG_API_TOKEN_DAYS", 30, least=1)
CASE_LINK_DAYS = env_int("WEICHENG_CASE_LINK_DAYS", 14, least=1)
AXES_FAILURE_LIMIT = env_int("WEICHENG_SIGN_IN_TRIES", 5, least=1)
AXES_COOLOFF_TIME = env_int("WEICHENG_LOCKOUT_MINUTES", 30, least=1) / 60  # hours
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "login"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "weicheng.places.sign_in.locked_out"

# --- what comes in -------------------------------------------------------------------------------
UPLOAD_LIMIT_MB = env_int("WEICHENG_UPLOAD_LIMIT_MB", 50, least=1)
PHOTO_LIMIT_MP = env_int("WEICHENG_PHOTO_LIMIT_MEGAPIXELS", 120, least=1)
UPLOAD_PART_KB = env_int("WEICHENG_UPLOAD_PART_KB", 1024, least=16)
DATA_UPLOAD_MAX_MEMORY_SIZE = (UPLOAD_PART_KB + 256) * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
EXPORT_LIMIT_ROWS = env_int("WEICHENG_EXPORT_LIMIT_ROWS", 200_000, least=1)
FILES = DATA / "files"

# --- mail: only when configured ------------------------------------------------------------------
EMAIL_HOST = env_text("WEICHENG_MAIL_HOST")
EMAIL_PORT = env_int("WEICHENG_MAIL_PORT", 25, least=1)
EMAIL_HOST_USER = env_text("WEICHENG_MAIL_USER")
EMAIL_HOST_PASSWORD = env_text("WEICHENG_MAIL_PASSWORD")
EMAIL_USE_TLS = env_bool("WEICHENG_MAIL_TLS", False)
DEFAULT_FROM_EMAIL = env_text("WEICHENG_MAIL_FROM", "weicheng@localhost")

# --- map: blank unless a tile address is given ---------------------------------------------------
MAP_TILES = env_text("WEICHENG_MAP_TILES")
MAP_TILES_DATUM = env_text("WEICHENG_MAP_TILES_DATUM", "CGCS2000")

# --- language, time ------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("zh-hant", "繁體中文"), ("en", "English")]
LOCALE_PATHS = [Path(__file__).parent / "locale"]
USE_I18N = True
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

# --- static files and headers --------------------------------------------------------------------
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 31_536_000  # every address carries the file's digest
_tile_host = ["https://" + urlsplit(MAP_TILES).netloc.replace("{s}", "*")] if MAP_TILES else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:", *_tile_host],
        "style-src": ["'self'"],
        "script-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = PRODUCTION and env_bool("WEICHENG_HTTPS", True)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_SSL_REDIRECT else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE_SSL_REDIRECT else None
READ["WEICHENG_HTTPS"] = "1"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env_text("WEICHENG_LOG_LEVEL", "WARNING")},
}
# A name is locked wherever the tries come from: that is stricter than by address, not laxer.
SILENCED_SYSTEM_CHECKS = ["axes.W003", "axes.W006"]
