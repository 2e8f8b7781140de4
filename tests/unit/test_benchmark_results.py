"""What is committed of a benchmark is of this code, and reaches its floors."""

from answerbook.notebook import results
from answerbook.protocols.choosing.contestants import CONTESTANTS, OVER_TLS


def test_the_protocols_benchmark_has_every_contestant_of_today() -> None:
    measured = results("protocols")["figures"]
    assert {each.name for each in (*CONTESTANTS, *OVER_TLS)} <= measured.keys()
    assert all(0 < figures["a_second"]["median"] for figures in measured.values())


def test_the_protocols_benchmark_is_a_whole_one_and_reaches_its_floors() -> None:
    found = results("protocols")
    assert (10_000, 3) == (found["payloads"], found["runs"])
    assert all(floor["floor"] <= floor["min"] for floor in found["floors"].values())
