"""The `answerbook` command: finds what is asked for, and shows what went wrong.

A command's module is imported when it is asked for: to import what the services need takes as long
as to encrypt half a gigabyte, and no command needs the packages of another question.
"""

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

INTERRUPTED = 130


def main() -> None:
    """Run the command; an expected error is one paragraph on standard error and exit code 1."""
    try:
        app()
    except KeyboardInterrupt:
        _complain("Interrupted. What was half started has been ended.")
        sys.exit(INTERRUPTED)
    except Exception as error:
        if not _is_expected(error):
            raise
        _complain(str(error))
        sys.exit(1)


class Commands(TyperGroup):
    """Commands that are there once they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(LOADERS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        # What nobody has heard of is likened to all that there are.
        for load in [LOADERS[cmd_name]] if cmd_name in LOADERS else LOADERS.values():
            self.commands.update(load())
        return self.commands.get(cmd_name)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def answerbook() -> None:
    """Bring Answerbook's services up and down, look at them, and encrypt files."""


@cache
def _services() -> dict[str, Any]:
    from answerbook.service_commands import app

    return _commands_of(app)


@cache
def _load() -> dict[str, Any]:
    from answerbook.load_commands import app

    return _commands_of(app)


@cache
def _notify() -> dict[str, Any]:
    from answerbook.load_commands import million
    from answerbook.notify.commands import app

    app.command()(million)
    group = typer.Typer(add_completion=False)
    group.add_typer(app, name="notify")
    return _commands_of(group)


@cache
def _crypto() -> dict[str, Any]:
    from answerbook.crypto.commands import app

    return _commands_of(app)


LOADERS: dict[str, Callable[[], dict[str, Any]]] = {
    **dict.fromkeys(("up", "down", "status", "logs", "doctor", "env"), _services),
    "load": _load,
    "notify": _notify,
    **dict.fromkeys(("encrypt", "decrypt"), _crypto),
}
"""Command → what imports it, and perhaps others with it; in the order of the help."""


def _commands_of(group: typer.Typer) -> dict[str, Any]:
    command: Any = get_command(group)
    # A group of one command is that command, without a group.
    return dict(command.commands) if isinstance(command, TyperGroup) else {command.name: command}


def _is_expected(error: Exception) -> bool:
    from answerbook.config import SettingsError
    from answerbook.services.errors import ServiceError

    return isinstance(error, (ServiceError, SettingsError))


def _complain(text: str) -> None:
    from rich.console import Console

    complaints = Console(stderr=True)
    complaints.print(text, style="red", highlight=False, markup=False, soft_wrap=True)
