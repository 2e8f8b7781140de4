"""Consumers of one group, each in a thread, and what each was given and had to give up.

For notebook 1_5_kafka. The loop of a member stands in its cell; here is what runs it, waits until
the group has shared its partitions out, and takes notes of every move:

    def work(member, topic, **options):
        with KafkaConsumer(group_id=member.group, **options) as consumer:
            consumer.subscribe([topic], listener=member)
            assert consumer.partitions_for_topic(topic)
            while member.working:
                consumer.poll(timeout_ms=100)

    with Members(work, partitions=3, topic="orders") as packers:
        packers.start("ann")
        packers.owned()     # {"ann": [0, 1, 2]}

The loop asks for the topic's partitions before it polls. Else kafka-python 3.0.12 joins without
knowing any, and joins again when it learns of them; and where a poll's time is up during that
second join, the member never takes what it was given: on a busy machine, one time in three.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Literal, Self
from uuid import uuid4

from kafka import ConsumerRebalanceListener, TopicPartition

from answerbook.notebook.waiting import wait_for

if TYPE_CHECKING:
    from answerbook.services import Kafka

SETTLE_SECONDS = 30.0
STOP_SECONDS = 30.0
"""What a loop that polls ten times a second needs to leave its group, many times over."""


@dataclass(frozen=True)
class Move:
    """Partitions that a member was given, or had to give up."""

    member: str
    kind: Literal["given", "given up"]
    partitions: tuple[int, ...]


class Member(ConsumerRebalanceListener):  # type: ignore[misc]
    """What a loop gets: its group, whether it is to go on, and the listener to subscribe with."""

    def __init__(self, name: str, group: str, moves: list[Move]) -> None:
        self.name = name
        self.group = group
        self._moves = moves
        self._owned: set[int] = set()
        self._stopped = Event()

    @property
    def working(self) -> bool:
        """False once the member is to leave."""
        return not self._stopped.is_set()

    @property
    def owned(self) -> list[int]:
        """The numbers of the partitions that are this member's now."""
        return sorted(self._owned)

    def stop(self) -> None:
        self._stopped.set()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._owned |= self._noted("given", assigned)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._owned -= self._noted("given up", revoked)

    def _noted(
        self, kind: Literal["given", "given up"], partitions: Iterable[TopicPartition]
    ) -> set[int]:
        numbers = {each.partition for each in partitions}
        if numbers:
            self._moves.append(Move(self.name, kind, tuple(sorted(numbers))))
        return numbers


class Members:
    """A group of its own, whose members each run `work(member, **options)` in a thread.

    `partitions` is how many the group has to share out; `options` are every member's. A `static`
    member's options have its name as `group_instance_id`, too. The end of the block stops them all.
    """

    def __init__(
        self, work: Callable[..., None], partitions: int, static: bool = False, **options: object
    ) -> None:
        self._work = work
        self._partitions = partitions
        self._static = static
        self._options = options
        self._group = f"members-{uuid4().hex[:6]}"
        self._pool = ThreadPoolExecutor(thread_name_prefix=self._group)
        self._members: dict[str, tuple[Member, Future[None]]] = {}
        self.moves: list[Move] = []
        """Every move since the beginning, in the order in which members heard of it."""
        self.history: list[dict[str, list[int]]] = []
        """What each owned, after each start."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for member, _future in self._members.values():
            member.stop()
        self._pool.shutdown()

    def start(self, *names: str) -> int:
        """Add members one by one, and tell how many partitions the others gave up for the last.

        One that was given up twice counts twice. Waits until the group has settled after each.
        Raises what a member's loop raised, and TimeoutError after half a minute.
        """
        for name in names:
            if name in self._members:
                raise ValueError(f"{name} is a member already; stop it first.")
            before = len(self.moves)
            member = Member(name, self._group, self.moves)
            own = {"group_instance_id": name} if self._static else {}
            future = self._pool.submit(self._work, member, **self._options | own)
            self._members[name] = member, future
            wait_for(self._settled, "the group has shared its partitions out", SETTLE_SECONDS)
            self.history.append(self.owned())
        return self._given_up(before, all_but=names[-1])

    def stop(self, name: str) -> None:
        """End a member's loop, and wait until its consumer is closed; the others may not know."""
        member, future = self._members.pop(name)
        member.stop()
        future.result(timeout=STOP_SECONDS)

    def restart(self, name: str) -> int:
        """Stop a member and start it anew at once; tell what the others gave up meanwhile."""
        before = len(self.moves)
        self.stop(name)
        self.start(name)
        return self._given_up(before, all_but=name)

    def owned(self) -> dict[str, list[int]]:
        """Each member's partitions, by its name."""
        return {name: member.owned for name, (member, _) in self._members.items()}

    def _given_up(self, since: int, all_but: str) -> int:
        return sum(
            len(move.partitions)
            for move in self.moves[since:]
            if move.kind == "given up" and move.member != all_but
        )

    def _settled(self) -> bool:
        """Each partition is one member's, and none is idle that could have one."""
        for _member, future in self._members.values():
            if future.done():
                future.result()  # raises what ended it
                return False
        shares = self.owned().values()
        taken = sorted(number for share in shares for number in share)
        busy = sum(bool(share) for share in shares)
        return taken == list(range(self._partitions)) and busy == min(len(shares), len(taken))


def wait_until_empty(kafka: Kafka, group: str, seconds: float = 30.0) -> None:
    """Wait until the broker counts no members in a group any more.

    Raises TimeoutError when it still does after `seconds`.
    """

    def empty() -> bool:
        return not admin.describe_groups([group])[group]["members"]

    admin = kafka.admin()
    try:
        wait_for(empty, f"{group} has no members", seconds)
    finally:
        admin.close()
