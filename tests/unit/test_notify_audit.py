"""The audit's arithmetic: what balances, and what one record too few, too many or altered does."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from answerbook.notify.audit import CannotAudit, rules
from answerbook.notify.audit.balance import (
    EVENT_BITS,
    NOTIFICATION_BITS,
    Records,
    balance,
    hashed,
)
from answerbook.notify.audit.rules import Balance, Rule
from answerbook.notify.audit.sources import Sources

EventReceipt = tuple[str, str, tuple[str, ...]]
NotificationReceipt = tuple[str, str, str, int]


@dataclass
class History:
    """What a run left behind, record by record."""

    ledger: list[str] = field(default_factory=list)
    events: list[EventReceipt] = field(default_factory=list)
    notifications: list[NotificationReceipt] = field(default_factory=list)
    dead_events: list[str] = field(default_factory=list)
    dead_notifications: list[str] = field(default_factory=list)
    undeliverable: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)

    def audit(self, *, allow_pending: bool = False, allow_duplicates: bool = True) -> Balance:
        records = Records(
            ledger=hashed(self.ledger),
            events=hashed(event for event, _, _ in self.events),
            event_outcomes=np.array([EVENT_BITS[said] for _, said, _ in self.events], np.uint8),
            expanded_into_nothing=hashed(
                event for event, said, into in self.events if said == "expanded" and not into
            ),
            named=hashed(name for _, _, into in self.events for name in into),
            named_by=hashed(event for event, _, into in self.events for _ in into),
            notifications=hashed(name for name, _, _, _ in self.notifications),
            notification_events=hashed(event for _, event, _, _ in self.notifications),
            notification_outcomes=np.array(
                [NOTIFICATION_BITS[said] for _, _, said, _ in self.notifications], np.uint8
            ),
            replays=np.array([replay for _, _, _, replay in self.notifications], np.int64),
            letters_of_events=hashed(self.dead_events),
            letters_of_notifications=hashed(self.dead_notifications),
            undeliverable=hashed(self.undeliverable),
            accepted=hashed(self.accepted),
        )
        return balance(records, allow_pending=allow_pending, allow_duplicates=allow_duplicates)


ENDS = {
    "sent": [("sent", 0)],
    "sent, said twice": [("sent", 0), ("sent", 0)],
    "sent after its death": [("dead", 0), ("sent", 1)],
    "sent after two": [("sent", 2), ("dead", 1), ("dead", 0)],
    "expired after its death": [("dead", 0), ("expired", 1)],
    "suppressed": [("suppressed", 0)],
    "expired": [("expired", 0)],
    "dead": [("dead", 0)],
    "dead with its device": [("dead", 0)],
}
"""How a notification may end: its receipts, with the replay that each is of."""
DECISIONS = {
    "expanded": ["expanded"],
    "expanded, done again": ["expanded", "expanded"],
    "expanded and then suppressed": ["expanded", "suppressed"],
    "expired and then expanded": ["expired", "expanded"],
    "suppressed": ["suppressed"],
    "suppressed and then expired": ["suppressed", "expired"],
    "expired": ["expired"],
    "dead": ["dead"],
}
"""What render may have said of an event."""


@dataclass
class Fate:
    """What becomes of one event."""

    decision: str
    ends: list[str]
    confirmed: bool
    times_accepted: int


FINE = Fate("expanded", ["sent"], confirmed=True, times_accepted=1)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Runs in which nothing is amiss, whatever went wrong on the way."""
    fates = draw(
        st.lists(
            st.builds(
                Fate,
                st.sampled_from(list(DECISIONS)),
                st.lists(st.sampled_from(list(ENDS)), min_size=1, max_size=3),
                st.booleans(),
                st.integers(1, 3),
            ),
            min_size=1,
            max_size=6,  # with 3 notifications each, all of them are among the named
        )
    )
    history = History()
    for number, fate in enumerate(fates):
        _add(history, f"event{number}", fate)
    shuffle = Random(draw(st.integers(0, 99))).shuffle
    for each in vars(history).values():
        shuffle(each)
    return history


