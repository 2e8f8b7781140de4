"""Django's settings for the search site; all that differs between machines is in the environment.

DATABASE_URL            postgresql://user:password@host:port/name
SITE_SECRET_KEY         signs sessions; at least 50 random characters, kept secret
SITE_ALLOWED_HOSTS      names that the site answers to, parted by commas
SITE_CSRF_ORIGINS       origins of a proxy in front, as https://search.example.com
SITE_TLS                0 where nobody comes by HTTPS: on loopback alone. By default redirects,
                        Secure cookies and HSTS
SITE_HSTS_SECONDS       how long browsers insist on HTTPS: 3600; a year is 31536000, and nobody
                        can take it back, so raise it when HTTPS has worked for a while
SITE_RANKER             bm25 (by default) or orm
SITE_CHAMPIONS_FROM     documents from which a word counts as frequent: 2000; and
SITE_CHAMPIONS_LENGTH   how many of its best are kept beside it: 10000
SITE_DEFAULT_CORPUS     0 where only documents of one's own are to be there: by default each start
                        brings those that the site ships up to date
SITE_SEARCH_SECONDS     what one search may take before it is told to be too broad: 3
SITE_ANALYTICS_DAYS     how long searches are remembered, without who asked: 30; 0 for never
SITE_DOCUMENTS_URL      where documents are whose address begins with a slash; without it the
                        site shows them itself
SITE_EXAMPLES           searches that the home page proposes, parted by commas
SITE_STATIC_ROOT        where `manage.py collectstatic` puts what nginx serves
SITE_DEBUG              1 shows errors to everybody: never in production
"""

import os
from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF

from project import environment

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = environment.required("SITE_SECRET_KEY", "it signs sessions and forms")
DEBUG = environment.flag("SITE_DEBUG")
ALLOWED_HOSTS = environment.words("SITE_ALLOWED_HOSTS", "127.0.0.1,localhost")
CSRF_TRUSTED_ORIGINS = environment.words("SITE_CSRF_ORIGINS")
RANKER = environment.choice("SITE_RANKER", "bm25", "orm")
CHAMPIONS_FROM = environment.number("SITE_CHAMPIONS_FROM", 2_000)
CHAMPIONS_LENGTH = environment.number("SITE_CHAMPIONS_LENGTH", 10_000)
DEFAULT_CORPUS = environment.flag("SITE_DEFAULT_CORPUS", default=True)
SEARCH_SECONDS = environment.number("SITE_SEARCH_SECONDS", 3)
ANALYTICS_DAYS = environment.number("SITE_ANALYTICS_DAYS", 30)
EXAMPLES = environment.words("SITE_EXAMPLES", 'quorum queue, "event loop", socket timeout, hash*')
DOCUMENTS_URL = os.environ.get("SITE_DOCUMENTS_URL", "").rstrip("/")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "axes",
    "csp",
    "django_htmx",  # for the copy of htmx in it
    "import_export",
    "search",
]
MIDDLEWARE = [
    "search.metrics.Measured",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "search.middleware.Isolated",
    "search.middleware.Problems",
    "search.middleware.Probes",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # has to be the last
]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "search" / "templates"],  # before the admin's of the same name
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": environment.database(
        environment.required("DATABASE_URL", "the documents are in a PostgreSQL database")
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

PASSWORD_HASHERS = [
    f"django.contrib.auth.hashers.{name}"
    for name in ("Argon2PasswordHasher", "PBKDF2PasswordHasher")
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# Whoever guesses waits; somebody else with the same name, from elsewhere, does not.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "429.html"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

TLS = environment.tls(ALLOWED_HOSTS)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = TLS
SESSION_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = environment.number("SITE_HSTS_SECONDS", 3_600) if TLS else 0
SECURE_SSL_REDIRECT = TLS
# Who asks these asks the container, not the name that the certificate is for: search.middleware.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
# nginx sets it itself, by what a trusted proxy says: docker/nginx.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TLS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# HSTS for all of a domain, and in browsers' own lists, is its owner's decision, not a site's.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# No page has a script or a style within it, so none is allowed: not by a nonce either.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = os.environ.get("SITE_STATIC_ROOT") or BASE_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # Names that hold the content's hash, which nginx lets browsers keep for a year.
        "BACKEND": "django.contrib.staticfiles.storage."
        + ("StaticFilesStorage" if DEBUG else "ManifestStaticFilesStorage")
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
