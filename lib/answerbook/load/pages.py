"""Pages of the search site under load, by Locust as a process of its own.

    load = asked_for(site.url, ["kafka", "exactly once"], users=8, seconds=10)
    load.a_second, load.p95

This file is also the Locust file. Called by notebook 5.3 and by benchmarks/search.py.
"""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TEXTS = "ANSWERBOOK_LOAD_TEXTS"
USERS, SECONDS = 8, 20.0


class PagesFailed(Exception):
    """Locust did not run; the message carries what it said."""


@dataclass(frozen=True)
class Pages:
    """What came of it."""

    count: int
    a_second: float
    p50: float
    """Milliseconds until half of the pages were there; `p95`, 95 of 100."""
    p95: float
    failures: int
    """Answers that were no page, among `count`."""


def asked_for(
    url: str, texts: Sequence[str], users: int = USERS, seconds: float = SECONDS
) -> Pages:
    """Ask for results of `texts` in turn, `users` at once, each again when it has its page.

    Raises PagesFailed.
    """
    done = subprocess.run(
        [
            *(sys.executable, "-m", "locust", "--locustfile", Path(__file__), "--headless"),
            *("--host", url, "--users", str(users), "--spawn-rate", str(users)),
            *("--run-time", f"{seconds:g}s", "--stop-timeout", "10", "--json", "--only-summary"),
        ],
        env={**os.environ, TEXTS: json.dumps(list(texts))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        (told,) = json.loads(done.stdout)
    except ValueError:
        raise PagesFailed(f"Locust says: {(done.stderr or done.stdout)[-1000:]}") from None
    times = {float(took): number for took, number in told["response_times"].items()}
    return Pages(
        count=told["num_requests"],
        a_second=told["num_requests"] / (told["last_request_timestamp"] - told["start_time"]),
        p50=_percentile(times, 0.5),
        p95=_percentile(times, 0.95),
        failures=told["num_failures"],
    )


def _percentile(times: dict[float, int], share: float) -> float:
    """Of milliseconds and how many took as long."""
    ordered = sorted(times.items())
    reached = itertools.accumulate(number for _, number in ordered)
    wanted = share * sum(times.values())
    return next(took for (took, _), far in zip(ordered, reached, strict=True) if far >= wanted)


if TEXTS in os.environ:  # in Locust, which alone may import it: it patches the standard library
    from locust import FastHttpUser, task

    _texts = itertools.cycle(json.loads(os.environ[TEXTS]))

    class Reader(FastHttpUser):
        """Asks, and asks again."""

        @task
        def ask(self) -> None:
            self.client.get("/search", params={"q": next(_texts)}, name="/search")
