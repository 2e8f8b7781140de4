"""`answerbook notify …`: each program of the system, and what an operator does beside them."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal

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
