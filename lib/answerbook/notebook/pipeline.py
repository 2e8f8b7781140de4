"""The notification system in a cell: many events watched on their way, and rows for tables.

    system = services.require("notify")
    with start(system, 10_000) as run:
        samples = watch(run)
    report = run.audit()

For notebook 2_2_the_pipeline. The sender is a process of its own, as for `answerbook notify
million`; what is sampled are the lags that its live view shows.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from answerbook.notebook.waiting import wait_for

if TYPE_CHECKING:
    from answerbook.million import Million
    from answerbook.services import Notify

GROUPS = {
    "events": ("events",),
    "notifications": ("notifications.high", "notifications.normal"),
    "receipts": ("receipts.events", "receipts.notifications"),
}
"""What waits, as a plot shows it → the topics in which it does."""
SETTLED_SECONDS = 300.0

Sample = tuple[float, dict[str, int]]
"""Seconds since the start, and topic → records that its reader has not committed."""


def start(system: Notify, events: int, run: str = "pipeline") -> Million:
    """A run of `events` events, sent as fast as the API takes them; its run id begins with `run`.

    They are for users of the store, and a few for topics.
    """
    from answerbook.load.events import new_run_id
    from answerbook.load.sent import Plan
    from answerbook.million import Million

    with system.postgres.connect() as connection:
        found = connection.execute("SELECT count(*) FROM users").fetchone()
    plan = Plan(system.url, new_run_id(run), system.ledger_folder, events)
    return Million(system, plan, users=int(found[0]) if found else 1)


def watch(run: Million) -> list[Sample]:
    """The lags of each second until no record waits anywhere; a bar meanwhile.

    Raises StandsStill when a stage does not go on, and SendingFailed.
    """
    samples: list[Sample] = []
    total = run.plan.count
    with tqdm(total=total, desc="sent on", unit=" events", file=sys.stderr, ncols=79) as bar:
        while not run.done:
            run.watch()
            samples.append((run.seconds, dict(run.lag)))
            waiting = " ".join(f"{name} {n}" for name, n in grouped(run.lag).items() if n)
            bar.set_postfix_str(waiting, refresh=False)
            bar.update(run.totals.accepted - bar.n)
    return samples


def grouped(lag: Mapping[str, int]) -> dict[str, int]:
    """Lags of topics, added up by GROUPS."""
    return {name: sum(lag.get(topic, 0) for topic in topics) for name, topics in GROUPS.items()}


def as_lines(samples: Iterable[Sample]) -> dict[str, tuple[list[float], list[int]]]:
    """What `lines` draws: a line for each of GROUPS, by seconds."""
    kept = list(samples)
    seconds = [at for at, _ in kept]
    return {name: (seconds, [grouped(lag)[name] for _, lag in kept]) for name in GROUPS}


def settle(system: Notify, seconds: float = SETTLED_SECONDS) -> None:
    """Return when no record waits for any reader. Raises TimeoutError after `seconds`.

    What one stage finishes appears at the next while that one's lag may have been read already:
    so there must be several readings of nothing in a row.
    """
    from answerbook.load.stages import Settling

    settling = Settling()
    wait_for(lambda: settling.see(system.lag(), 0.0), "no record waits anywhere", seconds)


def balance(report: Any) -> list[tuple[str, int | None, int | None, int | None]]:
    """An audit's counts as rows: what, events, notifications, messages that FCM accepted."""
    events, made, fcm = report.events, report.notifications, report.fcm
    return [
        ("all", events.accepted, made.total, fcm.accepted),
        ("expanded; sent", events.expanded, made.sent, fcm.accepted - fcm.duplicates),
        ("suppressed", events.suppressed, made.suppressed, None),
        ("expired", events.expired, made.expired, None),
        ("dead", events.dead, made.dead, None),
        ("without an outcome", events.no_outcome, made.pending, None),
        ("a second time", None, None, fcm.duplicates),
    ]


def reasons(steps: Iterable[Any], run_id: str) -> Sequence[tuple[str, str, int]]:
    """Outcome, reason and how many, of a run's receipts; the most frequent first."""
    found = Counter(
        (step.value["outcome"], step.value.get("reason", ""))
        for step in steps
        if step.value.get("run_id") == run_id
    )
    return [(*what, count) for what, count in found.most_common()]
