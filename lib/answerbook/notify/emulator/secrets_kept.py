"""Secrets that the emulator generates once and keeps in its folder, each a file of mode 0600."""

import os
import secrets
from pathlib import Path

from pydantic import SecretStr


def keep(path: Path, content: str) -> None:
    """Write a secret so that nobody else can read it at any moment, and none is half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
    new.replace(path)


def control_token(folder: Path, given: SecretStr | None) -> SecretStr:
    """The control API's token: the one given, else that of `control.token`, generated if need be.

    A token that is given is written there too, so that a client on this machine finds it.
    """
    path = folder / "control.token"
    there = path.read_text().strip() if path.exists() else ""
    wanted = given.get_secret_value() if given else there or secrets.token_urlsafe(32)
    if wanted != there or path.stat().st_mode & 0o077:
        keep(path, wanted + "\n")
    return SecretStr(wanted)
