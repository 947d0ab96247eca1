"""All settings, read from the environment.

The README's configuration table lists the names and defaults; a test compares the two. A file
named by CLIPSITE_ENV_FILE (or `.env` beside manage.py) may hold the same names.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from clipsite import __version__, admin_colours
from gallery import task_names

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(env.str("CLIPSITE_ENV_FILE", str(BASE_DIR / ".env")))

# --- The site -----------------------------------------------------------------

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "insecure-development-key" if DEBUG else "")
# The rule of Django's own check (security.W009), which only warns.
if not DEBUG and (
    len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5 or SECRET_KEY.startswith("django-insecure-")
):
    raise ImproperlyConfigured(
        "Set SECRET_KEY to a long random text of at least 50 characters, for example from: "
        "openssl rand -base64 48 (or DEBUG=1 while developing)."
    )
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / "data"))).resolve()

# Set this if a proxy in front speaks HTTPS. Plain HTTP is then redirected, and cookies are sent
# only over HTTPS.
HTTPS = env.bool("HTTPS", False)
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000
    # No other host may set these cookies, not even one under the same domain.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-django_language"
# HSTS covers only the site's own name. This site cannot promise browsers, or their preload list,
# that other names under the domain speak HTTPS.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "knox",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "pgvector.django",
    "gallery",
]

MIDDLEWARE = [
    "gallery.web.middleware.PrivateAnswersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "gallery.web.middleware.ThumbnailMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "gallery.web.middleware.CompressionMiddleware",
    "clipsite.csp.PolicyMiddleware",
    "gallery.web.origin.OriginMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "gallery.web.accounts.language.AccountLanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "gallery.web.middleware.RefusalMiddleware",
    "gallery.web.middleware.RequesterMiddleware",
]

ROOT_URLCONF = "clipsite.urls"
WSGI_APPLICATION = "clipsite.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gallery.web.context_processors.site",
            ],
            "builtins": ["gallery.templatetags.inclusion"],
        },
    },
]

# Nothing comes from another server. `data:` images are the blur placeholders, `blob:` images the
# previews of pictures before their upload. clipsite.csp adds what the admin needs.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # The nonce is for the one inline script, the import map of base.html.
        "script-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:"],
        "style-src": [SELF, "'unsafe-inline'"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# --- Database, broker, cache --------------------------------------------------

DATABASES = {
    "default": {
        **env.db("DATABASE_URL", "postgres://clipsite:clipsite@127.0.0.1:5432/clipsite"),
        "ENGINE": "clipsite.database",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DATABASES["default"].setdefault("OPTIONS", {}).update(
    {
        "connect_timeout": 5,
        # JIT costs more than it saves on queries of a few milliseconds. plan_cache_mode affects
        # only gallery/prepared.py: nothing else binds parameters on the server.
        "options": "-c jit=off -c plan_cache_mode=force_generic_plan",
        "prepare_threshold": 0,
    }
)

REDIS_URL = env.str("REDIS_URL", "redis://127.0.0.1:6379/0")
_CACHE = {
    "BACKEND": "django_redis.cache.RedisCache",
    "LOCATION": REDIS_URL,
    "KEY_PREFIX": "clipsite",
}
_CACHE_OPTIONS = {
    "CLIENT_CLASS": "clipsite.cache.PlainClient",
    "SERIALIZER": "django_redis.serializers.msgpack.MSGPackSerializer",
    "SOCKET_CONNECT_TIMEOUT": 1,  # seconds
    "SOCKET_TIMEOUT": 2,
}
CACHES = {
    # While it is down, sign-in, throttles and uploads still work.
    "default": {
        **_CACHE,
        "BACKEND": "clipsite.cache.ForgivingCache",
        "OPTIONS": {**_CACHE_OPTIONS, "IGNORE_EXCEPTIONS": True},
    },
    # The same server for data that exists nowhere else: if it is down, a read raises and does
    # not look like a missing key.
    "strict": {**_CACHE, "OPTIONS": _CACHE_OPTIONS},
}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "visibility_timeout": 300,
    "global_keyprefix": "clipsite:",
    # A message to a broker that is down fails at once, and not after a wait of six seconds.
    # Workers keep trying to reconnect.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A failure of the broker shows at once; the sweep replaces lost messages.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "chores"
CELERY_TASK_ROUTES = {
    "gallery.tasks.encode_*": {"queue": "query"},
    "gallery.tasks.index_*": {"queue": "index"},
    "gallery.tasks.prepare_*": {"queue": "index"},
    "gallery.tasks.analyse_*": {"queue": "media"},
    "gallery.tasks.*": {"queue": "chores"},
}
# The interval at which each worker looks for waiting work (gallery/sweep.py).
SWEEP_SECONDS = env.float("CLIPSITE_SWEEP_SECONDS", 15.0)
CELERY_BEAT_SCHEDULE = {
    "expire-uploads": {
        "task": task_names.EXPIRE_UPLOADS,
        "schedule": timedelta(minutes=10),
        "options": {"expires": 300},
    },
    "maintain-map": {
        "task": task_names.MAINTAIN_MAP,
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "request-recall": {
        "task": task_names.REQUEST_RECALL,
        "schedule": crontab(day_of_week="sunday", hour="4", minute="20"),
        "options": {"expires": 3600},
    },
    "forget-expired": {
        "task": task_names.FORGET_EXPIRED,
        "schedule": crontab(hour="3", minute="40"),
        "options": {"expires": 3600},
    },
    "purge-trash": {
        "task": task_names.PURGE_TRASH,
        "schedule": timedelta(hours=6),
        "options": {"expires": 3600},
    },
    "forget-security-events": {
        "task": task_names.FORGET_SECURITY_EVENTS,
        "schedule": crontab(hour="3", minute="40"),
        "options": {"expires": 3600},
    },
}

# --- Users and sign-in --------------------------------------------------------

AUTH_USER_MODEL = "gallery.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    *(
        {"NAME": f"django.contrib.auth.password_validation.{name}"}
        for name in (
            "UserAttributeSimilarityValidator",
            "MinimumLengthValidator",
            "CommonPasswordValidator",
            "NumericPasswordValidator",
        )
    ),
    {"NAME": "gallery.accounts.passwords.NamesValidator", "OPTIONS": {"names": ["clipsite"]}},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = env.str("EMAIL_VERIFICATION", "none")
ACCOUNT_ADAPTER = "gallery.web.accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "gallery.web.forms.LoginForm",
    "signup": "gallery.web.forms.SignupForm",
    "add_email": "gallery.web.forms.ChangeEmailForm",
    "change_password": "gallery.web.forms.ChangePasswordForm",
    "reset_password": "gallery.web.forms.ResetPasswordForm",
    "reset_password_from_key": "gallery.web.forms.ResetPasswordKeyForm",
}
ACCOUNT_CHANGE_EMAIL = True
# The email address can open the account, so its change needs the password again.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
# Limits for wrong passwords and codes (gallery/accounts/attempts.py): for an address, for an
# account at an address, and for an account at all addresses that are new to it.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/m/ip,5/5m/key,20/h/key",
    "login_failed_elsewhere": "100/h/key",
}
ACCOUNT_SESSION_REMEMBER = True
# The owner gets a mail when the password, the address or a second factor changes.
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"

MFA_ADAPTER = "gallery.web.accounts.adapters.SecondFactorAdapter"
MFA_FORMS = {"add_webauthn": "gallery.web.accounts.passkey_forms.AddPasskeyForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Clipsite"
# If addresses are never verified, nobody could have a second factor otherwise.
MFA_ALLOW_UNVERIFIED_EMAIL = ACCOUNT_EMAIL_VERIFICATION == "none"

# Who may create an account: everybody ("open"), or only people with an invitation. With
# "invitation" the pages tell visitors to ask for one, with "closed" they do not.
REGISTRATION = env.str("REGISTRATION", "open")
if REGISTRATION not in {"open", "invitation", "closed"}:
    raise ImproperlyConfigured("Set REGISTRATION to open, invitation or closed.")

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Clipsite <clipsite@localhost>")
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_FILE_PATH = env.str("EMAIL_FILE_PATH", str(DATA_DIR / "mail"))

# --- API ----------------------------------------------------------------------

# The number of proxies in front that set X-Forwarded-For. With a number too high, a client could
# write its own header and look like another client in every request.
PROXY_COUNT = env.int("PROXY_COUNT", 0)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "gallery.api.authentication.TokenAuthentication",
        "gallery.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_RENDERER_CLASSES": ["gallery.api.renderers.JSONRenderer"],
    "DEFAULT_METADATA_CLASS": "gallery.api.metadata.Metadata",
    "DEFAULT_SCHEMA_CLASS": "gallery.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "DEFAULT_THROTTLE_CLASSES": ["gallery.api.throttles.RequestThrottle"],
    "NUM_PROXIES": PROXY_COUNT,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
# Rate limits that pages and API share (gallery.rate_limits): for each account, or for the
# address of a visitor.
LIMITS = {
    "login": env.str("THROTTLE_LOGIN", "30/min"),
    "upload": env.str("THROTTLE_UPLOAD", "6000/min"),
    "search": env.str("THROTTLE_SEARCH", "120/min"),
    "classify": env.str("THROTTLE_CLASSIFY", "20/min"),
    "anonymous": env.str("THROTTLE_ANONYMOUS", "1200/min"),
}
# Lower limits for visitors.
VISITOR_LIMITS = {
    "search": env.str("THROTTLE_VISITOR_SEARCH", "30/min"),
    "classify": env.str("THROTTLE_VISITOR_CLASSIFY", "5/min"),
}
KNOX_TOKEN_MODEL = "knox.AuthToken"  # noqa: S105 - a model, no password
REST_KNOX = {
    "TOKEN_TTL": timedelta(days=env.int("TOKEN_DAYS", 30)),
    "AUTO_REFRESH": False,
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "gallery.api.errors.ExceptionHandler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Clipsite API",
    "DESCRIPTION": "Store pictures, find them by meaning, classify them by category names.",
    "VERSION": __version__,
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "StateEnum": ["pending", "ready", "failed"],
        "RoleEnum": "gallery.models.User.Role",
        "ShareRoleEnum": "gallery.models.AlbumRole",
        "TokenScopeEnum": "gallery.models.ApiToken.Scope",
        "InvitationStateEnum": ["open", "used", "revoked", "expired"],
        "ImportStateEnum": "gallery.models.ImportBatch.State",
        "ImportKindEnum": "gallery.models.ImportBatch.Kind",
        "LinkKindEnum": ["album", "image"],
        "MapStateEnum": ["too_few", "waiting", "building", "ready", "failed"],
    },
}

# --- Files --------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", str(BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = env.str("MEDIA_ROOT", str(DATA_DIR / "media"))
S3_BUCKET = env.str("S3_BUCKET", "")
STORAGES = {
    "default": (
        {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": S3_BUCKET,
                "endpoint_url": env.str("S3_ENDPOINT_URL", "") or None,
                "default_acl": "private",
                "file_overwrite": True,
            },
        }
        if S3_BUCKET
        else {"BACKEND": "gallery.library.storage.DurableFileSystemStorage"}
    ),
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "clipsite.static_files.HashedStaticFilesStorage"
        )
    },
}
# nginx's internal location of MEDIA_ROOT ("/protected/"). If set, nginx sends files after our
# permission check, through X-Accel-Redirect.
ACCEL_REDIRECT_PREFIX = env.str("ACCEL_REDIRECT_PREFIX", "")
# The key that signs thumbnail addresses, which work without a session for some minutes. nginx
# checks them with the same key. Without it, only the web process sends thumbnails.
THUMBNAIL_SECRET = env.str("THUMBNAIL_SECRET", "")

MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_BYTES", 100 * 1024 * 1024)
MAX_PIXELS = env.int("MAX_PIXELS", 150_000_000)
# The default quotas of an account; its row may override them. 0 means no limit.
QUOTA_BYTES = env.int("QUOTA_BYTES", 0)
QUOTA_IMAGES = env.int("QUOTA_IMAGES", 0)
# The folder of partial uploads, on a local disk and never in the storage of the pictures. All
# web processes and workers for chores must share it.
UPLOAD_DIR = env.str("UPLOAD_DIR", str(DATA_DIR / "uploads"))
UPLOAD_EXPIRY_DAYS = env.int("UPLOAD_EXPIRY_DAYS", 7)
MAX_UNFINISHED_UPLOADS = env.int("MAX_UNFINISHED_UPLOADS", 2_000)
# Threads of a web process that may wait for uploads: of all clients, and of one account. The
# other threads serve everything else.
UPLOADS_AT_ONCE = (env.int("WEB_THREADS", 16) + 1) // 2
UPLOADS_AT_ONCE_EACH = max(1, min(2, UPLOADS_AT_ONCE - 1))
MAX_ZIP_BYTES = env.int("MAX_ZIP_BYTES", 10 * 1024**3)
MAX_ZIP_ENTRIES = env.int("MAX_ZIP_ENTRIES", 10_000)
FILE_UPLOAD_HANDLERS = [
    "gallery.library.upload_handler.SizeLimitUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_PERMISSIONS = 0o640
# The form of a label set has five fields for each of its categories.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6_000
TRASH_DAYS = env.int("TRASH_DAYS", 30)
# How many days security events are kept.
SECURITY_EVENT_DAYS = env.int("SECURITY_EVENT_DAYS", 180)

# --- Model, indexing, search --------------------------------------------------

# The first embedding space of a new installation. The admin or `manage.py spaces` adds others.
CLIPSITE_MODEL = env.str("CLIPSITE_MODEL", "starter")
CLIPSITE_PRETRAINED = env.str("CLIPSITE_PRETRAINED", "")
CLIPSITE_DEVICE = env.str("CLIPSITE_DEVICE", "auto")
CLIPSITE_PRECISION = env.str("CLIPSITE_PRECISION", "auto")
INDEX_BATCH_SIZE = env.int("INDEX_BATCH_SIZE", 0)  # 0: by device
INDEX_LEASE_SECONDS = env.int("INDEX_LEASE_SECONDS", 300)

QUERY_TIMEOUT_SECONDS = env.float("QUERY_TIMEOUT_SECONDS", 10.0)
# Scopes up to this many pictures are searched exactly (see docs/decisions).
EXACT_SEARCH_LIMIT = env.int("EXACT_SEARCH_LIMIT", 2_000)
# The memory for building a vector index in PostgreSQL. An index that fits (about 1.7 kB for each
# picture with 512 dimensions) is built several times as fast.
INDEX_BUILD_MEMORY = env.str("INDEX_BUILD_MEMORY", "1GB")

# --- Language and time --------------------------------------------------------

LANGUAGE_CODE = env.str("LANGUAGE_CODE", "en")
# Each language in itself: who looks for theirs may not read the others.
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "clipsite.formats"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

# --- Logging ------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        **{name: {"level": "WARNING"} for name in ("PIL", "httpx", "pyvips")},
        "clipsite.security": {"level": "INFO"},  # whatever LOG_LEVEL says
    },
}

# --- Admin --------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "Clipsite",
    "SITE_HEADER": "Clipsite",
    "SITE_SYMBOL": "photo_library",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "gallery.admin.dashboard.favicon"}
    ],
    "STYLES": ["gallery.admin.dashboard.style_sheet"],
    "SCRIPTS": ["gallery.admin.dashboard.script"],
    "COLORS": {"primary": admin_colours.ACCENT, "base": admin_colours.GREYS},
    "SHOW_LANGUAGES": True,
    "DASHBOARD_CALLBACK": "gallery.admin.dashboard.dashboard",
    "SIDEBAR": {"navigation": "gallery.admin.dashboard.navigation"},
}
