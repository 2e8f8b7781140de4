"""`answerbook notify audit` on a small run in a live Kafka, whole and with one record missing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from answerbook import services
from answerbook.cli import app
from answerbook.config import NotifySettings
from answerbook.notify import audit, records
from answerbook.notify.kafka import Item, Writer
from answerbook.notify.records import DeadLetter, EventReceipt, NotificationReceipt, encode
from answerbook.notify.topics import create_topics

EVENTS = 30
Part = Literal["ledger", "event", "notification", "letter", "accepted"]
BEGAN = 1_700_000_000_000


class Run:
    """A run as the system leaves it, without the record that a test takes away.

    Events 0 to 26 were expanded into two notifications each, of which two are dead, one with its
    device; 27 was suppressed, 28 has expired, 29 is dead.
    """

    def __init__(self, kafka: str, folder: Path, without: tuple[Part, str] | None = None) -> None:
        self.id = uuid4().hex
        self.without = without
        self.settings = NotifySettings(kafka=kafka, folder=folder)
        self.ledger = folder / f"{self.id}.ledger"
        self.record = folder / "accepted.tsv"
        self.items: list[Item] = []
        self.lines: dict[Path, str] = {self.ledger: "", self.record: ""}
        for number in range(EVENTS):
            self._add(number)
        writer = Writer(kafka)
        writer.write_now(self.items)
        writer.close()
        for path, lines in self.lines.items():
            path.write_text(lines)

    def _add(self, number: int) -> None:
        event = f"key/{number}"
        if self._is_left("ledger", event):
            self.lines[self.ledger] += f"{event}\t{BEGAN + 5}\n"
        receipt = EventReceipt(
            run_id=self.id, event_id=event, outcome="expanded", at=BEGAN + 100, accepted_at=BEGAN
        )
        if number < 27:
            receipt.notifications = [f"{event}/0", f"{event}/1"]
            for name in receipt.notifications:
                self._add_notification(event, name)
        else:
            receipt.outcome = {27: "suppressed", 28: "expired", 29: "dead"}[number]  # type: ignore[assignment]
        if receipt.outcome == "dead":
            self._add_letter("render", event, "")
        if self._is_left("event", event):
            self._add_item(records.RECEIPTS_EVENTS, event, receipt)

    def _add_notification(self, event: str, name: str) -> None:
        is_gone = name == "key/25/1"
        is_dead = name == "key/26/1" or is_gone
        if is_dead and not is_gone:
            self._add_letter("deliver", event, name)
        elif not is_dead and self._is_left("accepted", name):
            self.lines[self.record] += (
                f"projects/p/messages/1\t{BEGAN}\ttoken:t\t{self.id}\t{event}\t{name}\n"
            )
        if self._is_left("notification", name):
            receipt = NotificationReceipt(
                run_id=self.id,
                notification_id=name,
                event_id=event,
                device_id="d",
                outcome="dead" if is_dead else "sent",
                accepted_at=BEGAN,
                rendered_at=BEGAN + 100,
                at=BEGAN + 250,
                reason="UNREGISTERED" if is_gone else "",
            )
            self._add_item(records.RECEIPTS_NOTIFICATIONS, name, receipt)

    def _add_letter(self, stage: records.Stage, event: str, name: str) -> None:
        if self._is_left("letter", name or event):
            letter = DeadLetter(
                run_id=self.id, stage=stage, reason="attempts", at=BEGAN, event_id=event
            )
            letter.notification_id = name
            self._add_item(records.DEAD_LETTERS, name or event, letter)

    def _add_item(self, topic: str, key: str, record: records.Record) -> None:
        self.items.append((topic, key.encode(), encode(record), -1))

    def _is_left(self, part: Part, name: str) -> bool:
        return (part, name) != self.without

    def audit(self) -> audit.Report:
        return audit.run(self.settings, self.id, self.ledger, self.record)


NewRun = Callable[..., Run]


@pytest.fixture(scope="module")
def kafka(session_home: Path) -> str:
    """Kafka's address, with the system's topics."""
    address = str(services.require("kafka").url)
    create_topics(address, records.TOPICS, 3, 1)
    return address


@pytest.fixture
def new_run(kafka: str, tmp_path: Path) -> NewRun:
    """Writes runs, all with the same ids: what another left is not taken for a run's own."""

    def new(without: tuple[Part, str] | None = None) -> Run:
        return Run(kafka, tmp_path, without)

    return new


def test_run_that_came_out_balances(new_run: NewRun) -> None:
    report = new_run().audit()

    assert report.balanced, report.summary
    assert [] == report.findings
    events, notifications = report.events, report.notifications
    assert (EVENTS, 27, 1, 1, 1, 0) == (
        events.accepted,
        events.expanded,
        events.suppressed,
        events.expired,
        events.dead,
        events.no_outcome,
    )
    assert (54, 52, 2, 0) == (
        notifications.total,
        notifications.sent,
        notifications.dead,
        notifications.pending,
    )
    assert audit.FcmCounts(accepted=52, duplicates=0) == report.fcm
    assert [("door → rendered", 100), ("rendered → FCM's answer", 150)] == [
        (row.stage, row.p99) for row in report.latency[:2]
    ]


