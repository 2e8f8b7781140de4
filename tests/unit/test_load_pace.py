import asyncio
import time
from collections.abc import Awaitable, Callable

from answerbook.load.pace import Pace


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(scenario(), 30)

    asyncio.run(bounded())


def test_no_more_are_under_way_than_the_limit() -> None:
    async def scenario() -> None:
        pace = Pace(most=8)
        assert [await pace.start(), await pace.start()] == [True, True]
        third = asyncio.create_task(pace.start())
        await asyncio.sleep(0)
        assert (pace.under_way, pace.limit, third.done()) == (2, 2, False)
        pace.answered(well=True)
        assert await third
        assert pace.under_way == 2

    run(scenario)


def test_the_limit_grows_while_all_goes_well_and_no_further() -> None:
    async def scenario() -> None:
        pace = Pace(most=4)
        for _ in range(50):
            assert await pace.start()
            pace.answered(well=True)
        assert pace.limit == 4

    run(scenario)


def test_the_limit_halves_when_the_api_wants_less_and_never_ends() -> None:
    async def scenario() -> None:
        pace = Pace(most=8)
        limits = []
        for well in [True] * 60 + [False] * 5:
            assert await pace.start()
            pace.answered(well)
            limits.append(pace.limit)
        assert limits[59:] == [8, 4, 2, 1, 1, 1]

    run(scenario)


def test_nobody_begins_during_a_pause() -> None:
    async def scenario() -> None:
        pace = Pace(most=8)
        assert await pace.start()
        paused = time.monotonic()
        pace.answered(well=False, pause=0.2)
        assert await pace.start()
        assert time.monotonic() - paused >= 0.2

    run(scenario)


def test_a_pace_that_is_closed_turns_away_whoever_waits() -> None:
    async def scenario() -> None:
        pace = Pace(most=1)
        assert await pace.start()
        waiting = asyncio.create_task(pace.start())
        await asyncio.sleep(0)
        pace.close()
        assert not await waiting
        assert not await pace.start()

    run(scenario)
