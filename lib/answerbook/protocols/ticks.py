"""What the push lessons' peers publish: a numbered price, a hundred times a second.

Used by `websocket`, `sse` and `webhooks`, so that what is measured of the three is the same
message. Numbers show what was missed and what came twice; the time shows how long it took.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator

EVERY_SECONDS = 0.01


def tick(number: int) -> str:
    """A message of about 70 bytes; `at` is the monotonic clock, in seconds.

    On one machine all processes read the same monotonic clock, so a receiver may subtract.
    """
    price = 100 + number % 97 / 100
    return json.dumps(
        {
            "number": number,
            "at": round(time.monotonic(), 6),
            "item": "lamp",
            "price": f"{price:.2f}",
        }
    )


async def ticking(first: int = 1) -> AsyncIterator[tuple[int, str]]:
    """A number and its message every EVERY_SECONDS, for ever.

    A process that was held up goes on from now; it does not make up for what it left out.
    """
    clock = asyncio.get_running_loop().time
    number, due = first, clock()
    while True:
        yield number, tick(number)
        number += 1
        due = max(due + EVERY_SECONDS, clock())
        await asyncio.sleep(due - clock())
