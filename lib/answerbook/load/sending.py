"""Starts the fast sender as a process of its own and reads what it says of its progress.

    with Sending(plan, key) as sending:
        for totals in sending: …
    sending.totals.accepted

Called by `answerbook notify million`, by notebooks and by tests of faults. The process cannot
outlive the one that started it.
"""

import subprocess
import sys
from collections.abc import Iterator
from typing import IO, Self

import msgspec

from answerbook.load.events import USERS
from answerbook.load.sent import Plan, Totals

END_SECONDS = 30.0
"""What the sender may take to end when it is told to; it waits for answers, then for the disk."""


class SendingFailed(Exception):
    """The sender ended without its totals; the message carries what it said."""


class Sending:
    """A sender under way. Iterate over it for its totals, each half second until it is done."""

    def __init__(
        self,
        plan: Plan,
        key: str,
        *,
        users: int = USERS,
        seed: int = 0,
        malformed: float = 0.0,
        poison: float = 0.0,
    ) -> None:
        self.plan = plan
        self.totals = Totals(plan.run_id)
        command = [sys.executable, "-m", "answerbook.load.sender", "--guarded"]
        options = {
            "url": plan.url,
            "run": plan.run_id,
            "ledger": plan.ledger,
            "events": plan.count,
            "rate": plan.rate,
            "batch": plan.batch,
            "connections": plan.connections,
            "first": plan.first,
            "users": users,
            "seed": seed,
            "malformed": malformed,
            "poison": poison,
        }
        self._process = subprocess.Popen(
            command + [f"--{name}={value}" for name, value in options.items()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the starter, which asks for the totals then
        )
        # By its standard input: a command line shows in every list of processes.
        _pipe(self._process.stdin).write(f"{key}\n")
        _pipe(self._process.stdin).flush()

    @property
    def pid(self) -> int:
        return self._process.pid

    def __iter__(self) -> Iterator[Totals]:
        """Each report, `done` the last. Raises SendingFailed when that does not come."""
        for line in _pipe(self._process.stdout):
            self.totals = msgspec.json.decode(line, type=Totals)
            yield self.totals
        if not self.totals.done:
            raise SendingFailed(f"The sender ended early. {self._complaint()}".strip())

    def finish(self) -> Totals:
        """Wait for the end, and return the last totals."""
        for _ in self:
            pass
        return self.totals

    def stop(self) -> None:
        """Tell it to end: no new event is taken up, answers under way are waited for."""
        self._process.terminate()

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.communicate(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def _complaint(self) -> str:
        self._process.wait(END_SECONDS)
        return _pipe(self._process.stderr).read().strip()[-2000:]


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None, "the sender is started with pipes"
    return stream
