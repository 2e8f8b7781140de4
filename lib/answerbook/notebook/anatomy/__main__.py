"""`python -m answerbook.notebook.anatomy`: what is wrong with the sources, for their authors."""

import typer

from answerbook.notebook.anatomy import complaints
from answerbook.notebook.command_line import Names, Question, explained_errors
from answerbook.notebook.source import find


def command(names: Names = None, question: Question = None) -> None:
    """Print what is not as every notebook is; exit code 1 when there is something."""
    failed = False
    with explained_errors():
        for source in find(names or (), question):
            for complaint in complaints(source):
                failed = True
                print(f"{source.path.name}: {complaint}")
    raise typer.Exit(int(failed))


if __name__ == "__main__":
    typer.run(command)
