"""`answerbook up`, `down`, `status`, `logs`, `doctor`, `env`: the services, from a terminal.

Registered by cli.py, which imports this module when one of them is asked for.
"""

import json
import shlex
import time
from contextlib import suppress
from typing import Annotated, Any, Literal, cast

import typer
from rich.console import Console
from rich.table import Table

from answerbook import doctor as checks
from answerbook import services
from answerbook.services import Kafka, Name, Postgres, RabbitMQ, Service, Site
from answerbook.services.notify import Program

app = typer.Typer()
console = Console()
complaints = Console(stderr=True)

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SERVICE]…",
        help=f"Any of: {', '.join(services.NAMES)}.",
        show_default=False,
    ),
]

NOTHING = "Nothing is running. Start the services with `answerbook up`."
DEFAULT_UP: tuple[Name, ...] = ("rabbitmq", "kafka", "postgres")


@app.command()
def up(names: Names = None) -> None:
    """Start services (by default rabbitmq, kafka and postgres) and wait until they answer.

    `notify` is the notification system and `site` the search site, with all that they need.
    """
    started = services.require_all(_checked(names) or list(DEFAULT_UP))
    _print_status(started)


@app.command()
def down(
    names: Names = None,
    delete_data: Annotated[
        bool, typer.Option("--delete-data", help="Delete their data and logs as well.")
    ] = False,
) -> None:
    """End services, all by default, with whatever a broken start left behind.

    Of `notify`, its programs: Kafka and PostgreSQL stay up unless they are named, too.
    """
    ended = services.down(_checked(names) or None, delete_data=delete_data)
    console.print(f"Ended: {', '.join(ended)}." if ended else "Nothing was running.")


@app.command()
def status(
    names: Names = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show address, version, engine, process, uptime and memory of each service."""
    wanted = services.find_all(_checked(names)) or services.running()
    if as_json:
        print(json.dumps([_described(service) for service in wanted], indent=1))
    elif wanted:
        _print_status(wanted)
    else:
        console.print(NOTHING)


@app.command()
def logs(
    names: Names = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="Of each log.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print the last log lines of services, all that were started by default."""
    wanted = services.find_all(_checked(names)) or services.running()
    if not wanted:
        complaints.print(NOTHING)
    shown: dict[str, str] = {}
    with suppress(KeyboardInterrupt):  # how one ends it
        while wanted:
            for service in wanted:
                text = service.logs(lines)
                if text != shown.get(service.name):
                    print(_added(shown.get(service.name, ""), text), flush=True)
                    shown[service.name] = text
            if not follow:
                return
            time.sleep(0.5)


@app.command()
def doctor() -> None:
    """Check all that the services need of this machine; exit code 1 when something is missing."""
    table = _table("check", "result", "what to do")
    findings = checks.examine()
    for finding in findings:
        mark = {"ok": "[green]✓[/]", "note": "[yellow]•[/]", "missing": "[red]✗[/]"}[finding.state]
        table.add_row(f"{mark} {finding.what}", finding.result, finding.mend)
    console.print(table)
    if any(finding.state == "missing" for finding in findings):
        raise typer.Exit(1)


@app.command()
def env(names: Names = None) -> None:
    """Print the addresses of running services as shell variables: `eval "$(answerbook env)"`."""
    wanted = services.find_all(_checked(names)) or services.running()
    if not wanted:
        complaints.print(NOTHING)  # beside what a shell evaluates
    variables: dict[str, str] = {}
    for service in wanted:
        variables |= _variables(service)
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")


def _checked(names: list[str] | None) -> list[Name]:
    for name in names or []:
        if name not in services.NAMES:
            raise typer.BadParameter(
                f"there is no service {name!r}. There are: {', '.join(services.NAMES)}."
            )
    return cast(list[Name], names or [])


def _print_status(wanted: list[Service]) -> None:
    table = _table("service", "state", "address", "version", "engine", "pid", "up", "memory")
    for service in wanted:
        described = _described(service)
        for node in described["nodes"]:
            name = service.name + (f" {node['node']}" if service.node_count > 1 else "")
            table.add_row(
                name,
                node["condition"],
                node["address"],
                described["version"],
                described["engine"],
                str(node["pid"] or ""),
                _duration(node["uptime"]),
                f"{node['memory'] / 1e6:.0f} MB" if node["memory"] else "",
            )
    console.print(table)


def _table(*headings: str) -> Table:
    """An empty table that breaks what a narrow terminal has no room for, and cuts nothing off."""
    table = Table(box=None, header_style="bold")
    for heading in headings:
        justify: Literal["left", "right"] = "right" if heading in ("pid", "memory") else "left"
        table.add_column(heading, justify=justify, overflow="fold")
    return table


def _described(service: Service) -> dict[str, Any]:
    record = service.state.read_record(service.name)
    starting = record is not None and record.phase == "starting"
    return {
        "service": service.name,
        "version": record.version if record else "",
        "engine": service.engine.name,
        "nodes": [
            {
                "node": status.node,
                "condition": "starting"
                if starting and status.condition == "running"
                else status.condition,
                "address": _address(service, status.node) if record else "",
                "pid": status.pid,
                "uptime": status.uptime,
                "memory": service.engine.memory(service, status.node)
                if status.condition != "stopped"
                else None,
            }
            for status in service.nodes()
        ],
    }


def _address(service: Service, node: int) -> str:
    return f"{service.host}:{service.ports(node)[next(iter(service.usual_ports))]}"


def _variables(service: Service) -> dict[str, str]:
    if isinstance(service, RabbitMQ):
        return {"RABBITMQ_URL": str(service.url), "RABBITMQ_MANAGEMENT_URL": service.management_url}
    if isinstance(service, Postgres):
        return {"DATABASE_URL": str(service.url)}
    if isinstance(service, Site):
        return {"SITE_URL": service.url, **service.variables()}
    if isinstance(service, Program):
        return services.find("notify").settings()
    assert isinstance(service, Kafka)
    return {"KAFKA_BOOTSTRAP_SERVERS": str(service.url)}


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours} h {minutes} min"
        if hours
        else f"{minutes} min {rest} s"
        if minutes
        else f"{rest} s"
    )


def _added(before: str, now: str) -> str:
    """The lines of `now` that `before` did not end with."""
    old, new = before.splitlines(), now.splitlines()
    for start in range(len(old)):
        if new[: len(old) - start] == old[start:]:
            return "\n".join(new[len(old) - start :])
    return now
