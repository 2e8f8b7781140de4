"""A stand-in for a key management service (KMS), which notebook 3_6 asks for data keys.

A real one is another machine, with its KEKs in hardware that does not give them out. This one is an
object: what it shows is what an application can ask, what is refused, and what is written down.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from answerbook.crypto import envelope
from answerbook.crypto.envelope import Keyring, WrappedKey
from answerbook.crypto.files import new_key

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Call:
    """A line of the log. It says what was asked, and never holds a key."""

    caller: str
    action: str
    context: str
    answer: str
    """`given`, or the name of the error."""


class KeyService:
    """Makes, wraps and unwraps data keys for those who may ask, and logs every call."""

    def __init__(self, *allowed: str) -> None:
        self._keyring = Keyring.new("kek-1")
        self._allowed = set(allowed)
        self.log: list[Call] = []

    def forbid(self, caller: str) -> None:
        """Take the permission away; the next call is refused."""
        self._allowed.discard(caller)

    def data_key(self, caller: str, context: bytes) -> tuple[bytes, WrappedKey]:
        """Give a new data key: in the clear, to use and to forget, and wrapped, to keep."""

        def make() -> tuple[bytes, WrappedKey]:
            key = new_key()
            return key, envelope.wrap(key, self._keyring, context)

        return self._logged(caller, "data key", context, make)

    def unwrap(self, caller: str, wrapped: WrappedKey, context: bytes) -> bytes:
        """Give a data key in the clear. Raises as `envelope.unwrap` does."""
        return self._logged(
            caller,
            "unwrap",
            context,
            lambda: envelope.unwrap(wrapped, self._keyring, context),
        )

    def _logged(
        self, caller: str, action: str, context: bytes, work: Callable[[], Answer]
    ) -> Answer:
        """What `work` gives. Raises PermissionError where the caller may not ask."""
        try:
            if caller not in self._allowed:
                raise PermissionError(f"{caller} may not use this key")
            given = work()
        except Exception as error:
            self.log.append(Call(caller, action, context.decode(), type(error).__name__))
            raise
        self.log.append(Call(caller, action, context.decode(), "given"))
        return given
