"""Pages of the search site under load, by Locust, for benchmarks/search.py."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

USERS, SECONDS = 8, 20


def run(url: str, texts: list[str], users: int = USERS, seconds: int = SECONDS) -> dict[str, Any]:
    """Ask for `texts` in turn, by `users` at once; pages a second and their times."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "locust", "--locustfile", Path(__file__), "--headless"),
            *("--host", url, "--users", str(users), "--spawn-rate", str(users)),
            *("--run-time", f"{seconds}s", "--json", "--only-summary"),
        ],
        env={**os.environ, "SEARCH_TEXTS": json.dumps(texts)},
        capture_output=True,
        text=True,
        check=False,
    )
    (told,) = json.loads(done.stdout)
    times = sorted((float(took), number) for took, number in told["response_times"].items())
    count = sum(number for _, number in times)
    reached = itertools.accumulate(number for _, number in times)
    p95 = next(took for (took, _), far in zip(times, reached, strict=True) if far >= 0.95 * count)
    return {
        "pages_per_second": round(count / (told["last_request_timestamp"] - told["start_time"]), 1),
        "p95_ms": p95,
        "failures": told["num_failures"],
        "users": users,
    }


if "SEARCH_TEXTS" in os.environ:
    from locust import FastHttpUser, task

    _texts = itertools.cycle(json.loads(os.environ["SEARCH_TEXTS"]))

    class Reader(FastHttpUser):
        """Asks, and asks again when the page is there."""

        @task
        def ask(self) -> None:
            self.client.get("/search", params={"q": next(_texts)}, name="/search")
