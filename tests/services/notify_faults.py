"""What must hold after a fault under load; for the short tests and the thorough ones."""

from collections import Counter
from collections.abc import Callable
from typing import Final

import msgspec

from answerbook.config import NotifySettings
from answerbook.notebook.fault_runs import Struck
from answerbook.notify import records, topics
from answerbook.notify.records import DeadLetter
from answerbook.services import Notify

HARM: Final[dict[str, Callable[[Struck], object]]] = {
    "the API killed": lambda struck: struck.totals.failures,
    "FCM down": lambda struck: struck.errors and struck.pause,
    "FCM answers 503 to a third": lambda struck: struck.errors,
    "FCM answers 429 to a third": lambda struck: struck.errors,
    "FCM loses answers": lambda struck: struck.errors and struck.twice,
    "poison events": lambda struck: struck.report.events.dead + struck.report.notifications.dead,
    "a flood of malformed input": lambda struck: struck.totals.refused,
}
"""What shows that a fault did something; of a program that was killed its process does."""


def may_come_twice(fault: str, workers: int) -> int:
    """How many messages at most FCM may get again, where that cannot be known."""
    settings = NotifySettings()
    if fault == "a delivery worker killed":
        return settings.deliver_in_flight  # it had sent them, and recorded none
    if fault == "FCM down":
        return workers * settings.deliver_connections  # each had one under way when it was cut
    return 1_000_000_000 if fault == "FCM loses answers" else 0  # counted by the emulator


def nothing_is_lost(struck: Struck, events: int) -> None:
    """Each event was promised, has its outcome, and stands where it should."""
    report = struck.report
    assert struck.totals.done
    assert events == struck.totals.accepted + struck.totals.refused, struck.totals
    assert report.balanced, (report.summary, report.findings)
    assert 0 == struck.lost
    assert 0 == struck.samples[-1].lag
    assert not report.unreadable
    assert struck.totals.accepted == report.events.accepted
    assert report.notifications.sent > 0
    assert struck.twice <= may_come_twice(struck.fault.name, workers=2), report.summary
    harm = HARM.get(struck.fault.name)
    assert harm is None or harm(struck), f"{struck.fault.name} did no harm"


def letters(notify: Notify) -> Counter[str]:
    """Dead letters of what `faults.flood_kafka` wrote, by stage and reason."""
    found: Counter[str] = Counter()
    for message in topics.read_all(notify.kafka.url, records.DEAD_LETTERS):
        letter = msgspec.json.decode(message.value() or b"", type=DeadLetter)
        if letter.run_id in ("", "bad"):
            found[f"{letter.stage}: {letter.reason}"] += 1
    return found
