"""Numbers in a query string. What is none ends in a problem, 400."""

import math

from starlette.datastructures import QueryParams

from answerbook.protocols.shop.problems import Problem


def whole(query: QueryParams, name: str, usual: int, least: int, most: int) -> int:
    """A whole number from `least` to `most`, or `usual` where the query has none."""
    text = query.get(name, str(usual))
    # Python reads no digits without end, and reads those of other scripts too.
    if text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most:
        return int(text)
    raise Problem("invalid-query", 400, f"{name} is a number from {least} to {most}.")


def seconds(query: QueryParams) -> float:
    """How long the client wants to wait, 0 where it does not say."""
    try:
        wanted = float(query.get("seconds", "0"))
    except ValueError:
        wanted = math.nan
    if 0 <= wanted < math.inf:
        return wanted
    raise Problem("invalid-query", 400, "seconds is a number that is not negative.")
