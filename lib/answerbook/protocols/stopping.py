"""What runs until it is told to stop, and is told so by the end of its `with` block.

The base of every handle on something that this package starts: peers, servers, wires.
"""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Stopping(ABC):
    """Ends with its block, whatever happens there."""

    @abstractmethod
    def stop(self) -> None:
        """End it, and return when it is gone. Does nothing the second time."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
