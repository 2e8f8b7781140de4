"""`manage.py prepare`: what has to be done before the site starts, in one process.

Django takes longer to start than any of these takes where there is nothing to do.
"""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

STEPS: dict[str, dict[str, Any]] = {
    "migrate": {"interactive": False},
    "collectstatic": {"interactive": False, "clear": True, "verbosity": 0},
    "load_default_corpus": {},
    "ensure_admin": {},
}


class Command(BaseCommand):
    """The command."""

    help = f"{', '.join(STEPS)}; each does nothing where it is done."

    def handle(self, *args: Any, **options: Any) -> None:
        del args, options
        for name, wanted in STEPS.items():
            if name != "load_default_corpus" or settings.DEFAULT_CORPUS:
                call_command(name, **wanted)
