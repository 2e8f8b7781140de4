"""Prints an audit's report on a terminal or as JSON, for the command."""

import msgspec
from rich.console import Console
from rich.table import Table

from answerbook.notify.audit.report import Report


def show(report: Report, console: Console) -> None:
    """Tables of counts, of latencies and of what was found, and one line that sums it up."""
    console.print(_counts(report))
    if report.latency:
        console.print(_latency(report))
    for named in report.findings:
        colour = "red" if named.fails else "yellow"
        console.print(f"\n[{colour}]{named.rule} ({named.total:,}): {named.says}[/]")
        more = named.total - len(named.ids)
        for name in [*named.ids, f"… and {more:,} more"] if more else named.ids:
            console.print(f"  {name}", markup=False, highlight=False, soft_wrap=True)
    for place in report.unreadable:
        console.print(f"[yellow]unreadable receipt[/] {place}", highlight=False)
    colour = "green" if report.balanced else "red"
    console.print(f"\n[{colour}]{report.summary}[/] ({report.seconds:.1f} s)", soft_wrap=True)


def as_json(report: Report) -> str:
    """All of the report, and its summary."""
    fields = msgspec.to_builtins(report) | {"summary": report.summary}
    return msgspec.json.format(msgspec.json.encode(fields), indent=1).decode()


def _counts(report: Report) -> Table:
    table = Table("", "events", "notifications", box=None, header_style="bold")
    events, notifications = report.events, report.notifications
    for what, of_events, of_notifications in (
        ("all", events.accepted, notifications.total),
        ("expanded, sent", events.expanded, notifications.sent),
        ("suppressed", events.suppressed, notifications.suppressed),
        ("expired", events.expired, notifications.expired),
        ("dead", events.dead, notifications.dead),
        ("no outcome, pending", events.no_outcome, notifications.pending),
    ):
        table.add_row(what, f"{of_events:,}", f"{of_notifications:,}")
    if report.fcm is not None:
        table.add_row("accepted by FCM", "", f"{report.fcm.accepted:,}")
        table.add_row("of these, again", "", f"{report.fcm.duplicates:,}")
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _latency(report: Report) -> Table:
    table = Table("ms", "p50", "p95", "p99", "max", box=None, header_style="bold")
    for row in report.latency:
        table.add_row(
            row.stage, *(f"{value:,.0f}" for value in (row.p50, row.p95, row.p99, row.max))
        )
    for column in table.columns[1:]:
        column.justify = "right"
    return table
