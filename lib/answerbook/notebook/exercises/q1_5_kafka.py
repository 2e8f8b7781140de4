"""Exercises of notebook 1_5_kafka."""

from collections.abc import Callable, Mapping

from kafka.partitioner import murmur2

from answerbook.notebook.exercises import Exercise

Lag = Callable[[Mapping[int, int], Mapping[int, int]], object]

CUSTOMERS = [f"customer-{number}" for number in range(1_000)]


def _partition(key: str, partitions: int) -> int:
    """Where a producer puts a key: murmur2 without its sign bit, by remainder."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % partitions


MOVED = sum(_partition(key, 3) != _partition(key, 4) for key in CUSTOMERS)


def _moved_keys(answer: object) -> str | None:
    if answer == len(CUSTOMERS) - MOVED:
        return "That many stay where they are."
    if answer == 0:
        return "The hash stays the same, but its remainder by four is not that by three."
    return (
        None
        if answer == MOVED
        else "Compute each customer's partition with three and with four, and count differences."
    )


moved_keys = Exercise(
    solution=MOVED,
    wrong=(0, len(CUSTOMERS) - MOVED, len(CUSTOMERS) // 4, "most"),
    test=_moved_keys,
    because="Three in four move, and with them the order of their old and new records is gone. "
    "That is why one begins with partitions to spare.",
)


def _whole_lag(answer: Lag) -> str | None:
    if answer({0: 30}, {0: 10}) != 20:
        return "One partition with the end at 30 and 10 committed has a lag of 20."
    if answer({0: 30, 1: 5}, {0: 10, 1: 5}) != 20:
        return "Add the lags of all partitions; one that was read to its end adds nothing."
    if answer({0: 30, 1: 5}, {0: 10}) != 25:
        return "A partition without a commit has not been read at all: its whole length is lag."
    return None


def _summed(ends: Mapping[int, int], committed: Mapping[int, int]) -> int:
    return sum(end - committed.get(each, 0) for each, end in ends.items())


def _committed_only(ends: Mapping[int, int], committed: Mapping[int, int]) -> int:
    return sum(ends[each] - done for each, done in committed.items())


def _unprotected(ends: Mapping[int, int], committed: Mapping[int, int]) -> int:
    return sum(end - committed[each] for each, end in ends.items())


def _largest(ends: Mapping[int, int], committed: Mapping[int, int]) -> int:
    return max(end - committed.get(each, 0) for each, end in ends.items())


def _backwards(ends: Mapping[int, int], committed: Mapping[int, int]) -> int:
    return -_summed(ends, committed)


whole_lag = Exercise(
    solution=_summed,
    wrong=(_committed_only, _unprotected, _largest, _backwards, 30),
    test=_whole_lag,
    because="A monitor that looks only at commits never sees the partition that nobody reads.",
)


def _brokers_down(answer: object) -> str | None:
    if answer == 3:
        return "Then two would be left, and three must have the record."
    if answer == 4:
        return "The data would survive that, but writes need three in sync."
    return None if answer == 2 else "How many of the five must be in sync for a write?"


brokers_down = Exercise(
    solution=2,
    wrong=(3, 4, 5, "two"),
    test=_brokers_down,
    because="Writes need three in sync of five; a third death stops them, and loses nothing.",
)
