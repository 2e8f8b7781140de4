"""Which programs are there, and what it would take to get the others: for `answerbook doctor`."""

from __future__ import annotations

from typing import Protocol

from answerbook.config import Settings
from answerbook.services.native.programs import (
    jre,
    kafka_jars,
    nginx_server,
    postgres_binaries,
    rabbitmq_server,
    spark_jars,
)


class Program(Protocol):
    """What each program's module has."""

    def is_fetched(self, settings: Settings) -> bool: ...

    def to_fetch(self) -> tuple[str, int]: ...


PROGRAMS: dict[str, Program] = {
    "java": jre,
    "kafka": kafka_jars,
    "nginx": nginx_server,
    "postgres": postgres_binaries,
    "rabbitmq": rabbitmq_server,
    "spark": spark_jars,
}


def is_fetched(name: str, settings: Settings) -> bool:
    """Whether the program is on this machine, found or fetched. Verifies nothing, starts Java."""
    return PROGRAMS[name].is_fetched(settings)


def missing(name: str, settings: Settings) -> str | None:
    """One line on what would be fetched, with its size, or None where nothing would be.

    Raises MissingProgram where the program is not there and cannot be fetched.
    """
    if is_fetched(name, settings):
        return None
    what, size = PROGRAMS[name].to_fetch()
    return f"{what} would be fetched, {size / 1e6:.0f} MB."
