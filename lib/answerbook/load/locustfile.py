r"""The Locust file: events to the ingest API, due at times that do not depend on its answers.

    ANSWERBOOK_LOAD_KEY=ab_… locust -f lib/answerbook/load/locustfile.py --headless \
        --host http://127.0.0.1:8080 --run-id r1 --ledger DIR --arrivals spike --seconds 60

`answerbook load` and notebooks start it through `run.py`. Locust's users are a pool here: whoever
is idle sends what is due, and response times count from when it was due. Never import this, nor
locust, in a kernel or in a program with an event loop: gevent's patches hang it.
"""

import os
import signal
import sys
import time
from argparse import FileType, Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO, cast

import gevent
import msgspec
from gevent.lock import Semaphore
from locust import FastHttpUser, LoadTestShape, task
from locust import events as hooks
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import Runner

from answerbook.load import answers, endpoint
from answerbook.load.events import USERS, Events, stamp
from answerbook.load.ledger import COMMIT_SECONDS, Ledger
from answerbook.load.page import Guard
from answerbook.load.schedule import Schedule
from answerbook.load.shapes import NAMES, shape
from answerbook.notify.records import now

GRACE_SECONDS = 15.0
"""What is due and not answered this long after the last arrival counts as an error."""
NAME = "POST /v1/events"


def add_options(parser: LocustArgumentParser) -> None:
    """Those of ours; what a person may change on the page is shown there."""
    add: Any = parser.add_argument
    add("--arrivals", choices=NAMES, default="steady", help="shape of the load")
    add("--seconds", type=float, default=0.0, help="0: what the shape usually takes")
    add("--rate", type=float, default=0.0, help="events a second; 0: a million an hour")
    add("--batch", type=int, default=1, help="events of a request")
    add("--pool", type=int, default=200, help="requests under way at once, at most")
    add("--run-id", default="locust", include_in_web_ui=False)
    add("--ledger", type=Path, default=Path("ledger"), include_in_web_ui=False)
    add("--seeded-users", type=int, default=USERS, include_in_web_ui=False)
    add("--api-key", env_var="ANSWERBOOK_LOAD_KEY", default="", include_in_web_ui=False)
    add("--page-token", env_var="ANSWERBOOK_LOAD_TOKEN", default="", include_in_web_ui=False)
    add("--report", type=FileType("w"), default=os.devnull, include_in_web_ui=False)
    add("--starter", type=int, default=0, include_in_web_ui=False)


class Test:
    """What is going on. There is one: Locust runs one test at a time."""

    options: Namespace
    ledger: Ledger
    report: TextIO
    events: Events
    committing = Semaphore()
    schedule: Schedule | None = None
    counted = 0
    """Events in the ledger before the current test."""
    next = 1
    """The number of the next event: tests from one page share the run."""


def prepare(environment: Environment, runner: Runner, **_: Any) -> None:
    """Open the ledger and the report; guard the page."""
    # Locust's own handler comes only after a headless test.
    gevent.signal_handler(signal.SIGTERM, runner.quit)
    options = environment.parsed_options
    assert options is not None
    endpoint.key_id(options.api_key)
    Test.options = options
    Test.ledger = Ledger(options.ledger, options.run_id)
    Test.report = options.report
    Test.events = Events(options.run_id, users=options.seeded_users)
    gevent.spawn(commit_ever, runner)
    if options.starter:
        gevent.spawn(end_with_starter, environment)
    if environment.web_ui:
        if not options.page_token:
            raise ValueError("The page wants a token: ANSWERBOOK_LOAD_TOKEN.")
        application: Any = environment.web_ui.app
        application.wsgi_app = Guard(application.wsgi_app, options.page_token)


def begin(environment: Environment, **_: Any) -> None:
    """A new schedule. It begins when the pool is there."""
    options = environment.parsed_options
    assert options is not None
    chosen = shape(options.arrivals, options.seconds, options.rate)
    Test.schedule = Schedule(chosen, options.batch, Test.next)
    Test.counted = Test.ledger.count


def let_arrive(user_count: int, **_: Any) -> None:
    """Start the schedule; the shape spawns once, and a stopped test spawns nobody."""
    if Test.schedule and user_count and not Test.schedule.started:
        gevent.spawn(Test.schedule.run)
        gevent.spawn(tell_seconds, Test.schedule)


