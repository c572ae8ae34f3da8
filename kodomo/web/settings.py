"""Django's settings of the casework site; the only place that reads the environment (casework side)."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo

from csp.constants import NONE, SELF

from kodomo.assessment.keys import keys
from kodomo.configuration import SHIPPED_MUNICIPALITIES, Home, read_municipality
from kodomo.governance.databases import database_of
from kodomo.vault.database import database_setting

HOME = Home(Path(os.environ.get("KODOMO_HOME") or "var").resolve())
MUNICIPALITY = read_municipality(Path(os.environ.get("KODOMO_MUNICIPALITY") or SHIPPED_MUNICIPALITIES / "hinata"))

DEBUG = False
SECRET_KEY = keys(HOME)["secret"].hex()
# Names under which the site may be addressed; `serve --host` adds its own.
ALLOWED_HOSTS = ["127.0.0.1", "localhost", *MUNICIPALITY.extras.get("web", {}).get("hosts", ())]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_otp",
    "axes",
    "csp",
    "django_htmx",
    "kodomo.vault",
    "kodomo.assessment",
    "kodomo.support",
    "kodomo.operations",
    "kodomo.web",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # Pages and style sheets leave packed. Each answer has padding of its own and each form its own mask of the secret,
    # so the packed length tells nobody on the line what a page holds (BREACH).
    "django.middleware.gzip.GZipMiddleware",
    "kodomo.web.headers.Headers",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "kodomo.web.gate.Gate",
    # Last, as django-axes asks: it turns the answer to a locked-out sign-in into its own page.
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "kodomo.web.urls"
WSGI_APPLICATION = None

DATABASES = {
    "default": database_of(HOME, "casework", HOME.casework / "casework.sqlite3"),
    "vault": database_setting(HOME),
}
DATABASE_ROUTERS = ["kodomo.vault.database.VaultRouter"]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request", "kodomo.web.frame.frame"]},
    }
]

LANGUAGE_CODE = "ja"
TIME_ZONE = "Asia/Tokyo"
LOCAL_ZONE = ZoneInfo(TIME_ZONE)
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 365 * 24 * 3600  # an address changes with its file's content
STORAGES = {"staticfiles": {"BACKEND": "kodomo.web.static_files.VersionedFiles"}}
WHITENOISE_ALLOW_ALL_ORIGINS = False

# Signing in ---------------------------------------------------------------------------------

AUTH_USER_MODEL = "web.Staff"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["kodomo.web.hashing.OfficeArgon2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "sign-in"

OTP_TOTP_ISSUER = "こどもみらい"

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
# By account, not by address: a whole office may stand behind one address, or one PC serve everybody.
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "kodomo.web.sign_in.locked_out"
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "kodomo_session"
SESSION_COOKIE_AGE = 30 * 60  # without a click for so long: signed out
SESSION_SAVE_EVERY_REQUEST = False  # the gate puts the end off, once a minute: a write less for each page
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
LONGEST_SESSION_HOURS = 10

CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "kodomo.web.errors.csrf_failure"

# A site behind the municipality's own TLS says so in settings.toml; on 127.0.0.1 there is none.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = bool(MUNICIPALITY.extras.get("web", {}).get("https", False))

# What a browser may do with a page -----------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_HANDLERS = ["kodomo.operations.uploads.BoundedUpload"]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"words": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "formatters": {
        "plain": {"()": "kodomo.web.logs.NoValues", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "root": {"handlers": ["words"], "level": "WARNING"},
    "loggers": {
        # Refusals are audited; the log is for faults of the product.
        "django.request": {"handlers": ["words"], "level": "ERROR", "propagate": False},
        "axes": {"level": "CRITICAL"},
    },
}
SILENCED_SYSTEM_CHECKS = ["axes.W006"]  # locking by account alone is meant, see above
