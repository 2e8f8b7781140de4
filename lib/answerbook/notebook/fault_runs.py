"""A fault in the midst of a run: events at an even pace, one thing broken, then the audit.

    struck = fault_runs.run(notify, faults.NAMED["the API killed"], 2_000, rate=200)
    struck.report.balanced, struck.lost, struck.twice
    show(fault_runs.timeline(struck), alt=…)

For notebook 2_5_when_things_die and the tests of faults under load.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from answerbook.load.events import USERS, new_run_id
from answerbook.load.sent import Plan, Totals
from answerbook.load.stages import Meter
from answerbook.million import Million
from answerbook.notebook.faults import Fault, gone_wrong

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from answerbook.services import Notify

SAMPLE_SECONDS = 0.5
PATIENCE_SECONDS = 400.0
"""Without any movement: Spark's start on a busy machine takes minutes."""
HARM_SECONDS = 120.0
"""For which a fault is left there at most, while it does not do enough."""
ANSWERS = re.compile(r'^answerbook_deliver_sends_total\{code="(\w+)"\} (\S+)$', re.MULTILINE)
HELD_BACK = re.compile(r"^answerbook_deliver_duplicates_total(?:\{.*\})? (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Sample:
    """One look at the system. All but `lag` count from the start."""

    second: float
    accepted: int
    rendered: int
    sent: int
    errors: int
    """Requests that failed at the door, and sends that FCM did not answer with OK."""
    lag: int
    """Records that wait anywhere; where no broker told it, as before."""


@dataclass(frozen=True)
class Struck:
    """A run with a fault in it, to its end."""

    fault: Fault
    totals: Totals
    samples: Sequence[Sample]
    struck: float
    """Seconds from the start, like `mended`."""
    mended: float
    held_back: int
    """Notifications that delivery did not send, because it had."""
    report: Any
    """The audit's, `answerbook.notify.audit.Report`."""

    @property
    def lost(self) -> int:
        """Events and notifications of which nothing is known, though they were promised."""
        return int(self.report.events.no_outcome + self.report.notifications.pending)

    @property
    def twice(self) -> int:
        """Messages that FCM accepted again."""
        return int(self.report.fcm.duplicates)

    @property
    def pause(self) -> float:
        """The longest time without a send while something waited, in seconds."""
        longest, moved, last = 0.0, 0.0, 0
        for sample in self.samples:
            if sample.sent != last or not sample.lag:
                moved, last = sample.second, sample.sent
            longest = max(longest, sample.second - moved)
        return longest

    @property
    def errors(self) -> int:
        return self.samples[-1].errors

    def row(self) -> tuple[str, int, str, int, int]:
        """For a table with COLUMNS."""
        return (self.fault.name, self.totals.accepted, f"{self.pause:.1f} s", self.lost, self.twice)


COLUMNS = ("fault", "accepted", "longest pause", "lost", "twice at FCM")


def run(
    system: Notify, fault: Fault, events: int, rate: float, *, at: float = 1 / 3, users: int = USERS
) -> Struck:
    """Send `events` at `rate` a second, let the fault strike at that share of them, and audit.

    The fault strikes once as many were accepted, is mended by its own time, and the run ends when
    nothing waits any more. Raises whatever mending raises, StandsStill, SendingFailed, CannotAudit.
    """
    plan = Plan(system.url, new_run_id("fault"), system.ledger_folder, events, rate)
    counters = _Counters()
    samples = [Sample(0.0, 0, 0, 0, 0, 0)]
    with Million(
        system,
        plan,
        users,
        every=SAMPLE_SECONDS,
        patience=PATIENCE_SECONDS,
        on_page=counters.see,
        malformed=fault.malformed,
        poison=fault.poison,
    ) as load:
        striking = _Striking(system, fault, load, round(at * events))
        try:
            while not (load.done and striking.over):
                load.watch()
                samples.append(_look(load, counters))
        finally:
            striking.end()
        return Struck(
            fault,
            load.totals,
            samples,
            striking.struck,
            striking.mended,
            round(counters.held_back.total),
            load.audit(),
        )


def timeline(struck: Struck) -> Figure:
    """Rates, lag and errors over the seconds of a run, with the fault's time shaded."""
    from answerbook.notebook.figures import figure

    drawn, axes = figure(height=5.2, rows=3, columns=1)
    seconds = [sample.second for sample in struck.samples[1:]]
    for name in ("accepted", "sent"):
        axes[0].plot(seconds, _rates(struck.samples, name), label=name, markersize=3)
    axes[0].set(ylabel="per second")
    axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    axes[1].plot(seconds, [sample.lag for sample in struck.samples[1:]], markersize=3)
    axes[1].set(ylabel="records waiting")
    axes[2].plot(seconds, _rates(struck.samples, "errors"), color="#D55E00", markersize=3)
    axes[2].set(ylabel="errors per second", xlabel="seconds")
    for each in axes:
        each.set_ylim(0, max(1.0, each.get_ylim()[1]))  # where nothing happened, a line at 0
        if each is not axes[2]:
            each.sharex(axes[2])
        each.axvline(struck.struck, color="black", linestyle="--")
        each.axvspan(struck.struck, struck.mended, color="black", alpha=0.1)
    axes[0].set_title(f"{struck.fault.name} (shaded until mended)", fontsize=10, loc="left")
    return drawn


def _rates(samples: Sequence[Sample], name: str) -> list[float]:
    return [
        (getattr(after, name) - getattr(before, name)) / (after.second - before.second)
        for before, after in pairwise(samples)
    ]


def _look(load: Million, counters: _Counters) -> Sample:
    counts = load.counts
    return Sample(
        time.monotonic() - load.began,
        counts["accepted"],
        counts["rendered"],
        counts["sent"],
        round(counters.errors.total) + sum(load.totals.failures.values()),
        sum(load.lag.values()),
    )


class _Counters:
    """What delivery exports and `Million` does not count."""

    def __init__(self) -> None:
        self.errors, self.held_back = Meter(), Meter()

    def see(self, program: str, page: str) -> None:
        if program.startswith("notify-deliver"):
            failed = (float(n) for code, n in ANSWERS.findall(page) if code != "OK")
            self.errors.see(program, sum(failed))
            self.held_back.see(program, sum(map(float, HELD_BACK.findall(page))))


class _Striking:
    """Does a fault and mends it, in a thread, so that the run can be looked at meanwhile."""

    def __init__(self, system: Notify, fault: Fault, load: Million, accepted: int) -> None:
        self._system, self._fault, self._load, self._accepted = system, fault, load, accepted
        self._ended = Event()
        self._error: BaseException | None = None
        self.struck = self.mended = 0.0
        self._thread = Thread(target=self._run, name="fault", daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether it is mended. Raises what went wrong with it."""
        if self._error is not None:
            raise self._error
        return not self._thread.is_alive()

    def end(self) -> None:
        """Mend it now, if it has struck."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._load.totals.accepted < self._accepted:
                if self._ended.wait(SAMPLE_SECONDS / 10):
                    return
            self.struck = time.monotonic() - self._load.began
            before = gone_wrong(self._system) if self._fault.enough else 0
            try:
                self._fault.strike(self._system)
                self._ended.wait(self._fault.seconds)
                self._wait_for_harm(before + self._fault.enough)
            finally:
                self._fault.mend(self._system)
                self.mended = time.monotonic() - self._load.began
        except BaseException as error:  # noqa: BLE001  told by `over`
            self._error = error

    def _wait_for_harm(self, count: int) -> None:
        if self._fault.enough:
            deadline = time.monotonic() + HARM_SECONDS
            while gone_wrong(self._system) < count and time.monotonic() < deadline:
                if self._ended.wait(SAMPLE_SECONDS / 5):
                    return
