"""`manage.py ensure_admin`: the superuser that the environment names."""

import os
import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

TOO_WELL_KNOWN = ("demoproject",)
"""Of tutorials, and not on Django's list of 20,000 common passwords."""


class Command(BaseCommand):
    """The command."""

    help = (
        "Make the superuser SITE_ADMIN_USER (by default admin) with the password "
        "SITE_ADMIN_PASSWORD, or bring them up to date. Without a password, one is made for a user "
        "who is not there yet, and printed once; who is there keeps theirs."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        del args, options
        users = get_user_model().objects
        name = os.environ.get("SITE_ADMIN_USER") or "admin"
        password = os.environ.get("SITE_ADMIN_PASSWORD", "")
        if password and not settings.DEBUG:
            _refuse_common(password)
        user = users.filter(username=name).first()
        if user is None:
            generated = "" if password else secrets.token_urlsafe(15)
            users.create_superuser(
                name, os.environ.get("SITE_ADMIN_EMAIL", ""), password or generated
            )
            self.stdout.write(f"The superuser {name} was made.")
            if generated:
                self.stdout.write(f"Password, shown this once: {generated}")
            return
        changed = not (user.is_superuser and user.is_staff and user.is_active)
        user.is_superuser = user.is_staff = user.is_active = True
        if password and not user.check_password(password):
            user.set_password(password)
            changed = True
        if changed:
            user.save()
        self.stdout.write(
            f"The superuser {name} was {'brought up to date' if changed else 'there'}."
        )


def _refuse_common(password: str) -> None:
    try:
        CommonPasswordValidator().validate(password)
    except ValidationError:
        common = True
    else:
        common = password.lower().strip() in TOO_WELL_KNOWN
    if common:
        raise CommandError(
            "SITE_ADMIN_PASSWORD is a password that everybody tries first. Set another, for "
            "instance what `python3 -c 'import secrets; print(secrets.token_urlsafe(15))'` prints."
        )
