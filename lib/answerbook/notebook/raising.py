"""For cells that show something being refused, and go on."""

from types import TracebackType
from typing import Generic, TypeVar

Refusal = TypeVar("Refusal", bound=BaseException)

MOST_CHARACTERS = 300


class raises(Generic[Refusal]):
    """Fail unless the block raises one of `kinds`; print it in one line and keep it in `error`.

    with raises(TypeError) as caught:
        channel.basic_consume("orders", on_message=print)
    assert "on_message" in str(caught.error)
    """

    def __init__(self, *kinds: type[Refusal]) -> None:
        self._kinds = kinds
        self._error: Refusal | None = None

    @property
    def error(self) -> Refusal:
        """What was raised. Raises AssertionError inside the block, before anything was."""
        if self._error is None:
            raise AssertionError("Nothing was raised yet.")
        return self._error

    def __enter__(self) -> "raises[Refusal]":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if error is None:
            expected = " or ".join(wanted.__name__ for wanted in self._kinds)
            raise AssertionError(f"{expected} was expected, and nothing was raised.")
        if not isinstance(error, self._kinds):
            return False
        self._error = error
        print(in_one_line(error))
        return True


def in_one_line(error: BaseException) -> str:
    """`KeyError: 'a'`, cut where it gets long."""
    message = " ".join(str(error).split())
    if len(message) > MOST_CHARACTERS:
        message = message[:MOST_CHARACTERS] + "…"
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
