"""The notification system of question 2, stage by stage and whole: `make bench BENCH=notify`.

All parts, the emulator and the load on this machine, native engine, full profile, one broker. Each
stage is measured on a backlog while the others rest; then a million events go through all of them
at once, and 278 a second for a minute. Writes results/notify.json, which notebooks 2.1 and 2.4
read. Ends with status 1 when a goal is not reached. To try it out:

    python benchmarks/notify.py --events 20000 --backlog 20000 --steady 10 --folder /tmp
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import machine

from answerbook import services
from answerbook.load.events import new_run_id
from answerbook.load.sending import Sending
from answerbook.load.sent import Plan
from answerbook.million import Million
from answerbook.notebook import load
from answerbook.notebook.senders import WAYS, measure
from answerbook.notify import records

API_BATCHES = "API, batches of 100: events a second"
API_SINGLES = "API, one event a request: requests a second"
RENDER = "render: events a second"
DELIVER = "deliver, one worker: messages a second"
AGAINST = "deliver, one worker, against firebase-admin's best way: times"
MILLION = "a million end to end: seconds"
STEADY = "p99 from the door to FCM's answer at 278 a second: seconds"
FULL_MEMORY = "memory, full profile: GB"
STUDY_MEMORY = "memory, study profile: GB"
GOALS = {
    API_BATCHES: 5_000,
    API_SINGLES: 1_000,
    RENDER: 20_000,
    DELIVER: 8_000,
    AGAINST: 5,
    MILLION: 240,
    STEADY: 2,
    FULL_MEMORY: 5,
    STUDY_MEMORY: 1.8,
}
AT_MOST = {MILLION, STEADY, FULL_MEMORY, STUDY_MEMORY}
"""Goals that the figure stays under; the others it reaches."""

UNLIMITED = {
    "ANSWERBOOK_NOTIFY_DELIVER_QUOTA_PER_MINUTE": "100000000",
    "ANSWERBOOK_NOTIFY_DELIVER_RAMP_SECONDS": "0",
    "ANSWERBOOK_NOTIFY_EMULATOR_QUOTA_PER_MINUTE": "0",
}
"""For what a worker can do; the million goes under FCM's quota, with its ramp."""
WAIT_SECONDS = 600
THEIRS = ("send_each", "send_each_async")
LOOK_SECONDS = 0.25
"""Between two questions to Kafka: answering twenty a second took it a third of a core."""


def main() -> int:
    options = _options()
    machine.use_native_engine()
    described = machine.description(anyway=options.anyway)
    figures: dict[str, float] = {}
    rates: dict[str, float] = {}
    senders: dict[str, float] = {}
    with machine.new_home(), settings({"ANSWERBOOK_PROFILE": "full"}):
        with settings(UNLIMITED | {"ANSWERBOOK_NOTIFY_DELIVER_WORKERS": "1"}):
            system = services.require("notify")
            stages(system, options, figures, rates, senders)
            services.down(["notify"])
        with Memory(system := services.require("notify")) as memory:
            million = a_million(system, options.events)
            steady = a_minute(system, options.steady)
        figures |= {MILLION: million["seconds"], STEADY: steady["p99"]}
        figures[FULL_MEMORY] = memory.peak / 1e9
    with machine.new_home(), settings({"ANSWERBOOK_PROFILE": "study"}):
        with Memory(system := services.require("notify")) as memory:
            a_million(system, min(options.events, 20_000))
        figures[STUDY_MEMORY] = memory.peak / 1e9
    goals = {name: judged(name, figures[name], options) for name in GOALS}
    results = {
        "machine": described,
        "events": options.events,
        "backlog": options.backlog,
        "rates": rates,
        "senders": senders,
        "goals": goals,
        "million": million,
        "steady": steady,
    }
    path = machine.write("notify", results, options.folder)
    for name, goal in goals.items():
        print(f"{'reached' if goal['met'] else 'MISSED':8} {name}: {goal['value']:,.5g}")
    print(f"written: {path}")
    return 0 if all(goal["met"] for goal in goals.values()) else 1


# -- stages ---------------------------------------------------------------------------------------


