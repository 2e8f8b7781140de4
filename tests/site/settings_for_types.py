"""Settings for the type checker, which wants them without a deployment's environment."""

import os

os.environ.setdefault("SITE_SECRET_KEY", "for the type checker")
os.environ.setdefault("SITE_TLS", "0")
os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")

from project.settings import *  # noqa: F403
