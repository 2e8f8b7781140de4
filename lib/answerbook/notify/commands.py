"""`answerbook notify …`: each program of the system, and what an operator does beside them.

Each command imports what it needs when it runs: `answerbook` has to start without the packages of
question 2, and in an instant.
"""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal

import typer

from answerbook.config import NotifySettings
from answerbook.notify.store.commands import app as of_the_store

app = typer.Typer(
    help="Run the notification system's programs. Their settings: ANSWERBOOK_NOTIFY_….",
    no_args_is_help=True,
)
app.add_typer(of_the_store)


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


@app.command()
def subscribe(
    topic: Annotated[str | None, typer.Argument(help="FCM topic.")] = None,
    tokens: Annotated[list[str] | None, typer.Argument(help="Devices' tokens.")] = None,
    file: Annotated[Path | None, typer.Option(help="Tokens, one a line.")] = None,
    sync: Annotated[bool, typer.Option(help="All subscriptions of the store.")] = False,
) -> None:
    """Subscribe devices to an FCM topic."""
    _change_topics("subscribe", topic, tokens or [], file, sync)


@app.command()
def unsubscribe(
    topic: Annotated[str, typer.Argument(help="FCM topic.")],
    tokens: Annotated[list[str] | None, typer.Argument(help="Devices' tokens.")] = None,
    file: Annotated[Path | None, typer.Option(help="Tokens, one a line.")] = None,
) -> None:
    """Unsubscribe devices from an FCM topic."""
    _change_topics("unsubscribe", topic, tokens or [], file, False)


def _change_topics(
    what: Literal["subscribe", "unsubscribe"],
    topic: str | None,
    tokens: list[str],
    file: Path | None,
    sync: bool,
) -> None:
    from tqdm import tqdm

    from answerbook.notify.deliver.topics import change, wanted

    settings = NotifySettings.load()
    if sync == (topic is not None):
        raise typer.BadParameter("Give a topic and tokens, or --sync.")
    if file is not None:
        tokens = tokens + file.read_text().split()
    pairs = wanted(settings) if sync else [(str(topic), token) for token in tokens]
    with tqdm(total=len(pairs), unit=" tokens", disable=None) as bar:
        changed = change(settings, what, pairs, bar.update)
    for (name, token), code in changed.failed.items():
        typer.echo(f"{name}\t{token}\t{code}", err=True)
    typer.echo(f"{what}: {changed.done} done, {len(changed.failed)} failed.")
    if changed.failed:
        raise typer.Exit(1)


@app.command()
def replay(
    run: Annotated[str | None, typer.Option(help="Only dead letters of this run.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only those with this reason.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    ttl: Annotated[int | None, typer.Option(min=1, help="Seconds to live, from now.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Only tell what would be sent.")] = False,
) -> None:
    """Send dead letters of delivery again, each once."""
    from answerbook.notify.deliver.replay import Wanted
    from answerbook.notify.deliver.replay import replay as send_again

    wanted = Wanted(run, reason, limit, ttl)
    replayed = send_again(NotifySettings.load(), wanted, dry_run=dry_run)
    for name, count in sorted(replayed.sent.items()):
        typer.echo(f"{name}: {count}")
    for name, count in sorted(replayed.unreadable.items()):
        typer.echo(f"{name}: {count} cannot be read, and stay")
    verb = "would be sent" if dry_run else "sent"
    typer.echo(f"{replayed.sent.total()} {verb} again.")