class Caller(FastHttpUser):
    """One of the pool."""

    network_timeout = 30.0
    connection_timeout = 10.0
    max_redirects = 0

    @task
    def send(self) -> None:
        """Send what is due next, and report the time since it was."""
        schedule, options = Test.schedule, Test.options
        assert schedule is not None
        arrival = schedule.take()
        numbers = range(arrival.number, arrival.number + schedule.batch)
        occurred = stamp(now())
        body = (
            Test.events.json(arrival.number, occurred).encode()
            if schedule.batch == 1
            else Test.events.batch(numbers, occurred)
        )
        with self.client.post(
            endpoint.PATH,
            data=cast(str, body),  # bytes will do, too
            headers=endpoint.headers(options.api_key, options.run_id),
            name=NAME,
            catch_response=True,
        ) as response:
            problem = take_answer(response, schedule)
            seconds = schedule.ended(arrival, problem)
            response.request_meta["response_time"] = seconds * 1_000
            if problem:
                response.failure(problem)
            else:
                response.success()


def take_answer(response: Any, schedule: Schedule) -> str:
    """Note what was accepted; what went wrong, or nothing."""
    if not response.status_code:
        return type(response.error).__name__
    try:
        outcome = answers.read(
            response.status_code, response.headers or {}, response.content or b"", schedule.batch
        )
    except answers.NotAllowed as refused:
        return str(refused)
    prefix = endpoint.key_id(Test.options.api_key)
    Test.ledger.append([f"{prefix}/{event_id}" for event_id in outcome.accepted], now())
    schedule.accepted(len(outcome.accepted))
    if outcome.again:
        return f"{response.status_code}, to be sent again"
    return next(iter(outcome.refused.values()), "")


class Arrivals(LoadTestShape):
    """Keeps the pool as large as it was asked for, until every arrival has ended."""

    def tick(self) -> tuple[int, float] | None:
        schedule = Test.schedule
        if schedule and schedule.over:
            late = time.monotonic() - schedule.began - schedule.shape.seconds
            if not schedule.waiting or late > GRACE_SECONDS or schedule.failed_at:
                return None
        return Test.options.pool, float(Test.options.pool)


def finish(environment: Environment, **_: Any) -> None:
    """What was due and never answered is an error, and then the whole is told."""
    schedule, Test.schedule = Test.schedule, None
    if schedule is None:
        return
    schedule.stop()
    fire: Any = environment.events.request.fire
    for arrival in schedule.unanswered():
        fire(
            request_type="POST",
            name=NAME,
            response_time=schedule.ended(arrival, "no answer") * 1_000,
            response_length=0,
            exception=TimeoutError("no answer"),
            context={},
        )
    if schedule.untold:  # Locust looks once a second, too, and may have come first
        tell(second=asdict(schedule.second()))
    if commit():
        return  # `commit_ever` has said why, or will
    Test.next = schedule.next
    tell(whole=asdict(schedule.whole(Test.options.run_id, Test.ledger.count - Test.counted)))


def close(environment: Environment, **_: Any) -> None:
    """Also where it was interrupted; what was measured up to then is told."""
    finish(environment)
    # Whether there were errors is in the report; Locust's exit code says whether it ran.
    environment.process_exit_code = 0


def commit() -> str:
    """Put what was accepted on disk, in a thread beside gevent's: nothing else waits for it.

    Returns why it could not be, or nothing.
    """
    with Test.committing:
        return str(gevent.get_hub().threadpool.apply(_commit))


def _commit() -> str:
    try:
        Test.ledger.commit()
    except OSError as error:
        return f"The ledger {Test.ledger.path} cannot be written: {error.strerror}."
    return ""


def commit_ever(runner: Runner) -> None:
    """Until the ledger cannot be written: what nobody could account for is not sent."""
    while not (reason := commit()):
        gevent.sleep(COMMIT_SECONDS)
    print(reason, file=sys.stderr, flush=True)
    runner.quit()


def tell_seconds(schedule: Schedule) -> None:
    """A line for each second until the test is over."""
    for number in range(1, 1_000_000_000):
        gevent.sleep(max(0.0, schedule.began + number - time.monotonic()))
        if Test.schedule is not schedule:
            return
        tell(second=asdict(schedule.second()))
        if schedule.over and not schedule.waiting:
            return


def tell(**said: dict[str, Any]) -> None:
    """One line of JSON for the starter."""
    Test.report.write(msgspec.json.encode(said).decode() + "\n")
    Test.report.flush()


def end_with_starter(environment: Environment) -> None:
    """A load test must not go on when nobody is left to end it."""
    while os.getppid() == Test.options.starter:
        gevent.sleep(1)
    assert environment.runner is not None
    environment.runner.quit()


_hooks: Any = hooks  # untyped
_hooks.init_command_line_parser.add_listener(add_options)
_hooks.init.add_listener(prepare)
_hooks.test_start.add_listener(begin)
_hooks.spawning_complete.add_listener(let_arrive)
_hooks.test_stop.add_listener(finish)
_hooks.quitting.add_listener(close)