def _add(history: History, event: str, fate: Fate) -> None:
    if fate.confirmed:
        history.ledger.append(event)
    names = tuple(f"{event}/{part}" for part in range(len(fate.ends)))
    decisions = DECISIONS[fate.decision]
    for said in decisions:
        history.events.append((event, said, names if said == "expanded" else ()))
    if "dead" in decisions:
        history.dead_events.append(event)
    if "expanded" not in decisions:
        return
    for name, end in zip(names, fate.ends, strict=True):
        for said, replay in ENDS[end]:
            history.notifications.append((name, event, said, replay))
            if said == "dead":
                letters = history.undeliverable if "device" in end else history.dead_notifications
                letters.append(name)
        if end.startswith("sent"):
            history.accepted.extend([name] * fate.times_accepted)
        elif end == "expired" and fate.times_accepted == 3:  # the answers were lost
            history.accepted.append(name)


def found(audited: Balance, rule: Rule) -> set[int]:
    return {
        number for finding in audited.findings if finding.rule == rule for number in finding.ids
    }


def failed(audited: Balance) -> set[Rule]:
    return {finding.rule for finding in audited.findings if finding.fails}


def pick(data: st.DataObject, some: list[str]) -> str:
    return data.draw(st.sampled_from(sorted(set(some))))


@given(histories())
def test_whatever_ended_as_it_may_balances(history: History) -> None:
    audited = history.audit()

    assert set() == failed(audited)
    assert audited.balanced
    assert len(history.ledger) == audited.events.accepted
    assert 0 == audited.events.no_outcome == audited.notifications.pending
    events, notifications = audited.events, audited.notifications
    assert events.accepted == events.expanded + events.suppressed + events.expired + events.dead
    assert len({name for name, _, _, _ in history.notifications}) == notifications.total
    assert notifications.total == (
        notifications.sent + notifications.suppressed + notifications.expired + notifications.dead
    )
    sent = {name for name, _, said, _ in history.notifications if said == "sent"}
    assert len(sent) == notifications.sent
    times = Counter(history.accepted)
    assert audited.fcm is not None
    assert (times.total(), times.total() - len(times)) == (
        audited.fcm.accepted,
        audited.fcm.duplicates,
    )
    twice = {hash(name) for name, count in times.items() if count > 1}
    assert found(audited, rules.DUPLICATES) == twice
    assert (not twice) == history.audit(allow_duplicates=False).balanced


@given(histories(), st.data())
def test_event_without_its_receipt_is_named(history: History, data: st.DataObject) -> None:
    _add(history, "fine", FINE)
    event = pick(data, history.ledger)
    history.events = [receipt for receipt in history.events if receipt[0] != event]

    audited = history.audit()
    assert not audited.balanced
    assert {hash(event)} == found(audited, rules.NO_OUTCOME)
    assert found(audited, rules.STRAY) == {
        hash(name) for name, of, _, _ in history.notifications if of == event
    }


@given(histories(), st.data())
def test_notification_without_its_receipt_is_named(history: History, data: st.DataObject) -> None:
    _add(history, "fine", FINE)
    unnaming = {event for event, _, into in history.events if not into}
    name = pick(data, [name for name, of, _, _ in history.notifications if of not in unnaming])
    history.notifications = [receipt for receipt in history.notifications if receipt[0] != name]

    assert {hash(name)} == found(history.audit(), rules.PENDING)
    assert not history.audit().balanced
    assert history.audit(allow_pending=True).balanced


@given(histories(), st.data())
def test_sent_notification_that_fcm_does_not_know_is_named(
    history: History, data: st.DataObject
) -> None:
    _add(history, "fine", FINE)
    sent = [name for name, _, said, _ in history.notifications if said == "sent"]
    name = pick(data, sent)
    history.accepted = [line for line in history.accepted if line != name]

    audited = history.audit()
    assert {rules.NOT_ACCEPTED} == failed(audited)
    assert {hash(name)} == found(audited, rules.NOT_ACCEPTED)


