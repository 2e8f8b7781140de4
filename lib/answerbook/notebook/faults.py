"""What can break in the notification system: each fault as something that is done, and mended.

    fault = faults.NAMED["the API killed"]
    fault.strike(notify), fault.mend(notify)

For fault_runs.py, which does it under load. A killed program is started again as an orchestrator
would, with the very call that started it: `services.require("notify")`.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.request import ProxyHandler, Request, build_opener

from answerbook.notebook.waiting import wait_for

if TYPE_CHECKING:
    from answerbook.services import Notify

END_SECONDS = 60.0
"""What a program may take to see that its JVM is gone, and to end."""
MALFORMED: Final = (
    b"",
    b"not JSON",
    b"\xff\xfe\x00",
    b'["a list"]',
    b'{"event_id": "half of',
    b'{"event_id": 7, "run_id": "bad"}',
    b'{"run_id": "bad", "version": 99, "event_id": "newer"}',
)
"""Values that are no event; written past the API, straight into Kafka."""
FLOOD = 700
_opener = build_opener(ProxyHandler({}))  # the emulator is on this machine


def nothing(_system: Notify) -> None:
    """Some faults lie in what is sent."""


def start_again(system: Notify) -> None:
    """As `services.require("notify")`: what runs is left alone."""
    system.start()


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong for a while."""

    name: str
    strike: Callable[[Notify], object] = nothing
    mend: Callable[[Notify], object] = nothing
    seconds: float = 0.0
    """From the one to the other, at least."""
    enough: int = 0
    """Sends that must have gone wrong at FCM before it is mended: a busy machine is slow."""
    malformed: float = 0.0
    """The share of the events that are sent; so is `poison`."""
    poison: float = 0.0
    may_repeat: bool = False
    """Whether FCM may get something twice: where the answer is lost, nobody can know."""


# -- programs -------------------------------------------------------------------------------------


def kill_jvm(system: Notify) -> None:
    """SIGKILL to Spark's JVM alone: the program around it has to notice by itself."""
    import psutil

    jvms = [
        child
        for node in system.render.nodes()
        if node.pid is not None
        for child in psutil.Process(node.pid).children(recursive=True)
        if "java" in child.name()
    ]
    if not jvms:
        raise LookupError("Spark has no JVM: is render running?")
    for jvm in jvms:
        os.kill(jvm.pid, signal.SIGKILL)


def start_render_again(system: Notify) -> None:
    """Once the program has ended by itself; a half-dead one would be waited for."""
    wait_for(
        lambda: all(node.condition == "stopped" for node in system.render.nodes()),
        "render ends without its JVM",
        END_SECONDS,
    )
    start_again(system)


# -- FCM's emulator -------------------------------------------------------------------------------


def control(system: Notify, method: str, call: str, body: object = None) -> Any:
    """Call the emulator's control API; its answer. Raises OSError."""
    request = Request(
        f"{system.emulator.url}/control/{call}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {system.emulator.token}"},
    )
    with _opener.open(request, timeout=30) as answer:
        return json.load(answer)


def gone_wrong(system: Notify) -> int:
    """Sends that the emulator did not take, or took and did not say so; all since its start."""
    counts = control(system, "GET", "counts")
    return int(sum(counts["answers"].values()) - counts["accepted"] + counts["answers_lost"])


def emulator_faults(**faults: object) -> Callable[[Notify], object]:
    """Sets the emulator's faults, as notify/emulator/faults.py has them."""
    return lambda system: control(system, "PUT", "faults", faults)


def lift(system: Notify) -> None:
    control(system, "DELETE", "faults")


# -- what is sent ---------------------------------------------------------------------------------


def flood_kafka(system: Notify, count: int = FLOOD) -> None:
    """Write what is no event into the topic of events, as a program with a bug would."""
    from answerbook.notify import records
    from answerbook.notify.kafka import Writer

    writer = Writer(system.kafka.url)
    try:
        values = (MALFORMED[number % len(MALFORMED)] for number in range(count))
        writer.write_now([(records.EVENTS, None, value, -1) for value in values])
    finally:
        writer.close()


# -- all ------------------------------------------------------------------------------------------

FAULTS: Final = (
    Fault("Spark's JVM killed", kill_jvm, start_render_again),
    Fault(
        "a delivery worker killed",
        lambda system: system.deliver.kill(node=1),
        start_again,
        seconds=2,
        may_repeat=True,
    ),
    Fault("the API killed", lambda system: system.api.kill(), start_again, seconds=2),
    Fault("PostgreSQL restarted", lambda system: system.postgres.stop(), start_again, seconds=3),
    Fault(
        "FCM down",
        emulator_faults(outage={"kind": "refuse"}),
        lift,
        seconds=5,
        enough=5,
        may_repeat=True,  # a connection that is cut had messages under way
    ),
    Fault(
        "FCM answers 503 to a third",
        emulator_faults(errors={"UNAVAILABLE": 1 / 3}),
        lift,
        seconds=6,
        enough=50,
    ),
    Fault(
        "FCM answers 429 to a third",
        emulator_faults(errors={"QUOTA_EXCEEDED": 1 / 3}, retry_after=2),
        lift,
        seconds=2,
        enough=20,
    ),
    Fault(
        "FCM loses answers",
        emulator_faults(lost_answers={"share": 0.1, "how": "cut"}),
        lift,
        seconds=4,
        enough=20,
        may_repeat=True,
    ),
    Fault("poison events", poison=0.02),
    Fault("a flood of malformed input", flood_kafka, malformed=0.3),
)
NAMED: Final = {fault.name: fault for fault in FAULTS}
BROKER: Final = Fault(
    "a broker of three killed", lambda system: system.kafka.kill(node=1), start_again, seconds=5
)
"""For a system on three brokers: `services.require("notify", kafka="kafka-3")`."""
