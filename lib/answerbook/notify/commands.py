"""`answerbook notify …`: each program of the system, and what an operator does beside them.

Each command imports what it needs when it runs: `answerbook` has to start without the packages of
question 2, and in an instant.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from answerbook.config import NotifySettings

if TYPE_CHECKING:
    import psycopg

app = typer.Typer(
    help="Run the notification system's programs. Their settings: ANSWERBOOK_NOTIFY_….",
    no_args_is_help=True,
)


def _run(name: str) -> None:
    """Run a program until SIGTERM. Imported late: each needs libraries that the others do not."""
    import_module(f"answerbook.notify.{name}.program").main(NotifySettings.load())


@app.command()
def api() -> None:
    """Take events over HTTP and write them to Kafka."""
    _run("api")


@app.command()
def render() -> None:
    """Make notifications of events, with Spark."""
    _run("render")


@app.command()
def deliver() -> None:
    """Send notifications to FCM; any number of these share the work."""
    _run("deliver")


@app.command()
def track() -> None:
    """Write what became of events and notifications to PostgreSQL."""
    _run("track")


@app.command()
def emulator() -> None:
    """Answer as Firebase Cloud Messaging would, on this machine."""
    _run("emulator")


@app.command()
def topics() -> None:
    """Make the system's Kafka topics, those that are not there."""
    from answerbook.notify import records
    from answerbook.notify.topics import create_topics

    settings = NotifySettings.load()
    made = create_topics(settings.kafka, records.TOPICS, settings.partitions, settings.replication)
    typer.echo(f"Made: {', '.join(made)}." if made else "All topics are there.")


@app.command()
def emulator_env() -> None:
    """Print the variables that lead a client of FCM to the emulator, for `eval` in a shell."""
    from shlex import quote

    from answerbook.notify.emulator.client_side import environment

    variables = environment(NotifySettings.load())
    if not Path(variables["SSL_CERT_FILE"]).is_file():
        typer.echo("Start it first, in the same folder: answerbook notify emulator", err=True)
        raise typer.Exit(1)
    for name, value in variables.items():
        typer.echo(f"export {name}={quote(value)}")


@app.command()
def key(
    key_id: Annotated[str, typer.Argument(help="1 to 32 of a-z, 0-9 and the hyphen.")],
    rate: Annotated[int, typer.Option(help="Events a second that it may send.")] = 1_000,
    revoke: Annotated[bool, typer.Option("--revoke", help="Refuse it from now on.")] = False,
) -> None:
    """Make a key for the API and show it, once; or revoke it."""
    from answerbook.notify.store.keys import NoSuchKey, create_key, revoke_key

    with _key_store() as connection:
        try:
            if revoke:
                revoke_key(connection, key_id)
                typer.echo(f"Revoked {key_id}; the API refuses it within seconds.", err=True)
            else:
                typer.echo(create_key(connection, key_id, rate))
        except (NoSuchKey, ValueError) as error:
            _refuse(str(error))


@app.command()
def keys() -> None:
    """List the API's keys."""
    from answerbook.notify.store.keys import list_keys

    with _key_store() as connection:
        for listed in list_keys(connection):
            state = f"revoked {listed.revoked_at:%Y-%m-%d}" if listed.revoked_at else "valid"
            typer.echo(f"{listed.key_id}  {listed.events_per_second} events/s  {state}")


@contextmanager
def _key_store() -> Iterator["psycopg.Connection[Any]"]:
    """A connection to the store; what is wrong with it ends the command in a sentence."""
    import psycopg

    try:
        with psycopg.connect(NotifySettings.load().database.get_secret_value()) as connection:
            yield connection
    except psycopg.errors.UndefinedTable:
        _refuse("The database has no tables yet. Make them: `answerbook notify schema`.")
    except psycopg.OperationalError as error:
        _refuse(f"PostgreSQL does not answer at ANSWERBOOK_NOTIFY_DATABASE: {error}")


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)
