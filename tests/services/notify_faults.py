"""What must hold after a fault under load; for the short tests and the thorough ones."""

from collections import Counter

import msgspec

from answerbook.notebook.fault_runs import Struck
from answerbook.notify import records, topics
from answerbook.notify.records import DeadLetter
from answerbook.services import Notify


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
    if not struck.fault.may_repeat:
        assert 0 == struck.twice, report.summary


def letters(notify: Notify) -> Counter[str]:
    """Dead letters of what `faults.flood_kafka` wrote, by stage and reason."""
    found: Counter[str] = Counter()
    for message in topics.read_all(notify.kafka.url, records.DEAD_LETTERS):
        letter = msgspec.json.decode(message.value() or b"", type=DeadLetter)
        if letter.run_id in ("", "bad"):
            found[f"{letter.stage}: {letter.reason}"] += 1
    return found
