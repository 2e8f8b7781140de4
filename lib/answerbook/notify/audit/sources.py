"""Reads what a run left behind, record by record and never whole, for account.py.

Each is read twice where something is wrong: once into arrays of hashes, once to name what is.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from confluent_kafka import KafkaException

from answerbook.notify import records
from answerbook.notify.records import (
    DeadLetter,
    EventReceipt,
    Malformed,
    NotificationReceipt,
    Record,
    UnsupportedVersion,
)
from answerbook.notify.topics import read_all

PLAIN: Final = re.compile(r"[A-Za-z0-9._-]+")
"""A run's id that stands in JSON as it is, whoever writes it."""

R = TypeVar("R", bound=Record)


class CannotAudit(Exception):
    """Something that the audit needs is missing or broken; the message says what to do."""


@dataclass(frozen=True)
class Sources:
    """Where a run's records are."""

    servers: str
    run_id: str
    ledger: Path
    emulator_record: Path | None
    """None where the real FCM was sent to, which keeps no record that we could read."""

    def ledger_ids(self) -> Iterator[str]:
        """The event of each line. A torn line is an error, and so is the last one.

        The sender counts an answer only once its line is on disk: what this file says is the proof
        that all else is held against, so nothing in it may be guessed.
        """
        for line, fields in _lines(self.ledger, len(records.LEDGER_FIELDS)):
            if fields is None:
                raise CannotAudit(f"{self.ledger}, line {line}, is no line of a ledger.")
            yield fields[0].decode(errors="replace")

    def accepted_ids(self) -> Iterator[str]:
        """The notification of each message of the run, or the message's name where it has none.

        The last line may be torn, and is left out. The emulator writes many lines at once: one that
        was killed in the midst of it cuts the torn line off at its next start, and one that runs
        may be about to write the rest. A torn line before others is an error.
        """
        assert self.emulator_record is not None
        run_id = self.run_id.encode()
        torn = None
        for line, fields in _lines(self.emulator_record, len(records.EMULATOR_FIELDS)):
            if torn is not None:
                raise CannotAudit(f"{self.emulator_record}, line {torn}, is torn.")
            if fields is None:
                torn = line
            elif fields[3] == run_id:
                yield (fields[5] or fields[0]).decode(errors="replace")

    def event_receipts(self, unreadable: Callable[[str], None]) -> Iterator[EventReceipt]:
        return self._receipts(records.RECEIPTS_EVENTS, EventReceipt, unreadable)

    def notification_receipts(
        self, unreadable: Callable[[str], None]
    ) -> Iterator[NotificationReceipt]:
        return self._receipts(records.RECEIPTS_NOTIFICATIONS, NotificationReceipt, unreadable)

    def dead_letters(self) -> Iterator[DeadLetter]:
        """Those of the run, and those that do not know of which run they are."""
        with _kafka_errors(self.servers):
            for message in read_all(self.servers, records.DEAD_LETTERS):
                try:
                    letter = records.decode(message.value() or b"", DeadLetter)
                except (Malformed, UnsupportedVersion):
                    continue
                if letter.run_id in (self.run_id, ""):
                    yield letter

    def _receipts(
        self, topic: str, kind: type[R], unreadable: Callable[[str], None]
    ) -> Iterator[R]:
        run_id = self.run_id
        # Most of what other runs left need not be decoded.
        mark = run_id.encode() if PLAIN.fullmatch(run_id) else b""
        decode = records.decode
        with _kafka_errors(self.servers):
            for message in read_all(self.servers, topic):
                content = message.value() or b""
                if mark not in content:
                    continue
                try:
                    receipt = decode(content, kind)
                except (Malformed, UnsupportedVersion):
                    unreadable(f"{topic}/{message.partition()}/{message.offset()}")
                    continue
                if receipt.run_id == run_id:
                    yield receipt


def _lines(path: Path, count: int) -> Iterator[tuple[int, list[bytes] | None]]:
    """Number and fields of each line; None for one that is torn."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                fields = line[:-1].split(b"\t")
                whole = len(fields) == count and line.endswith(b"\n")
                yield number, fields if whole else None
    except OSError as error:
        raise CannotAudit(f"{path} cannot be read: {error.strerror}.") from error


@contextmanager
def _kafka_errors(servers: str) -> Iterator[None]:
    try:
        yield
    except (KafkaException, TimeoutError) as error:
        raise CannotAudit(
            f"Kafka at {servers} does not answer: {error}. Its address: ANSWERBOOK_NOTIFY_KAFKA."
        ) from error
    except LookupError as error:
        raise CannotAudit(str(error)) from error
