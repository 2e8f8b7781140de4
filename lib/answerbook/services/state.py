"""The state folder: records, locks, generated passwords and each service's own folder.

    .answerbook/
        locks/rabbitmq.lock      held by whoever changes rabbitmq; the kernel frees it at death
        programs/                what was fetched
        secrets/rabbitmq         mode 0600
        services/rabbitmq/       record.json, data, logs and configuration

A record is replaced as a whole (written beside it, renamed), so a kill at any moment leaves the old
one or the new one.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, SecretStr, ValidationError

from answerbook.config import EngineName, Settings
from answerbook.services import progress
from answerbook.services.errors import StateFolderError

LEAST_FREE_BYTES = 200_000_000
"""Under this no service is started: a broker on a full disk fails late, and unclearly."""


class ProcessRecord(BaseModel):
    """A process that was started. Its pid alone may belong to another by now."""

    node: int
    role: str
    pid: int
    started: float
    """Seconds since the machine's boot by the kernel's account: with the pid, unique."""
    stop_signal: int
    """The signal that asks it for an orderly end."""


class ServiceRecord(BaseModel):
    """What every handle knows of a service that was started."""

    service: str
    engine: EngineName
    version: str
    phase: Literal["starting", "ready"] = "starting"
    ports: dict[int, dict[str, int]]
    """Node → port name → number."""
    processes: list[ProcessRecord] = []
    """Native engine only."""


class StateFolder:
    """The folder at `path`, made and checked on `open`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, settings: Settings) -> StateFolder:
        """Make the folder if need be. Raises StateFolderError where it cannot be used."""
        state = cls(settings.state_folder)
        try:
            for name in ("locks", "secrets", "services"):
                (state.path / name).mkdir(parents=True, exist_ok=True)
            # Git ignores the whole folder wherever it stands. Written once: to look at services, or
            # to end them, is to be possible on a disk that is full or can only be read.
            if not (state.path / ".gitignore").exists():
                (state.path / ".gitignore").write_text("*\n")
        except OSError as error:
            raise unusable(state.path, error) from error
        return state

    # -- folders ------------------------------------------------------------------------------

    def service_folder(self, service: str) -> Path:
        folder = self.path / "services" / service
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def delete_service_folder(self, service: str) -> None:
        shutil.rmtree(self.path / "services" / service, ignore_errors=True)

    def check_room(self) -> None:
        """Raise StateFolderError when a service would soon run out of disk."""
        free = shutil.disk_usage(self.path).free
        if free < LEAST_FREE_BYTES:
            raise StateFolderError(
                f"The disk of the state folder {self.path} has {free / 1e6:.0f} MB free, and a "
                f"service wants at least {LEAST_FREE_BYTES / 1e6:.0f} MB. Free some, or choose "
                "another disk with `export ANSWERBOOK_HOME=/a/folder/with/room`."
            )

    # -- locks --------------------------------------------------------------------------------

    @contextmanager
    def changing(self, service: str) -> Iterator[None]:
        """Hold the right to change a service; say so when another process has it."""
        lock = FileLock(self.path / "locks" / f"{service}.lock", is_singleton=True)
        try:
            try:
                lock.acquire(timeout=1)
            except Timeout:
                with progress.waiting(f"{service}: another process is changing it"):
                    lock.acquire()
        except OSError as error:
            raise unusable(self.path, error) from error
        try:
            yield
        finally:
            lock.release()

    # -- records ------------------------------------------------------------------------------

    def read_record(self, service: str) -> ServiceRecord | None:
        """The record, or None where there is none or none that can be read."""
        try:
            return ServiceRecord.model_validate_json(self._record_path(service).read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValidationError):
            return None

    def write_record(self, record: ServiceRecord) -> None:
        self.service_folder(record.service)
        write_whole(self._record_path(record.service), record.model_dump_json(indent=1))

    def mark_ready(self, service: str) -> None:
        record = self.read_record(service)
        if record is not None and record.phase != "ready":
            self.write_record(record.model_copy(update={"phase": "ready"}))

    def delete_record(self, service: str) -> None:
        self._record_path(service).unlink(missing_ok=True)

    def recorded(self) -> list[ServiceRecord]:
        """Every service that was started and not removed."""
        folders = sorted((self.path / "services").glob("*/record.json"))
        records = (self.read_record(path.parent.name) for path in folders)
        return [record for record in records if record is not None]

    def ports_of_others(self, service: str) -> set[int]:
        """What is recorded for other services: not to be taken, even while they are stopped."""
        return {
            number
            for record in self.recorded()
            if record.service != service
            for names in record.ports.values()
            for number in names.values()
        }

    def _record_path(self, service: str) -> Path:
        return self.path / "services" / service / "record.json"

    # -- secrets ------------------------------------------------------------------------------

    def secret(self, name: str, characters: int = 24) -> SecretStr:
        """A password of random characters, made at the first call and kept."""
        path = self.path / "secrets" / name
        if not path.exists():
            with self.changing("secrets"):  # of two that ask at once, one makes it
                if not path.exists():
                    write_whole(path, secrets.token_urlsafe(characters)[:characters], mode=0o600)
        return SecretStr(path.read_text())


def write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Write `text` to `path` so that a kill at any moment leaves the old file or the new one."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink()
            raise
    except OSError as error:
        raise unusable(path.parent, error) from error


def unusable(folder: Path, error: OSError) -> StateFolderError:
    """The error for a state folder in which something could not be written."""
    return StateFolderError(
        f"The state folder {folder} cannot be written ({error.strerror}). Make it writable and "
        "give it 1 GB, or choose another with `export ANSWERBOOK_HOME=/a/folder/of/yours`."
    )
