"""`answerbook load` and `answerbook notify million`: load on the system, from a terminal.

Registered by cli.py. What they need of question 2 is imported late: without it the other commands
work.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from answerbook import services
from answerbook.config import Settings

if TYPE_CHECKING:
    from answerbook.load.measured import Whole
    from answerbook.load.run import LoadTest
    from answerbook.million import Million

app = typer.Typer()
console = Console()
complaints = Console(stderr=True)
INTERRUPTED = 130
ShapeName = Literal["steady", "spike", "soak", "ramp"]

Key = Annotated[
    str,
    typer.Option(
        envvar="ANSWERBOOK_NOTIFY_API_KEY",
        help="Of the API; the variable shows in no list of processes. Default: that of the system "
        "that runs here.",
        show_default=False,
    ),
]
Ledger = Annotated[
    Path | None, typer.Option(help="Its folder. Default: the system's, or one in the state folder.")
]
Run = Annotated[str, typer.Option(help="The run's id. Default: a new one.", show_default=False)]


@app.command()
def load(
    shape: Annotated[ShapeName, typer.Argument(help="A million an hour; a spike of ten times.")],
    host: Annotated[
        str,
        typer.Option(
            envvar="ANSWERBOOK_NOTIFY_API_URL",
            help="The API's address. Default: that of the system that runs here.",
            show_default=False,
        ),
    ] = "",
    key: Key = "",
    run: Run = "",
    seconds: Annotated[float | None, typer.Option(min=0.1, help="How long.")] = None,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="Events a second. Default: a million an hour.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, max=1_000, help="Events of a request.")] = 1,
    pool: Annotated[int, typer.Option(min=1, help="Requests under way, at most.")] = 200,
    users: Annotated[
        int | None, typer.Option(min=1, help="That the store has. Default: all, or 20,000.")
    ] = None,
    ledger: Ledger = None,
    as_json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write what was measured.")
    ] = None,
    page: Annotated[bool, typer.Option("--page", help="Open Locust's page instead.")] = False,
) -> None:
    """Send events at times that do not depend on the answers; steady, spike, soak or ramp.

    Latency counts from when a request was due. Ctrl-C ends it early, with what was measured.
    """
    services.fetch_packages("notify")  # before what is imported of them
    from answerbook.load.events import USERS, new_run_id
    from answerbook.load.run import Load, LoadFailed, LoadTest

    if not host:
        system = services.require("notify")
        host, key, ledger = system.url, key or system.api_key, ledger or system.ledger_folder
        users = users or _users(system)
    folder = ledger or Settings.load().state_folder / "load"
    run_id = run or new_run_id(shape)
    wanted = Load(host, shape, folder, seconds, rate, batch, pool, users or USERS, run_id)
    try:
        with LoadTest(wanted, key, page=page) as test:
            if page:
                _show_page(test)
                return
            interrupted = _follow(test)
            whole = test.whole
    except LoadFailed as error:
        _fail(str(error))
    if as_json:
        measured = {"whole": asdict(whole), "seconds": [asdict(each) for each in test.seconds]}
        as_json.write_text(json.dumps(measured, indent=1) + "\n")
    _show_whole(whole)
    if interrupted or not whole.accepted:
        raise typer.Exit(INTERRUPTED if interrupted else 1)


def million(
    events: Annotated[int, typer.Option(min=1, help="How many.")] = 1_000_000,
    rate: Annotated[float, typer.Option(min=0, help="Events a second. 0: the most.")] = 0.0,
    run: Run = "",
    batch: Annotated[int, typer.Option(min=1, max=1_000, help="Events of a request.")] = 250,
    connections: Annotated[int, typer.Option(min=1, help="To the API, at most.")] = 8,
    audit: Annotated[bool, typer.Option(help="Account for each of them afterwards.")] = True,
) -> None:
    """Send a million events through the system that runs here, watch them, and audit the run.

    Starts the system if it is not up. Exit code 1 when the audit does not balance.
    """
    services.fetch_packages("notify")
    from answerbook.load.events import new_run_id
    from answerbook.load.sending import SendingFailed
    from answerbook.load.sent import Plan
    from answerbook.million import Million, StandsStill
    from answerbook.notify.audit import CannotAudit

    system = services.require("notify")
    run_id = run or new_run_id("million")
    plan = Plan(system.url, run_id, system.ledger_folder, events, rate, batch, connections)
    try:
        with Million(system, plan, users=_users(system)) as under_way:
            interrupted = _watch(under_way)
            outcome = under_way.outcome()
            if outcome.totals.reasons:
                complaints.print(f"Refused: {outcome.totals.reasons}")
            report = under_way.audit() if audit else None
    except (SendingFailed, StandsStill, CannotAudit) as error:
        _fail(str(error))
    console.print(outcome.summary(report), highlight=False, soft_wrap=True)
    if report is not None and not report.balanced:
        for found in report.findings:
            if found.fails:
                complaints.print(f"{found.total:,} {found.says}: {', '.join(found.ids)}")
        raise typer.Exit(1)
    if interrupted or outcome.totals.unanswered:
        raise typer.Exit(INTERRUPTED if interrupted else 1)


def _users(system: services.Notify) -> int:
    """That the system's store has."""
    with system.postgres.connect() as connection:
        row = connection.execute("SELECT count(*) FROM users").fetchone()
    return int(row[0]) if row else 0


# -- while it runs -------------------------------------------------------------------------------


def _follow(test: "LoadTest") -> bool:
    """Draw a line for each second; whether it was interrupted."""
    from answerbook.notebook.load import line

    interrupted = False
    with Live(console=console, transient=True, auto_refresh=False) as live:
        while True:
            try:
                for second in test:
                    text = f"{test.load.shape}, {second.second + 1} s: {line(second)}"
                    if console.is_terminal:
                        live.update(Text(text), refresh=True)
                    else:
                        console.print(text, highlight=False)
            except KeyboardInterrupt:
                if interrupted:
                    raise
                interrupted = True
                test.stop()
            else:
                return interrupted


def _show_page(test: "LoadTest") -> None:
    """Say where Locust's page is, and wait for Ctrl-C."""
    try:
        console.print(f"Locust's page: {test.page}", soft_wrap=True, highlight=False)
        console.print("Ctrl-C ends it.")
        for _ in test:
            pass
    except KeyboardInterrupt:
        test.stop()


def _watch(run: "Million") -> bool:
    """Draw a table until all is done; the first Ctrl-C ends the sending, the second all of it."""
    interrupted = False
    with Live(run.table(), console=console, auto_refresh=False) as live:
        while not run.done:
            try:
                run.watch()
                live.update(run.table(), refresh=console.is_terminal)
            except KeyboardInterrupt:
                if interrupted:
                    raise
                interrupted = True
                run.stop()
    if not console.is_terminal:
        console.print()  # where a terminal has its cursor below the table already
    return interrupted


def _show_whole(whole: "Whole") -> None:
    table = Table(box=None, show_header=False)
    for name, value in asdict(whole).items():
        if value is None or value == {}:
            continue
        in_milliseconds = name in ("p50", "p95", "p99", "most", "late")
        shown = (
            f"{value * 1000:,.1f} ms"
            if in_milliseconds
            else f"{value:,.1f}"
            if isinstance(value, float)
            else str(value)
        )
        table.add_row(name, shown)
    console.print(table)


def _fail(text: str) -> NoReturn:
    complaints.print(text, style="red", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(1)
