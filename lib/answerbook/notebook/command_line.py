"""What the commands on notebooks (run, publish, anatomy, work) have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console

from answerbook.config import Profile, SettingsError
from answerbook.notebook.source import NotebookError
from answerbook.services import ServiceError

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]…", help="Such as 1_1_rest; all by default.", show_default=False),
]
Question = Annotated[
    str | None, typer.Option("--question", "-q", help="Only this question's notebooks: 1, 2, 3, 5.")
]
WithProfile = Annotated[
    Profile | None, typer.Option("--profile", help="Instead of ANSWERBOOK_PROFILE.")
]

INTERRUPTED = 130


@contextmanager
def explained_errors() -> Iterator[None]:
    """Turn an expected error into a paragraph and exit code 1, and Ctrl-C into a line and 130."""
    complaints = Console(stderr=True)
    try:
        yield
    except (NotebookError, ServiceError, SettingsError) as error:
        complaints.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        complaints.print("Interrupted. The kernel and the services it used have been ended.")
        raise typer.Exit(INTERRUPTED) from None
