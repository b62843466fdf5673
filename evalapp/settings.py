"""All settings, read top to bottom; what differs between installations comes from the environment."""

import tomllib
import warnings
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from evalapp.env import env_bool, env_int, env_list, env_str
from evalapp.runtime import paths

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
HOME = paths.home()
DEBUG = env_bool("EVALAPP_DEBUG", False)


# The secret that signs sessions. `up` writes one beside the data; a production machine sets it.
def _secret_key():
    file = HOME / "secret_key"
    key = env_str("EVALAPP_SECRET_KEY") or (file.read_text().strip() if file.exists() else "")
    if key:
        return key
    if env_str("DATABASE_URL") and not (DEBUG or env_bool("EVALAPP_TESTING", False)):
        raise ImproperlyConfigured("Set EVALAPP_SECRET_KEY to 50 or more random characters.")
    return "only-for-development-and-commands-that-run-before-up-made-a-key"


SECRET_KEY = _secret_key()
SECRET_KEY_FALLBACKS = env_list("EVALAPP_SECRET_KEY_FALLBACKS")

# The public address: links in e-mails, snippets, CSRF origin.
BASE_URL = env_str("EVALAPP_BASE_URL", "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env_list("EVALAPP_ALLOWED_HOSTS", [urlsplit(BASE_URL).hostname, "127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = [BASE_URL]
if BASE_URL.startswith("https://"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = env_int("EVALAPP_HSTS_SECONDS", 3600)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "django_htmx",
    "template_partials.apps.SimpleAppConfig",
    "rest_framework",
    "corsheaders",
    "evalapp.core",
    "evalapp.runtime",
    "evalapp.projects",
    "evalapp.media",
    "evalapp.comments",
    "evalapp.traces",
    "evalapp.scores",
    "evalapp.datasets",
    "evalapp.prompts",
    "evalapp.experiments",
    "annotation",
]
MIDDLEWARE = [
    "evalapp.core.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "evalapp.core.middleware.ChunkedBodyMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "evalapp.core.middleware.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "evalapp.projects.middleware.ProjectMiddleware",
]
ROOT_URLCONF = "evalapp.urls"
WSGI_APPLICATION = "evalapp.wsgi.application"
# The SDKs post to paths without a trailing slash; a redirect would lose their bodies.
APPEND_SLASH = False

_LOADERS = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    _LOADERS if DEBUG else [("django.template.loaders.cached.Loader", _LOADERS)],
                )
            ],
            "builtins": [
                "django.templatetags.static",
                "django_htmx.templatetags.django_htmx",
                "template_partials.templatetags.partials",
                "evalapp.core.templatetags.ui",
                "evalapp.projects.templatetags.access",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# PostgreSQL only. Without DATABASE_URL: the embedded server of this home.
DATABASE_URL = env_str("DATABASE_URL", paths.embedded_database_url(HOME))


def _database(url):
    parts = psycopg.conninfo.conninfo_to_dict(url)
    known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    settings = {known[key]: str(value) for key, value in parts.items() if key in known}
    options = {key: value for key, value in parts.items() if key not in known}
    options["pool"] = {"min_size": 0, "max_size": env_int("EVALAPP_DB_POOL", 16, minimum=1), "timeout": 5}
    return {"ENGINE": "django.db.backends.postgresql", **settings, "OPTIONS": options}


DATABASES = {"default": _database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Celery only wakes workers; the work itself is a row in PostgreSQL (evalapp/core/jobs.py).
CELERY_BROKER_URL = env_str("CELERY_BROKER_URL", paths.embedded_broker_url(HOME))

CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}

# People. Sign-up happens by invitation only.
AUTH_USER_MODEL = "projects.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "evalapp.projects.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_SESSION_REMEMBER = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "evalapp"
MFA_TOTP_TOLERANCE = 1  # a phone's clock may be half a minute off
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ADAPTER = "evalapp.projects.adapters.MFAAdapter"
SOCIALACCOUNT_ADAPTER = "evalapp.projects.adapters.SocialAccountAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
# A link, not a form: form-action of the policy below also holds for where a posted form is redirected to.
SOCIALACCOUNT_LOGIN_ON_GET = True
# Whether somebody whom the identity provider knows and we don't gets an account (in no project).
OIDC_SIGN_UP = env_bool("EVALAPP_OIDC_SIGN_UP", True)


def _oidc_apps(server_url):
    if not server_url:
        return []
    app = {
        "provider_id": "sso",
        "name": env_str("EVALAPP_OIDC_NAME", "single sign-on"),
        "client_id": env_str("EVALAPP_OIDC_CLIENT_ID"),
        "secret": env_str("EVALAPP_OIDC_CLIENT_SECRET"),
        "settings": {"server_url": server_url, "oauth_pkce_enabled": True},
    }
    if not (app["client_id"] and app["secret"]):
        raise ImproperlyConfigured(
            "EVALAPP_OIDC_SERVER_URL needs EVALAPP_OIDC_CLIENT_ID and EVALAPP_OIDC_CLIENT_SECRET."
        )
    return [app]


SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": _oidc_apps(env_str("EVALAPP_OIDC_SERVER_URL"))}}

# E-mail: SMTP when configured, else files under the home, so that a local reset link can be read there.
DEFAULT_FROM_EMAIL = env_str("EVALAPP_EMAIL_FROM", "evalapp@localhost")
if env_str("EVALAPP_SMTP_HOST"):
    EMAIL_HOST = env_str("EVALAPP_SMTP_HOST")
    EMAIL_PORT = env_int("EVALAPP_SMTP_PORT", 587, minimum=1)
    EMAIL_HOST_USER = env_str("EVALAPP_SMTP_USER")
    EMAIL_HOST_PASSWORD = env_str("EVALAPP_SMTP_PASSWORD")
    EMAIL_USE_TLS = env_bool("EVALAPP_SMTP_TLS", True)
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = HOME / "mail"

# Pages: everything from this host, no inline script or style, no exception.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Without collected files (development, tests) the finders serve them unhashed.
STATIC_IS_COLLECTED = (STATIC_ROOT / "staticfiles.json").exists() and not DEBUG
WHITENOISE_USE_FINDERS = not STATIC_IS_COLLECTED
_STATIC_BACKEND = (
    "evalapp.core.staticfiles.BundledStaticFilesStorage"
    if not DEBUG and not env_bool("EVALAPP_TESTING", False)
    else "django.contrib.staticfiles.storage.StaticFilesStorage"
)


# Media and exports: a folder, or S3-compatible storage. Browsers never talk to it, so its bucket stays private.
def _file_storage():
    if not (bucket := env_str("EVALAPP_S3_BUCKET")):
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": HOME / "media"}}
    options = {
        "bucket_name": bucket,
        "access_key": env_str("EVALAPP_S3_ACCESS_KEY") or None,
        "secret_key": env_str("EVALAPP_S3_SECRET_KEY") or None,
        "endpoint_url": env_str("EVALAPP_S3_ENDPOINT") or None,
        "region_name": env_str("EVALAPP_S3_REGION") or None,
        "location": env_str("EVALAPP_S3_PREFIX"),
        "default_acl": None,
        "file_overwrite": True,
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


STORAGES = {
    "default": _file_storage(),
    "staticfiles": {"BACKEND": _STATIC_BACKEND},
}
warnings.filterwarnings("ignore", message="No directory at", module="whitenoise.base")

# An OTLP export may be 64 MiB before compression; forms stay small.
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024
OTLP_MAX_BODY_BYTES = 64 * 1024 * 1024
OTLP_MAX_DECODED_BYTES = 256 * 1024 * 1024
MEDIA_MAX_BYTES = env_int("EVALAPP_MEDIA_MAX_MB", 100, minimum=1) * 1024 * 1024
API_MAX_BODY_BYTES = 32 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["evalapp.projects.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["evalapp.core.api.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["evalapp.core.api.JSONParser"],
    "EXCEPTION_HANDLER": "evalapp.core.api.exception_handler",
    "DEFAULT_THROTTLE_CLASSES": ["evalapp.projects.throttling.KeyThrottle"],
    "DEFAULT_SCHEMA_CLASS": "evalapp.core.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}

# Browsers of any site may send scores with a public key; cookies never count there.
CORS_URLS_REGEX = r"^/api/public/(scores|ingestion)$"
CORS_ALLOW_ALL_ORIGINS = True
CORS_ALLOW_METHODS = ["POST", "OPTIONS"]
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "user-agent",
    "x-langfuse-public-key",
    "x-langfuse-sdk-integration",
    "x-langfuse-sdk-name",
    "x-langfuse-sdk-variant",
    "x-langfuse-sdk-version",
]

# Requests a minute that one API key may make; 0 is without a limit. Exporters and batches count for themselves.
RATE_LIMITS = {
    "api": env_int("EVALAPP_RATE_LIMIT_PER_MINUTE", 6000, minimum=0),
    "ingestion": env_int("EVALAPP_INGESTION_RATE_LIMIT_PER_MINUTE", 60_000, minimum=0),
}

# The OpenAPI document; what the operations are is declared in each app's api_docs.py.
SPECTACULAR_SETTINGS = {
    "TITLE": "evalapp API",
    "DESCRIPTION": "Traces in, scores, datasets, prompts and experiments in and out. The official Langfuse SDKs "
    "and any OpenTelemetry exporter speak it. One API key belongs to one project.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": BASE_URL}],
    "PREPROCESSING_HOOKS": ["evalapp.core.openapi.only_public_api"],
    "POSTPROCESSING_HOOKS": [
        "evalapp.experiments.api_docs.run_paths",
        "evalapp.traces.api_docs.otlp_paths",
        "evalapp.core.openapi.add_errors",
        "evalapp.core.openapi.tidy",
    ],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "keyPair": {
                "type": "http",
                "scheme": "basic",
                "description": "The public key is the user, the secret key the password.",
            },
            "publicKey": {
                "type": "http",
                "scheme": "bearer",
                "description": "The public key alone, for browsers: good for sending scores.",
            },
        }
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SCHEMA_COERCE_PATH_PK": False,
    # A PATCH takes what its serializer says, not everything optional.
    "COMPONENT_SPLIT_PATCH": False,
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

LOG_LEVEL = env_str("EVALAPP_LOG_LEVEL", "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "evalapp.core.logs.ContextFilter"}},
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        }
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["context"]},
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {"django.server": {"handlers": ["stderr"], "level": LOG_LEVEL, "propagate": False}},
}