def stages(
    system: services.Notify,
    options: argparse.Namespace,
    figures: dict[str, float],
    rates: dict[str, float],
    senders: dict[str, float],
) -> None:
    """Each program on what the one before it left, while the others rest."""
    for program in (system.render, system.deliver, system.track):
        program.stop()
    say(figures, API_SINGLES, accepted(system, options.backlog // 10, batch=1, connections=32))
    say(figures, API_BATCHES, accepted(system, options.backlog, batch=100))
    system.api.stop()
    say(figures, RENDER, drained(system, [records.EVENTS], system.render, warm=0.5))
    system.render.stop()
    say(figures, DELIVER, drained(system, records.NOTIFICATIONS, system.deliver))
    system.deliver.stop()
    receipts = [records.RECEIPTS_EVENTS, records.RECEIPTS_NOTIFICATIONS]
    tracked = drained(system, receipts, system.track)
    print(f"  track: {tracked:,.0f} receipts a second", flush=True)
    rates |= {
        "api": figures[API_BATCHES],
        "render": figures[RENDER] / (os.cpu_count() or 1),
        "deliver": figures[DELIVER],
        "track": tracked,
    }
    folder = system.emulator.folder
    for way in WAYS:
        senders[way] = measure(way, folder, 1_000 if way in THEIRS else 20_000).per_second
        print(f"  {way}: {senders[way]:,.0f} messages a second", flush=True)
    say(figures, AGAINST, figures[DELIVER] / max(senders[way] for way in THEIRS))


def accepted(system: services.Notify, count: int, batch: int, connections: int = 8) -> float:
    """Events a second that the API answers 202, as the sender's ledger has them."""
    run_id = new_run_id("bench")
    plan = Plan(
        system.url, run_id, system.ledger_folder, count, batch=batch, connections=connections
    )
    with Sending(plan, system.api_key, users=100_000) as sending:
        return sending.finish().rate


def drained(
    system: services.Notify, topics: Iterable[str], program: services.Service, warm: float = 0
) -> float:
    """Records a second that a program started now works off, from a commit to its last.

    What it takes to start is left out: all before the first commit, or the part `warm` of the
    backlog, in which Java still compiles. Raises TimeoutError.
    """
    wanted = list(topics)
    backlog = left(system, wanted)
    program.start()
    then, before = _until(lambda: left(system, wanted), lambda lag: lag < (1 - warm) * backlog)
    now, _ = _until(lambda: left(system, wanted), lambda lag: lag == 0)
    if before == 0:
        raise ValueError(f"{backlog:,} records were worked off in one step: use a larger backlog.")
    return before / (now - then)


def left(system: services.Notify, topics: list[str]) -> int:
    lag = system.lag()
    return sum(lag[topic] for topic in topics)


def _until(look: Callable[[], int], enough: Callable[[int], bool]) -> tuple[float, int]:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        seen = look()
        if enough(seen):
            return time.monotonic(), seen
        time.sleep(LOOK_SECONDS)
    raise TimeoutError(f"{seen:,} records were left after {WAIT_SECONDS} s.")


# -- the whole ------------------------------------------------------------------------------------


def a_million(system: services.Notify, count: int) -> dict[str, Any]:
    """Events end to end, audited. Raises RuntimeError when the audit does not balance."""
    plan = Plan(system.url, new_run_id("million"), system.ledger_folder, count)
    with Million(system, plan, users=20_000 if count < 1_000_000 else 100_000) as under_way:
        while not under_way.done:
            under_way.watch()
        outcome = under_way.outcome()
        report = under_way.audit()
    print(f"  {outcome.summary(report)}", flush=True)
    if not report.balanced:
        raise RuntimeError(report.summary)
    return {
        "events": outcome.totals.accepted,
        "notifications": report.notifications.total,
        "seconds": outcome.seconds,
        "events_a_second": outcome.rate,
        "lost": report.events.no_outcome,
        "duplicates": report.fcm.duplicates if report.fcm else 0,
        "audit_seconds": report.seconds,
        **percentiles(report),
    }


def a_minute(system: services.Notify, seconds: int) -> dict[str, Any]:
    """A million an hour, by Locust; percentiles from the door to FCM's answer, in seconds."""
    measured = load.run(
        "steady", system.url, system.api_key, ledger=system.ledger_folder, seconds=seconds
    )
    whole = measured.attrs["whole"]
    _until(lambda: sum(system.lag().values()), lambda lag: lag == 0)
    report = audited(system, whole.run_id)
    return {"events": whole.accepted, "door_p99": whole.p99, **percentiles(report)}


def audited(system: services.Notify, run_id: str) -> Any:
    plan = Plan(system.url, run_id, system.ledger_folder, 0)
    with Million(system, plan, users=1) as nothing:
        return nothing.audit()


def percentiles(report: Any) -> dict[str, float]:
    """Seconds from the door to FCM's answer."""
    row = next(row for row in report.latency if row.stage.startswith("door → FCM"))
    return {name: getattr(row, name) / 1000 for name in ("p50", "p95", "p99", "max")}


@dataclass
class Memory:
    """The peak of what all parts take (PSS), in bytes, looked at each second."""

    system: services.Notify
    peak: int = 0

    def __enter__(self) -> "Memory":
        self._ended = Event()
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(1):
            self.peak = max(self.peak, sum(self.system.memory().values()))


# -- the rest -------------------------------------------------------------------------------------


def say(figures: dict[str, float], name: str, value: float) -> None:
    figures[name] = value
    print(f"  {name}: {value:,.5g}", flush=True)


def judged(name: str, value: float, options: argparse.Namespace) -> dict[str, Any]:
    goal = GOALS[name]
    if name == MILLION:  # a smaller number has less time
        goal = goal * options.events / 1_000_000
    met = value <= goal if name in AT_MOST else value >= goal
    return {"value": round(value, 4), "goal": goal, "at_most": name in AT_MOST, "met": met}


@contextmanager
def settings(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _options() -> argparse.Namespace:
    parser = machine.options("Measure the notification system.")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--backlog", type=int, default=800_000)
    parser.add_argument("--steady", type=int, default=60, help="seconds at 278 a second")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
