"""`answerbook notify …`: each program of the system, and what an operator does beside them."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated

import typer

from answerbook.config import NotifySettings
from answerbook.notify import records

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
    from answerbook.notify.topics import create_topics

    settings = NotifySettings.load()
    made = create_topics(settings.kafka, records.TOPICS, settings.partitions, settings.replication)
    typer.echo(f"Made: {', '.join(made)}." if made else "All topics are there.")


@app.command()
def schema() -> None:
    """Make the store's tables, those that are not there."""
    from answerbook.notify.store.schema import apply

    with _database_errors():
        changed = apply(NotifySettings.load().database.get_secret_value())
    typer.echo("Made the tables." if changed else "All tables are there.")


@app.command()
def seed(
    users: Annotated[int, typer.Option(min=1, help="How many; replaces another number.")] = 100_000,
) -> None:
    """Fill the store with invented users, the same ones each time."""
    from tqdm import tqdm

    from answerbook.notify.store.seed import seed

    with _database_errors(), tqdm(total=users, unit="users", leave=False) as bar:

        def written(count: int) -> None:
            bar.update(count - bar.n)

        seeded = seed(NotifySettings.load().database.get_secret_value(), users, written)
    typer.echo(
        f"{'Made' if seeded.changed else 'All there'}: {seeded.users:,} users"
        f" with {seeded.devices:,} devices."
    )


@contextmanager
def _database_errors() -> Iterator[None]:
    """One paragraph where the store is not there, or has no tables yet."""
    import psycopg

    try:
        yield
    except psycopg.OperationalError as error:
        typer.echo(f"PostgreSQL: {error}. Its address: ANSWERBOOK_NOTIFY_DATABASE.", err=True)
        raise typer.Exit(1) from None
    except psycopg.errors.UndefinedTable:
        typer.echo("The tables are not there. Make them: `answerbook notify schema`.", err=True)
        raise typer.Exit(1) from None