@given(histories(), st.data())
def test_event_that_nobody_saw_accepted_is_only_told(history: History, data: st.DataObject) -> None:
    _add(history, "fine", FINE)
    event = pick(data, history.ledger)
    before = found(history.audit(), rules.UNCONFIRMED)
    history.ledger.remove(event)

    audited = history.audit()
    assert audited.balanced
    assert before | {hash(event)} == found(audited, rules.UNCONFIRMED)


@given(histories(), st.data())
def test_dead_event_or_notification_without_a_letter_is_named(
    history: History, data: st.DataObject
) -> None:
    _add(history, "poison", Fate("dead", ["sent"], confirmed=True, times_accepted=1))
    last = {name for name, said in _best(history).items() if said == "dead"}
    name = pick(data, history.dead_events + sorted(last))
    for letters in (history.dead_events, history.dead_notifications, history.undeliverable):
        letters[:] = [letter for letter in letters if letter != name]

    audited = history.audit()
    assert {hash(name)} == (
        found(audited, rules.EVENT_WITHOUT_LETTER) | found(audited, rules.WITHOUT_LETTER)
    )
    assert not audited.balanced


def _best(history: History) -> dict[str, str]:
    order = list(NOTIFICATION_BITS)
    best: dict[str, str] = {}
    for name, _, said, _ in history.notifications:
        best[name] = min(best.get(name, said), said, key=order.index)
    return best


@given(histories())
def test_message_that_nobody_knows_is_named(history: History) -> None:
    history.accepted.append("nobody's")

    audited = history.audit()
    assert {rules.UNKNOWN} == failed(audited)
    assert {hash("nobody's")} == found(audited, rules.UNKNOWN)


@given(histories(), st.data())
def test_event_that_is_dead_and_something_else_is_named(
    history: History, data: st.DataObject
) -> None:
    _add(history, "fine", FINE)
    event = pick(data, [event for event, said, _ in history.events if said != "dead"])
    history.events.append((event, "dead", ()))
    history.dead_events.append(event)

    audited = history.audit()
    assert {rules.EVENT_CONTRADICTED} == failed(audited)
    assert {hash(event)} == found(audited, rules.EVENT_CONTRADICTED)


@given(histories(), st.data(), st.sampled_from(["suppressed", "expired", "dead"]))
def test_notification_with_two_outcomes_is_named(
    history: History, data: st.DataObject, other: str
) -> None:
    _add(history, "fine", FINE)
    sent = {name: of for name, of, said, _ in history.notifications if said == "sent"}
    name = pick(data, list(sent))
    history.notifications.append((name, sent[name], other, 2))
    history.dead_notifications.append(name)

    audited = history.audit()
    assert {rules.CONTRADICTED} == failed(audited)
    assert {hash(name)} == found(audited, rules.CONTRADICTED)


@given(histories(), st.data())
def test_receipt_that_was_made_sent_is_named(history: History, data: st.DataObject) -> None:
    _add(history, "late", Fate("expanded", ["expired"], confirmed=True, times_accepted=1))
    once = Counter(name for name, _, _, _ in history.notifications)
    others = {name for name, count in once.items() if count == 1} - set(history.accepted)
    name = pick(data, list(others))
    history.notifications = [
        (of, event, "sent" if of == name else outcome, replay)
        for of, event, outcome, replay in history.notifications
    ]

    assert {hash(name)} == found(history.audit(), rules.NOT_ACCEPTED)
    assert not history.audit().balanced


@given(histories(), st.data())
def test_receipt_that_was_made_expired_is_told(history: History, data: st.DataObject) -> None:
    _add(history, "fine", FINE)
    sent = [name for name, _, said, _ in history.notifications if said == "sent"]
    name = pick(data, sent)
    history.notifications = [receipt for receipt in history.notifications if receipt[0] != name] + [
        (name, name.partition("/")[0], "expired", 0)
    ]

    assert hash(name) in found(history.audit(), rules.UNRECORDED)


@given(histories())
def test_event_that_was_expanded_into_nothing_is_named(history: History) -> None:
    history.ledger.append("lost")
    history.events.append(("lost", "expanded", ()))

    assert {rules.INTO_NOTHING} == failed(history.audit())
    assert {hash("lost")} == found(history.audit(), rules.INTO_NOTHING)