@pytest.mark.parametrize(
    ("part", "name", "rule"),
    [
        ("event", "key/3", "no outcome"),
        ("event", "key/27", "no outcome"),
        ("event", "key/29", "no outcome"),
        ("notification", "key/3/1", "pending"),
        ("notification", "key/26/1", "pending"),
        ("accepted", "key/3/0", "not accepted"),
        ("letter", "key/29", "event without letter"),
        ("letter", "key/26/1", "notification without letter"),
    ],
)
def test_one_record_too_few_is_named(new_run: NewRun, part: Part, name: str, rule: str) -> None:
    report = new_run((part, name)).audit()

    assert not report.balanced
    assert (True, 1, [name]) == (
        report.found(rule).fails,
        report.found(rule).total,
        report.found(rule).ids,
    )
    assert f"NOT BALANCED (1 {rule}" in report.summary


def test_line_that_the_ledger_lost_is_only_told(new_run: NewRun) -> None:
    report = new_run(("ledger", "key/3")).audit()

    assert report.balanced
    assert ["key/3"] == report.found("unconfirmed").ids
    assert EVENTS - 1 == report.events.accepted


def test_message_that_only_fcm_knows_is_named(new_run: NewRun) -> None:
    run = new_run()
    with run.record.open("a") as file:
        file.write(f"projects/p/messages/2\t1\ttoken:t\t{run.id}\tkey/1\tnobody's\n")

    assert ["nobody's"] == run.audit().found("unknown").ids
    assert not run.audit().balanced


def test_unreadable_receipts_are_told_by_their_place(new_run: NewRun, kafka: str) -> None:
    run = new_run()
    writer = Writer(kafka)
    writer.write_now([(records.RECEIPTS_EVENTS, None, b"broken " + run.id.encode(), 0)])
    writer.close()

    (place,) = run.audit().unreadable
    assert place.startswith("receipts.events/0/")
    assert run.audit().balanced


# -- the command ---------------------------------------------------------------------------------


@pytest.fixture
def command(kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `answerbook notify audit`, with the test's folder."""
    monkeypatch.setenv("ANSWERBOOK_NOTIFY_KAFKA", kafka)
    monkeypatch.setenv("ANSWERBOOK_NOTIFY_FOLDER", str(tmp_path))

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, ["notify", "audit", *words])

    return run


def test_command_ends_with_one_line_that_sums_it_up(
    new_run: NewRun, command: Callable[..., Result]
) -> None:
    run = new_run()
    result = command(run.id)

    assert 0 == result.exit_code, result.output
    assert result.stdout.splitlines()[-1].startswith(
        f"{run.id}: balanced; 30 events accepted; 54 notifications, 52 sent, 0 twice at FCM"
    )


def test_command_names_what_is_wrong_and_fails(
    new_run: NewRun, command: Callable[..., Result]
) -> None:
    run = new_run(("notification", "key/3/1"))

    result = command(run.id)
    assert 1 == result.exit_code
    assert "pending (1): notifications without a receipt\n  key/3/1\n" in result.stdout
    assert 0 == command(run.id, "--allow-pending").exit_code
    as_json = json.loads(command(run.id, "--json").stdout)
    assert [["key/3/1"]] == [found["ids"] for found in as_json["findings"] if found["fails"]]
    assert not as_json["balanced"]


def test_duplicates_at_fcm_are_told_and_fail_where_none_may_be(
    new_run: NewRun, command: Callable[..., Result]
) -> None:
    run = new_run()
    run.record.write_text(run.record.read_text() + run.record.read_text().splitlines(True)[0])

    assert "1 twice at FCM" in command(run.id).stdout
    assert 0 == command(run.id).exit_code
    assert 1 == command(run.id, "--no-duplicates").exit_code


def test_run_on_the_real_fcm_has_no_record_to_be_held_against(
    new_run: NewRun, command: Callable[..., Result]
) -> None:
    run = new_run()
    run.record.unlink()

    missing = command(run.id)
    assert (2, True) == (missing.exit_code, "accepted.tsv cannot be read" in missing.stderr)
    assert 0 == command(run.id, "--real-fcm").exit_code


def test_unknown_run_and_silent_kafka_are_errors_of_their_own(
    new_run: NewRun, command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = new_run()
    empty = tmp_path / "empty"
    empty.touch()

    assert "none.ledger cannot be read" in command("none").stderr
    unknown = command("none", "--ledger", str(empty))
    assert (2, True) == (unknown.exit_code, "Nothing is known of a run none" in unknown.stderr)
    monkeypatch.setenv("ANSWERBOOK_NOTIFY_KAFKA", "127.0.0.1:1")
    silent = command(run.id)
    assert (2, True) == (silent.exit_code, "ANSWERBOOK_NOTIFY_KAFKA" in silent.stderr)
