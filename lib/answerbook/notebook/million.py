"""As many events as the system takes, from a cell: `answerbook notify million` with a bar.

    run = million.run(notify, 10_000)
    run.outcome.rate, run.report.balanced, run.seconds

For 2_4_a_million_an_hour. The sender is a process of its own.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from answerbook.notebook import backlog

if TYPE_CHECKING:
    import pandas as pd

    from answerbook.million import Million, Outcome, System

COLUMNS = ("accepted", "rendered", "sent", "recorded")


@dataclass(frozen=True)
class Run:
    """What became of a run."""

    outcome: Outcome
    report: Any
    """The audit's, `answerbook.notify.audit.Report`."""
    seconds: pd.DataFrame
    """A row for each look: second, and how many each stage had done (`COLUMNS`)."""


def run(system: System, events: int, *, rate: float = 0.0) -> Run:
    """Send `events`, at `rate` a second or as fast as the API takes them, and wait for the last.

    It begins when nothing else waits in the system. Raises TimeoutError, StandsStill when a
    stage does not move, SendingFailed, and CannotAudit.
    """
    from answerbook.load.events import USERS, new_run_id
    from answerbook.load.sent import Plan
    from answerbook.million import Million

    with backlog.watch(system) as waiting:
        waiting.until_empty()
    plan = Plan(system.url, new_run_id("million"), system.ledger_folder, events, rate)
    with Million(system, plan, USERS) as under_way:
        seconds = _watch(under_way, events)
        return Run(under_way.outcome(), under_way.audit(), seconds)


def _watch(under_way: Million, events: int) -> pd.DataFrame:
    import pandas as pd

    rows = [dict.fromkeys(("second", *COLUMNS), 0.0)]
    with tqdm(total=events, desc="rendered", unit="", file=sys.stderr, ncols=79) as bar:
        while not under_way.done:
            under_way.watch()
            counts = under_way.counts
            passed = time.monotonic() - under_way.began
            rows.append({"second": passed} | {name: counts[name] for name in COLUMNS})
            bar.set_postfix_str(f"{sum(under_way.lag.values()):,} waiting", refresh=False)
            bar.update(min(counts["rendered"], events) - bar.n)
    return pd.DataFrame(rows)