@given(histories())
def test_event_that_a_replay_decided_otherwise_is_told(history: History) -> None:
    said: dict[str, set[str]] = {}
    for event, outcome, _ in history.events:
        said.setdefault(event, set()).add(outcome)
    twice = {hash(event) for event, outcomes in said.items() if len(outcomes) > 1}

    assert found(history.audit(), rules.DECIDED_TWICE) == twice


def test_notifications_of_a_decision_that_left_no_receipt_are_told() -> None:
    history = History(["e"], [("e", "suppressed", ())], [("e/0", "e", "sent", 0)], accepted=["e/0"])
    audited = history.audit()
    assert audited.balanced
    assert {hash("e/0")} == found(audited, rules.REVISED)


def test_notification_that_spark_withdrew_before_it_was_written_is_told() -> None:
    both, one = ("e", "expanded", ("e/0", "e/1")), ("e", "expanded", ("e/0",))
    history = History(["e"], [both, one], [("e/0", "e", "sent", 0)], accepted=["e/0"])
    audited = history.audit()
    assert audited.balanced
    assert {hash("e/1")} == found(audited, rules.WITHDRAWN)
    assert 1 == audited.notifications.total

    history.events = [both, both]
    assert {hash("e/1")} == found(history.audit(), rules.PENDING)
    assert not history.audit().balanced


def test_the_first_twenty_are_named_in_the_order_of_reading_with_their_number() -> None:
    names = [f"event{number}" for number in range(1_000)]
    (finding,) = History(ledger=[*names, *names]).audit().findings
    assert (1_000, [hash(name) for name in names[:20]]) == (finding.total, finding.ids.tolist())


def test_nothing_balances() -> None:
    assert History().audit().balanced


# -- files ---------------------------------------------------------------------------------------

LINE = "projects/p/messages/1\t1\ttoken:t\tr\te\tn\n"
ReadFile = Callable[[str, str], list[str]]


@pytest.fixture
def read(tmp_path: Path) -> ReadFile:
    """Reads a ledger or an emulator's record with this content."""

    def read(which: str, content: str) -> list[str]:
        path = tmp_path / "file"
        path.write_text(content)
        sources = Sources("", "r", path, path)
        return list(sources.ledger_ids() if which == "ledger" else sources.accepted_ids())

    return read


def test_ledger_tells_the_events_that_were_answered(read: ReadFile) -> None:
    assert ["key/1", "key/ü"] == read("ledger", "key/1\t5\nkey/ü\t6\n")


@pytest.mark.parametrize("content", ["key/1\t5\nkey/2", "key/1\t5\nkey/2\t6", "\n", "a\tb\tc\n"])
def test_torn_line_of_a_ledger_is_an_error(read: ReadFile, content: str) -> None:
    with pytest.raises(CannotAudit, match=r"line \d, is no line of a ledger"):
        read("ledger", content)


def test_record_tells_the_notifications_of_the_run_alone(read: ReadFile) -> None:
    other = LINE.replace("\tr\t", "\tanother\t")
    assert ["n"] == read("record", other + LINE + other)


def test_message_without_a_notification_goes_by_its_name(read: ReadFile) -> None:
    assert ["projects/p/messages/1"] == read("record", LINE.replace("\tn\n", "\t\n"))


@pytest.mark.parametrize("torn", ["projects", LINE[:-1], LINE[:-3]])
def test_only_the_last_line_of_a_record_may_be_torn(read: ReadFile, torn: str) -> None:
    assert ["n"] == read("record", LINE + torn)
    with pytest.raises(CannotAudit, match="line 2, is torn"):
        read("record", LINE + "projects\n" + LINE)


@pytest.mark.parametrize("which", ["ledger", "record"])
def test_missing_file_is_named(which: str, tmp_path: Path) -> None:
    path = tmp_path / "missing"
    sources = Sources("", "r", path, path)
    with pytest.raises(CannotAudit, match="missing cannot be read: No such file"):
        list(sources.ledger_ids() if which == "ledger" else sources.accepted_ids())
