"""How the native engine is told to run a service: what to fetch, prepare and start.

One recipe a service (native/rabbitmq.py, native/kafka.py, native/postgres.py) answers these
questions; native/engine.py asks them.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from answerbook.services.contract import Service


@dataclass(frozen=True)
class Launch:
    """One process of a node."""

    role: str
    argv: Sequence[str | Path]
    folder: Path
    """Its working folder; its output goes to `<role>.log` there."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """All of it, but for PATH, HOME and the locale, which the engine adds."""
    user: int | None = None
    """Uid to run as; None: as ourselves. Only root can choose."""
    group: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    """Asks for an orderly end."""
    shared: bool = False
    """One for all nodes: it starts before the first and outlives each of them, until all end."""


@dataclass(frozen=True)
class Plan:
    """One node about to start."""

    service: Service
    node: int
    ports: Mapping[int, Mapping[str, int]]
    """What the engine chose, for all nodes."""
    folder: Path
    """The node's own."""
    mark: str
    """For `processes.run`, so that a preparing program that outlives us is found."""


class Recipe(Protocol):
    """What a native service is made of."""

    def fetch(self, service: Service) -> str:
        """Have the programs there; their version. Quick when they are there already."""

    def prepare(self, plan: Plan) -> list[Launch]:
        """Write the node's configuration and data folder; its processes in starting order."""

    def tidy(self, folder: Path) -> None:
        """Remove what a killed node left outside of its folder; nothing of it runs any more."""
        return
