"""How whoever waits for an import hears what is being done."""

from collections.abc import Callable

Doing = Callable[[str, int, int], object]
"""Called with a step's name, how far it is, and of how much; of 0 where that is not known."""


def silently(what: str, so_far: int = 0, total: int = 0) -> None:
    """Tell nobody."""
