"""`answerbook notify …`: each program of the system, and what an operator does beside them."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
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


@app.command()
def audit(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")],
    ledger: Annotated[
        Path | None, typer.Option(help="The sender's. Default: RUN.ledger in the folder.")
    ] = None,
    emulator_record: Annotated[
        Path | None, typer.Option(help="Default: accepted.tsv in the folder.")
    ] = None,
    real_fcm: Annotated[
        bool, typer.Option("--real-fcm", help="The emulator had no part in it.")
    ] = False,
    allow_pending: Annotated[
        bool, typer.Option("--allow-pending", help="Notifications may be without a receipt.")
    ] = False,
    no_duplicates: Annotated[
        bool, typer.Option("--no-duplicates", help="FCM may have accepted none twice.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Account for all of a run that has ended; exit code 1 when something is amiss, 2 if it can't.

    The folder is ANSWERBOOK_NOTIFY_FOLDER.
    """
    from rich.console import Console

    from answerbook.notify.audit import CannotAudit, run
    from answerbook.notify.audit.show import as_json as json_of
    from answerbook.notify.audit.show import show

    settings = NotifySettings.load()
    record = emulator_record or settings.folder / "accepted.tsv"
    try:
        report = run(
            settings,
            run_id,
            ledger or settings.folder / f"{run_id}.ledger",
            None if real_fcm else record,
            allow_pending=allow_pending,
            allow_duplicates=not no_duplicates,
        )
    except CannotAudit as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json_of(report))
    else:
        show(report, Console())
    raise typer.Exit(0 if report.balanced else 1)
