"""Django's settings for the search site; all that differs between machines is in the environment.

DATABASE_URL            postgresql://user:password@host:port/name
SITE_SECRET_KEY         signs sessions; at least 50 random characters, kept secret
SITE_ALLOWED_HOSTS      names that the site answers to, parted by commas
SITE_CSRF_ORIGINS       origins of a proxy in front, as https://search.example.com
SITE_HTTPS              1 where people come by HTTPS: cookies and redirects follow
SITE_RANKER             bm25 (by default) or orm
SITE_STATIC_ROOT        where `manage.py collectstatic` puts what nginx serves
SITE_DEBUG              1 shows errors to everybody: never in production
"""

import os
from pathlib import Path

from project import environment

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = environment.required("SITE_SECRET_KEY", "it signs sessions and forms")
DEBUG = environment.flag("SITE_DEBUG")
ALLOWED_HOSTS = environment.words("SITE_ALLOWED_HOSTS", "127.0.0.1,localhost")
CSRF_TRUSTED_ORIGINS = environment.words("SITE_CSRF_ORIGINS")
RANKER = environment.choice("SITE_RANKER", "bm25", "orm")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "import_export",
    "search",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "search.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
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

HTTPS = environment.flag("SITE_HTTPS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

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
