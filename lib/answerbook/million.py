"""`answerbook notify million`: N events through the whole system, watched, then accounted for.

load_commands.py has the command; tests and notebooks use `Million` themselves. The sender runs as
a process of its own, so that what is measured is the system and not this program.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol, Self

from kafka.errors import KafkaError
from rich.table import Table

from answerbook.config import NotifySettings
from answerbook.load.ledger import path_of
from answerbook.load.sending import END_SECONDS, Sending, SendingFailed
from answerbook.load.sent import Plan, Totals
from answerbook.load.shapes import RATE
from answerbook.load.stages import STAGES, Patience, Progress, Settling, behind

if TYPE_CHECKING:
    from answerbook.notify.audit import Report

SAMPLE_SECONDS = 1.0
PATIENCE_SECONDS = 120.0
"""Without any movement, before it gives up."""
RETRY_PATIENCE_SECONDS = 700.0
"""While notifications wait for a retry: the longest wait is 600 s."""
SCRAPE_SECONDS = 2.0
PREFIX = "ANSWERBOOK_NOTIFY_"


class StandsStill(Exception):
    """A stage has not moved for too long; the message names it."""


class System(Protocol):
    """What is needed of the running system: the handle that `services.require("notify")` gives."""

    @property
    def url(self) -> str: ...
    @property
    def api_key(self) -> str: ...
    @property
    def ledger_folder(self) -> Path: ...
    @property
    def emulator_record(self) -> Path: ...
    @property
    def programs(self) -> Sequence[Any]: ...
    def settings(self) -> dict[str, str]: ...
    def lag(self) -> dict[str, int]: ...


@dataclass(frozen=True)
class Outcome:
    """A run from the first event sent to the last outcome recorded."""

    run_id: str
    totals: Totals
    seconds: float
    """From the start until no record waited anywhere."""
    counts: dict[str, int]
    """Stage → how many."""

    @property
    def rate(self) -> float:
        """Events a second, end to end."""
        return self.totals.accepted / self.seconds

    def summary(self, report: "Report | None" = None) -> str:
        """One line; with an audit's report, what it found."""
        said = (
            f"{self.run_id}: {self.totals.accepted:,} events in {self.seconds:.1f} s end to end, "
            f"{self.rate:,.0f}/s, {self.rate / RATE:.1f} times a million an hour"
        )
        if report is None:
            return f"{said}; not audited"
        twice = "" if report.fcm is None else f", {report.fcm.duplicates:,} twice at FCM"
        whole = next((row for row in report.latency if row.stage.startswith("door → FCM")), None)
        p99 = "" if whole is None else f", p99 from the door to FCM {whole.p99 / 1000:.2f} s"
        balanced = "balanced" if report.balanced else "NOT BALANCED"
        return f"{said}; {report.events.no_outcome:,} lost{twice}{p99}; {balanced}"


