"""The fast sender: N events, as fast as the system takes them, each in the ledger once accepted.

    python -m answerbook.load.sender --url http://127.0.0.1:8080 --run r1 --ledger DIR < key

A process of its own (`sending.start` starts it), so that load does not sit in a kernel: the API's
key is the first line of its standard input, its progress is a JSON line each half second on its
standard output, and the last line has the totals. SIGTERM or SIGINT: it takes nothing new, waits
for the answers under way, and says what was accepted. A request that was not answered is sent
again with the same events, whose ids are the same, so no count is lost and none is made twice.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import aiohttp
import msgspec
import uvloop

from answerbook.load import answers, endpoint
from answerbook.load.events import USERS, Events, stamp
from answerbook.load.latencies import Latencies
from answerbook.load.ledger import COMMIT_SECONDS, Ledger
from answerbook.load.pace import Pace
from answerbook.load.sent import Plan, Totals
from answerbook.notify.records import now

REPORT_SECONDS = 0.5
REQUEST_SECONDS = 30.0
"""After which a request counts as not answered."""
DRAIN_SECONDS = 10.0
"""What answers under way may take once the sender is told to end."""
REASONS_KEPT = 20


class Sender:
    """Sends one plan. `run` returns the totals; `stop` ends it early."""

    def __init__(self, plan: Plan, events: Events, key: str) -> None:
        self._plan, self._events, self._key = plan, events, key
        self._prefix = f"{endpoint.key_id(key)}/"
        self._pace = Pace(plan.connections)
        self._stopped, self._sent = asyncio.Event(), asyncio.Event()
        self._next = plan.first
        self._taken = 0
        self._failures: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._latencies = Latencies()
        self._began = time.monotonic()
        self.totals = Totals(plan.run_id)

    def stop(self) -> None:
        self._stopped.set()
        self._pace.close()

    async def run(self) -> Totals:
        """Send all.

        Raises a group with answers.NotAllowed, or with OSError when the ledger cannot be written:
        what is not on disk would not count.
        """
        with Ledger(self._plan.ledger, self._plan.run_id) as ledger:
            async with (
                aiohttp.ClientSession(
                    self._plan.url,
                    connector=aiohttp.TCPConnector(limit=self._plan.connections),
                    timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
                    headers=endpoint.headers(self._key, self._plan.run_id),
                ) as session,
                asyncio.TaskGroup() as beside,
            ):
                beside.create_task(self._commit(ledger))
                beside.create_task(self._report(ledger))
                try:
                    await self._send_all(session, ledger)
                finally:
                    self._sent.set()
            ledger.commit()
            self._account(ledger)
        self.totals.done = True
        self.totals.interrupted = self._stopped.is_set()
        self.totals.rate = self.totals.accepted / max(self.totals.seconds, 1e-9)
        return self.totals

    async def _send_all(self, session: aiohttp.ClientSession, ledger: Ledger) -> None:
        """Return when all is sent, or once DRAIN_SECONDS have passed since `stop`."""

        async def all_work() -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._plan.connections):
                    group.create_task(self._work(session, ledger))

        working = asyncio.create_task(all_work())
        stopping = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({working}, timeout=DRAIN_SECONDS)
        finally:
            stopping.cancel()
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    # -- one request after the other --------------------------------------------------------------

    async def _work(self, session: aiohttp.ClientSession, ledger: Ledger) -> None:
        while numbers := self._take():
            await self._until_due(numbers[0])
            while numbers and not self._stopped.is_set():
                numbers = await self._send(session, ledger, numbers)

    def _take(self) -> list[int]:
        """The numbers of the next batch; none at the end."""
        last = self._plan.first + self._plan.count
        numbers = list(range(self._next, min(self._next + self._plan.size, last)))
        if self._stopped.is_set():
            return []
        self._next += len(numbers)
        self._taken += len(numbers)
        return numbers

    async def _until_due(self, number: int) -> None:
        if self._plan.rate:
            due = self._began + (number - self._plan.first) / self._plan.rate
            if (wait := due - time.monotonic()) > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), wait)

    async def _send(
        self, session: aiohttp.ClientSession, ledger: Ledger, numbers: list[int]
    ) -> list[int]:
        """Send events; those that must be sent again."""
        if not await self._pace.start():
            return numbers
        body = self._events.batch(numbers, stamp(now()))
        began = time.monotonic()
        try:
            async with session.post(endpoint.PATH, data=body) as response:
                content = await response.read()
            outcome = answers.read(response.status, response.headers, content, len(numbers))
            problem = str(response.status) if outcome.again else ""
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            outcome = answers.Outcome(again=list(range(len(numbers))), pause=answers.PAUSE_SECONDS)
            problem = type(error).__name__
        except asyncio.CancelledError:
            self._pace.answered(False)
            raise
        self._pace.answered(not outcome.again, outcome.pause)
        self._latencies.add(time.monotonic() - began)
        self._note(outcome, problem)
        ledger.append([self._prefix + event_id for event_id in outcome.accepted], now())
        return [numbers[position] for position in outcome.again]

    def _note(self, outcome: answers.Outcome, problem: str) -> None:
        self.totals.requests += 1
        self.totals.again += len(outcome.again)
        self.totals.refused += len(outcome.refused)
        if problem:
            self._failures[problem] += 1
        for reason in outcome.refused.values():
            if reason in self._reasons or len(self._reasons) < REASONS_KEPT:
                self._reasons[reason] += 1

    # -- beside the requests ----------------------------------------------------------------------

    async def _commit(self, ledger: Ledger) -> None:
        while not await self._sent_within(COMMIT_SECONDS):
            await asyncio.to_thread(ledger.commit)

    async def _report(self, ledger: Ledger) -> None:
        before, then = 0, self._began
        while not await self._sent_within(REPORT_SECONDS):
            self._account(ledger)
            instant = time.monotonic()
            self.totals.rate = (self.totals.accepted - before) / (instant - then)
            before, then = self.totals.accepted, instant
            say(self.totals)

    async def _sent_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._sent.wait(), seconds)
        return self._sent.is_set()

    def _account(self, ledger: Ledger) -> None:
        totals = self.totals
        totals.accepted = ledger.count
        totals.unanswered = self._taken - totals.refused - ledger.count
        totals.failures, totals.reasons = dict(self._failures), dict(self._reasons)
        totals.seconds = time.monotonic() - self._began
        totals.connections = self._pace.limit
        totals.cpu_seconds = time.process_time()
        totals.p50, totals.p99 = (self._latencies.percentile(share) for share in (0.5, 0.99))


def say(totals: Totals) -> None:
    """One line of JSON for whoever started this process."""
    sys.stdout.write(msgspec.json.encode(asdict(totals)).decode() + "\n")
    sys.stdout.flush()


async def send(plan: Plan, events: Events, key: str, guarded: bool) -> Totals:
    """Send a plan until its end, SIGTERM or SIGINT; `guarded`, until standard input ends, too."""
    sender = Sender(plan, events, key)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, sender.stop)
    if guarded:
        loop.add_reader(sys.stdin, sender.stop)
    return await sender.run()


def main() -> int:
    """Exit code 0 when every event was accepted or refused, 1 if not; 2 when none could be sent."""
    options = _options()
    plan = Plan(
        url=options.url,
        run_id=options.run,
        ledger=options.ledger,
        count=options.events,
        rate=options.rate,
        batch=options.batch,
        connections=options.connections,
        first=options.first,
    )
    events = Events(
        options.run,
        users=options.users,
        seed=options.seed,
        malformed=options.malformed,
        poison=options.poison,
    )
    key = sys.stdin.readline().strip()
    try:
        endpoint.key_id(key)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            totals = runner.run(send(plan, events, key, options.guarded))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except ExceptionGroup as group:
        reason: Exception = group
        while isinstance(reason, ExceptionGroup):
            reason = reason.exceptions[0]
        if not isinstance(reason, answers.NotAllowed | OSError):
            raise
        print(reason, file=sys.stderr)
        return 2
    say(totals)
    return 0 if totals.unanswered == 0 else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--ledger", type=Path, required=True, help="folder of the ledger")
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0.0, help="events a second; 0: the most")
    parser.add_argument("--batch", type=int, default=250, help="events of a request")
    parser.add_argument("--connections", type=int, default=8, help="at most")
    parser.add_argument("--first", type=int, default=1, help="number of the first event")
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--malformed", type=float, default=0.0, help="share, 0 to 1")
    parser.add_argument("--poison", type=float, default=0.0, help="share, 0 to 1")
    parser.add_argument(
        "--guarded", action="store_true", help="end with standard input, that is, with the starter"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
