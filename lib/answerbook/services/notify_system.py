"""`services.require("notify")`: the notification system, together.

Kafka and PostgreSQL; then the topics, the tables, users and a key; then the five programs of
notify.py, side by side. All of it is found, started, or started again by the same call.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property, partial
from http.client import HTTPException
from pathlib import Path
from typing import Literal, Self, cast, get_args

from answerbook.config import Settings
from answerbook.services import bring_up, progress
from answerbook.services.address import Secret
from answerbook.services.contract import ProgramName, Service
from answerbook.services.engines import engine_for
from answerbook.services.errors import NotRunning
from answerbook.services.kafka import Kafka, Kafka3
from answerbook.services.notify import (
    PREFIX,
    Api,
    Deliver,
    Emulator,
    Program,
    Render,
    Track,
)
from answerbook.services.notify_lag import lag
from answerbook.services.notify_store import prepare_store, prepare_topics, token
from answerbook.services.postgres import Postgres
from answerbook.services.state import StateFolder, write_whole

KafkaName = Literal["kafka", "kafka-3"]


class Notify:
    """The system's parts, each a service with the verbs of one, and the same verbs for all."""

    name = "notify"

    def __init__(
        self, state: StateFolder, settings: Settings, kafka: KafkaName | None = None
    ) -> None:
        self.state = state
        self._settings = settings
        self._wanted_kafka = kafka
        common = (state, engine_for("notify-api", state, settings), settings, self)
        self.emulator = Emulator(*common)
        self.api = Api(*common)
        self.render = Render(*common)
        self.deliver = Deliver(*common, self.emulator)
        self.track = Track(*common)

    # -- what it is made of -------------------------------------------------------------------

    @cached_property
    def kafka(self) -> Kafka:
        """The one that was asked for, or that it ran on the last time."""
        wanted = self._wanted_kafka or self._settings.notify_kafka_service
        name = wanted or self._kafka_of_last_start() or "kafka"
        kind = Kafka if name == "kafka" else Kafka3
        return kind(self.state, engine_for(name, self.state, self._settings), self._settings)

    @cached_property
    def postgres(self) -> Postgres:
        engine = engine_for("postgres", self.state, self._settings)
        return Postgres(self.state, engine, self._settings)

    @property
    def programs(self) -> tuple[Program, ...]:
        return (self.api, self.render, self.deliver, self.track, self.emulator)

    @property
    def members(self) -> tuple[Service, ...]:
        """The programs, and what they need."""
        return (self.kafka, self.postgres, *self.programs)

    def program(self, name: ProgramName) -> Program:
        return next(program for program in self.programs if program.name == name)

    @property
    def url(self) -> str:
        """The API's: events are posted to `/v1/events` under it. Raises NotRunning."""
        return self.api.url

    @property
    def api_key(self) -> str:
        """What the API lets in, as `Authorization: Bearer …`; made once, and kept."""
        return Secret(token(self._secret))

    @property
    def folder(self) -> Path:
        return self.state.service_folder(self.name)

    @property
    def ledger_folder(self) -> Path:
        """Where senders write what was answered 202: beside what the emulator accepted.

        `answerbook notify audit` looks for both in one folder.
        """
        return self.emulator.folder

    @property
    def emulator_record(self) -> Path:
        """What FCM's emulator accepted, a line each; the audit reads it."""
        return self.emulator.record_of_accepted

    def settings(self) -> dict[str, str]:
        """ANSWERBOOK_NOTIFY_… variables for `answerbook notify audit` and the like.

        With the database's password and the emulator's token. Raises NotRunning.
        """
        return {
            **self.track.addresses(),
            **self.deliver.addresses(),
            **self.emulator.addresses(),
            f"{PREFIX}API_URL": self.url,
            f"{PREFIX}API_KEY": self.api_key,
            f"{PREFIX}FOLDER": str(self.ledger_folder),
        }

    def lag(self) -> dict[str, int]:
        """Topic → records that its reader has not committed; a retry that waits is one."""
        return lag(self.kafka)

    def memory(self) -> dict[str, int]:
        """Service → bytes of all its nodes, as their engine measures it."""
        return {
            service.name: sum(
                service.engine.memory(service, status.node)
                for status in service.nodes()
                if status.condition != "stopped"
            )
            for service in self.members
        }

    # -- control ------------------------------------------------------------------------------

    def start(self) -> Self:
        """Start what is not running, and wait until every program says that it is ready."""
        for service in self.members:
            service.cancelled.clear()
        with self.state.changing(self.name):
            if not self._is_up():
                self._start()
        return self

    def start_delivery(self) -> Self:
        """Start what sending needs, and nothing else: Kafka, the emulator and the workers."""
        parts = (self.kafka, self.emulator, self.deliver)
        for service in parts:
            service.cancelled.clear()
        with self.state.changing(self.name):
            self._together(self._start_kafka, partial(bring_up.bring_up, self.emulator))
            self._start_program(self.deliver)
        return self

    def stop(self) -> None:
        """End the programs in order: the emulator last, whose answers others wait for."""
        with self.state.changing(self.name):
            bring_up.side_by_side([each.stop for each in self.programs if each != self.emulator])
            self.emulator.stop()

    def kill(self) -> None:
        """SIGKILL to every program."""
        self._each(lambda program: program.kill())

    def pause(self) -> None:
        """Freeze every program."""
        self._each(lambda program: program.pause())

    def resume(self) -> None:
        """Undo `pause`."""
        self._each(lambda program: program.resume())

    def restart(self) -> Self:
        """`stop`, then `start`."""
        self.stop()
        return self.start()

    def logs(self, lines: int = 20) -> str:
        """The last lines of each program's log."""
        return "\n".join(filter(None, (program.logs(lines) for program in self.programs)))

    def delete_data(self) -> None:
        """Forget which Kafka it ran on."""
        self.state.delete_service_folder(self.name)

    # -- inside -------------------------------------------------------------------------------

    def _each(self, act: Callable[[Program], None]) -> None:
        with self.state.changing(self.name):
            for program in self.programs:
                act(program)

    def _is_up(self) -> bool:
        """Whether all of it runs on this Kafka, answers, and is ready."""
        return (
            self._kafka_of_last_start() == self.kafka.name
            and all(service.is_up() for service in self.members)
            and not any(program.is_misled() for program in self.programs)
            and self._are_ready()
        )

    def _are_ready(self) -> bool:
        try:
            for program in self.programs:
                program.round_trip()
        except (OSError, HTTPException, NotRunning):
            return False
        return True

    def _start(self) -> None:
        began = time.monotonic()
        for service in self.members:
            bring_up.check_engine(service)
            service.engine.fetch(service)
        if self._kafka_of_last_start() not in (None, self.kafka.name):
            progress.say(f"The notification system moves to {self.kafka.name}.")
            for program in self.programs:
                bring_up.remove(program, delete_data=False)
        write_whole(self._choice, self.kafka.name)
        self._together(
            self._start_kafka, self._start_store, partial(bring_up.bring_up, self.emulator)
        )
        programs = [program for program in self.programs if program is not self.emulator]
        self._together(*(partial(self._start_program, program) for program in programs))
        progress.say(f"The notification system is up ({time.monotonic() - began:.1f} s).")

    def _start_kafka(self) -> None:
        bring_up.bring_up(self.kafka)
        prepare_topics(self, self.state)

    def _start_store(self) -> None:
        bring_up.bring_up(self.postgres)
        in_profile = 20_000 if self._settings.profile == "study" else 100_000
        users = self._settings.notify_users or in_profile
        prepare_store(self, self.state, users, self._secret)

    def _start_program(self, program: Program) -> None:
        if program.is_misled():  # Kafka, say, came back on another port
            program.stop()
        bring_up.bring_up(program)
        program.wait_until_ready()

    def _together(self, *actions: Callable[[], None]) -> None:
        bring_up.side_by_side(actions, self.members)

    @property
    def _secret(self) -> str:
        return self.state.secret("notify-api-key").get_secret_value()

    @property
    def _choice(self) -> Path:
        return self.folder / "kafka"

    def _kafka_of_last_start(self) -> KafkaName | None:
        try:
            name = self._choice.read_text()
        except FileNotFoundError:
            return None
        return cast(KafkaName, name) if name in get_args(KafkaName) else None

    def __repr__(self) -> str:
        try:
            return f"<notify at {self.url!r} on {self.kafka.name}>"
        except NotRunning:
            return "<notify: not running>"
