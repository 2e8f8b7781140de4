"""The place where a page ended, as text that a client only hands back.

It names the last row by what rows are sorted by, so it stays good when rows before it come or go,
and when this very row goes. It is no secret, and gives access to nothing.
"""

import base64
import binascii
import json

from answerbook.protocols.shop.problems import Problem

LARGEST = 2**63 - 1


def encoded(cents: int, number: int) -> str:
    """After the item of this price and number."""
    return base64.urlsafe_b64encode(json.dumps([cents, number]).encode()).decode().rstrip("=")


START = encoded(-1, 0)
"""Before everything: nothing costs less than nothing."""


def decoded(cursor: str) -> tuple[int, int]:
    """Price and number. Raises Problem for what `encoded` did not make."""
    try:
        content = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        content = None
    match content:
        case [int(cents), int(number)] if -1 <= cents <= LARGEST and 0 <= number <= LARGEST:
            if encoded(cents, number) == cursor:
                return cents, number
    raise Problem("invalid-cursor", 400, "This is no cursor of ours: begin again, without `after`.")
