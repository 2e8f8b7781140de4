"""Pages of the search site under load, by Locust as a process of its own.

    load = asked_for(site.url, ["kafka", "exactly once"], users=8, seconds=10)
    load.a_second, load.p95

    with asking(site.url, ["kafka"]) as asking_on:       # from its first page to the block's end
        site.reload()
    asking_on.pages.failures

This file is also the Locust file. Called by notebook 5.3 and by benchmarks/search.py.
"""

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TEXTS, PAUSE = "ANSWERBOOK_LOAD_TEXTS", "ANSWERBOOK_LOAD_PAUSE"
REPORT = "ANSWERBOOK_LOAD_REPORT"
"""A file descriptor, to which Locust writes a line when the first answer is there, and at its end
the seconds of processor time that it took since."""
USERS, SECONDS = 8, 20.0
MOST_SECONDS = 120


class PagesFailed(Exception):
    """Locust did not run; the message carries what it said."""


@dataclass(frozen=True)
class Pages:
    """What came of it."""

    count: int
    a_second: float
    mean: float
    """Milliseconds until a page was there; `p50` for half of the pages, `p95` for 95 of 100."""
    p50: float
    p95: float
    failures: int
    """Answers that were no page, among `count`."""
    cpu_seconds: float
    """What asking took of the processors, Locust's own start left out."""


def asked_for(
    url: str,
    texts: Sequence[str],
    users: int = USERS,
    seconds: float = SECONDS,
    pause: float = 0.0,
) -> Pages:
    """Ask for results of `texts` in turn, `users` at once, each again when it has its page.

    `pause`: seconds that each waits in between. Raises PagesFailed.
    """
    return _Locust(url, texts, users, pause, seconds).told()


class Asking:
    """A load that goes on until its block ends."""

    _pages: Pages | None = None

    @property
    def pages(self) -> Pages:
        """What came of it. Raises PagesFailed before the block's end."""
        if self._pages is None:
            raise PagesFailed("What came of it is known when the block has ended.")
        return self._pages


@contextmanager
def asking(
    url: str, texts: Sequence[str], users: int = USERS, pause: float = 0.0
) -> Iterator[Asking]:
    """As `asked_for`, from when the first page is there until the block ends.

    What has been asked for by then is still waited for. Raises PagesFailed.
    """
    # A time, too, should this process die before the block's end.
    locust = _Locust(url, texts, users, pause, MOST_SECONDS)
    under_way = Asking()
    try:
        locust.report.readline()  # nothing, where Locust has ended
        yield under_way
    except BaseException:
        locust.kill()
        raise
    locust.stop()
    under_way._pages = locust.told()


class _Locust:
    """A process of it."""

    def __init__(
        self, url: str, texts: Sequence[str], users: int, pause: float, seconds: float
    ) -> None:
        reading, writing = os.pipe()
        told = {TEXTS: json.dumps(list(texts)), PAUSE: str(pause), REPORT: str(writing)}
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "locust", "--locustfile", Path(__file__), "--headless"),
                *("--host", url, "--users", str(users), "--spawn-rate", str(users)),
                *("--run-time", f"{seconds:g}s", "--stop-timeout", "10"),
                *("--json", "--only-summary"),
            ],
            env={**os.environ, **told},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[writing],
            text=True,
        )
        os.close(writing)
        self.report = os.fdopen(reading)

    def stop(self) -> None:
        """What has been asked for is still waited for."""
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()
        self._ended()

    def told(self) -> Pages:
        """What it measured, once it has ended. Raises PagesFailed."""
        out, errors, lines = self._ended()
        try:
            (told,) = json.loads(out)
        except ValueError:
            raise PagesFailed(f"Locust says: {(errors or out)[-1000:]}") from None
        times = {float(took): number for took, number in told["response_times"].items()}
        return Pages(
            count=told["num_requests"],
            a_second=told["num_requests"] / (told["last_request_timestamp"] - told["start_time"]),
            mean=told["total_response_time"] / told["num_requests"],
            p50=_percentile(times, 0.5),
            p95=_percentile(times, 0.95),
            failures=told["num_failures"],
            cpu_seconds=float(lines[-1]),
        )

    def _ended(self) -> tuple[str, str, list[str]]:
        """Both its streams and the rest of its report."""
        out, errors = self._process.communicate()
        with self.report:
            return out, errors, self.report.readlines()


def _percentile(times: dict[float, int], share: float) -> float:
    """Of milliseconds and how many took as long."""
    ordered = sorted(times.items())
    reached = itertools.accumulate(number for _, number in ordered)
    wanted = share * sum(times.values())
    return next(took for (took, _), far in zip(ordered, reached, strict=True) if far >= wanted)


if REPORT in os.environ:  # in Locust, which alone may import it: it patches the standard library
    from locust import FastHttpUser, constant, events, task

    _texts = itertools.cycle(json.loads(os.environ[TEXTS]))
    _report = os.fdopen(int(os.environ[REPORT]), "w", buffering=1)
    _begun: list[float] = []

    class Reader(FastHttpUser):
        """Asks, and asks again."""

        wait_time = constant(float(os.environ[PAUSE]))

        @task
        def ask(self) -> None:
            self.client.get("/search", params={"q": next(_texts)}, name="/search")

    def _is_there(**_: object) -> None:
        if not _begun:
            _begun.append(time.process_time())
            _report.write("\n")

    def _is_over(**_: object) -> None:
        _report.write(f"{time.process_time() - sum(_begun)}\n")

    events.request.add_listener(_is_there)  # type: ignore[no-untyped-call]
    events.quitting.add_listener(_is_over)  # type: ignore[no-untyped-call]
