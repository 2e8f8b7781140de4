"""What a worker knows of the notifications of one partition number: sent, failed, or under way.

Used by worker.py for each notification before it is sent. rebuild.py fills it from Kafka before
anything is sent from a partition that was just assigned. This is what keeps a replay by Spark, or
by a worker that took over, away from the phone:

- *sent*: its receipt says so. Never again.
- *failed* (dead or expired): again only with a higher `replay` than the one that failed.
- *open*: being sent now, or waiting in a retry topic. Every other copy is dropped, since the one
  that is open ends with an outcome; for the same reason a retry older than the newest is dropped.

A copy may be dropped although the outcome of the open one is not in Kafka yet: that one's own
offset is not committed before it is, and so it is read again after a crash.
"""

from answerbook.notify.records import Notification

ATTEMPTS = 1 << 16


def key_of(notification_id: str) -> bytes:
    """16 bytes in place of 32 digits: half the memory."""
    try:
        return bytes.fromhex(notification_id)
    except ValueError:
        return notification_id.encode()


class Window:
    """Remembers at least the last `most` finished ids, at most twice as many, and all open ones."""

    __slots__ = ("_failed", "_most", "_old", "_open", "_young", "position")

    def __init__(self, most: int) -> None:
        self._most = most
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()
        self._failed: dict[bytes, int] = {}
        # Its rank, replays before attempts; the bit below says that it is being sent.
        self._open: dict[bytes, int] = {}
        self.position = -1
        """Receipts before this offset are known. -1: none."""

    def admit(self, key: bytes, note: Notification, retry: bool) -> bool:
        """Whether to send it. If so it is open from now on."""
        if key in self._young or key in self._old:
            return False
        replay = note.replay
        if self._failed and replay <= self._failed.get(key, -1):
            return False
        mine = _rank(replay, note.attempt)
        there = self._open.get(key)
        if there is not None and (not retry or there & 1 or mine < there):
            return False
        self._open[key] = mine | 1
        return True

    def sent(self, key: bytes) -> None:
        """Finished: accepted by FCM (or suppressed)."""
        self._open.pop(key, None)
        self._failed.pop(key, None)
        self._young.add(key)
        if len(self._young) >= self._most:
            self._old, self._young = self._young, set()

    def failed(self, key: bytes, replay: int) -> None:
        """Finished: dead or expired."""
        self._open.pop(key, None)
        if key in self._young or key in self._old:
            return
        self._failed[key] = max(replay, self._failed.pop(key, 0))
        if len(self._failed) > self._most:
            del self._failed[next(iter(self._failed))]

    def waits(self, key: bytes, replay: int, attempt: int) -> None:
        """A retry of it lies in a retry topic, after `attempt` sends that failed."""
        self._open[key] = max(_rank(replay, attempt), self._open.get(key, 0))

    def put_off(self, key: bytes, replay: int, attempt: int) -> None:
        """It was being sent, and is written to a retry topic now."""
        self._open[key] = _rank(replay, attempt)

    def dropped(self, key: bytes) -> None:
        """It was open, and was given up without an outcome: it will be read again."""
        self._open.pop(key, None)

    def forget_open(self) -> None:
        self._open.clear()

    def __len__(self) -> int:
        return len(self._young) + len(self._old) + len(self._failed)


def _rank(replay: int, attempt: int) -> int:
    return (replay * ATTEMPTS + attempt) << 1