class Million:
    """A run under way. `watch` it in a loop until `done`; leaving its block ends the sender."""

    def __init__(
        self,
        system: System,
        plan: Plan,
        users: int,
        seed: int = 0,
        *,
        every: float | None = None,
        patience: float = PATIENCE_SECONDS,
        on_page: Callable[[str, str], None] | None = None,
        malformed: float = 0.0,
        poison: float = 0.0,
    ) -> None:
        """`every` so many seconds `watch` looks; it gives up `patience` after the last movement.

        `on_page` gets each program's name and /metrics; the shares are those of `load.Events`.
        """
        self.system, self.plan = system, plan
        self._every, self._on_page = every, on_page
        self.done = False
        self.lag: Mapping[str, int] = {}
        self.rates: dict[str, float] = {}
        self._before: dict[str, int] = {}
        self._looked = 0.0
        self._error: SendingFailed | None = None
        self._progress, self._settling = Progress(), Settling()
        self._patience = Patience(patience)
        self._retrying = Patience(max(patience, RETRY_PATIENCE_SECONDS))
        self._scrape()
        self.began = time.monotonic()
        self._sending = Sending(
            plan, system.api_key, users=users, seed=seed, malformed=malformed, poison=poison
        )
        self._reader = Thread(target=self._read, name="sender's reports", daemon=True)
        self._reader.start()

    @property
    def totals(self) -> Totals:
        """What the sender said last."""
        return self._sending.totals

    @property
    def seconds(self) -> float:
        """Since the start, or until all was done."""
        return (self._settling.since if self.done else time.monotonic()) - self.began

    @property
    def counts(self) -> dict[str, int]:
        """Stage → how many."""
        return {"accepted": self.totals.accepted} | self._progress.counts()

    def watch(self) -> None:
        """Look once, SAMPLE_SECONDS after the last time. Raises StandsStill, and SendingFailed."""
        every = SAMPLE_SECONDS if self._every is None else self._every
        time.sleep(max(0.0, self._looked + every - time.monotonic()))
        if self._error:
            raise self._error
        ended = self.totals.done
        lag = self._look()
        if lag is None:
            return
        self.lag = lag
        now = time.monotonic()
        self.done = ended and self._settling.see(lag, now)
        retried = any(behind(stage, lag) for stage in STAGES if stage.name == "retried")
        said = [
            patience.see(now, self.totals.accepted, self._progress.counts(), lag)
            for patience in (self._patience, self._retrying)
        ]
        if stands := said[1 if retried else 0]:
            raise StandsStill(stands)

    def stop(self) -> None:
        """Send no more; what was accepted still goes its way."""
        self._sending.stop()

    def outcome(self) -> Outcome:
        """Once it is done."""
        return Outcome(self.plan.run_id, self.totals, self.seconds, self.counts)

    def audit(self) -> "Report":
        """Hold what was accepted against what became of it."""
        return audit(self.system, self.plan.run_id, self.plan.ledger)

    def table(self) -> Table:
        """How far each stage is."""
        table = Table(box=None, header_style="bold")
        table.add_column(f"{self.plan.run_id}, {self.seconds:.0f} s")
        for heading in ("so far", "a second", "waiting"):
            table.add_column(heading, justify="right")
        left = self.plan.count - self.totals.accepted - self.totals.refused
        rates = {"accepted": self.totals.rate} | self.rates
        rows = [("accepted", "events", left)]
        rows += [(stage.name, stage.does, behind(stage, self.lag)) for stage in STAGES]
        for name, does, waiting in rows:
            count, rate = self.counts[name], rates.get(name, 0.0)
            table.add_row(f"{name} {does}", f"{count:,}", f"{rate:,.0f}", f"{waiting:,}")
        return table

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._sending.stop()
        self._reader.join(END_SECONDS)  # a sender that is frozen says nothing more, and is killed
        self._sending.__exit__(*error)

    # -- looking ------------------------------------------------------------------------------

    def _read(self) -> None:
        try:
            self._sending.finish()
        except SendingFailed as error:
            self._error = error

    def _look(self) -> dict[str, int] | None:
        """The lag of every topic; None where no broker tells it now."""
        self._scrape()
        now = time.monotonic()
        counts = self._progress.counts()
        if self._looked:
            passed = now - self._looked
            self.rates = {n: (counts[n] - self._before.get(n, 0)) / passed for n in counts}
        self._before, self._looked = counts, now
        try:
            return self.system.lag()
        except KafkaError:
            return None

    def _scrape(self) -> None:
        """Ask each process of each program; one that was killed is asked again next time."""
        for program in self.system.programs:
            for node in range(1, program.node_count + 1):
                try:
                    port = program.ports(node)[next(iter(program.usual_ports))]
                    page = _metrics(program.host, port)
                    self._progress.see(f"{program.name} {node}", page)
                except (OSError, HTTPException, ValueError):
                    continue
                if self._on_page is not None:
                    self._on_page(f"{program.name} {node}", page)


def _metrics(host: str, port: int) -> str:
    with closing(HTTPConnection(host, port, timeout=SCRAPE_SECONDS)) as connection:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        return answer.read().decode()


def audit(system: System, run_id: str, folder: Path | None = None) -> "Report":
    """Hold what a run's sender saw accepted against what became of it.

    `folder` is the ledgers'; that of the system where none is given. Raises CannotAudit.
    """
    # Late: it needs numpy, and a run that is not audited does without.
    from answerbook.notify.audit import run

    variables = system.settings()
    names = {PREFIX + name.upper(): name for name in NotifySettings.model_fields}
    given: dict[str, Any] = {names[key]: variables[key] for key in variables if key in names}
    ledger = path_of(folder or system.ledger_folder, run_id)
    return run(NotifySettings(**given), run_id, ledger, system.emulator_record)
