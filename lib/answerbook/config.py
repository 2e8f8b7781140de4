"""Every setting, read from the environment in this one place.

Each field is the variable `ANSWERBOOK_<FIELD>`; `Settings()` reads them afresh, so that a test or a
cell may change one. Everything in the package imports this module; it imports nothing of it.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_state_path
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

EngineName = Literal["compose", "native"]
Profile = Literal["study", "full"]
Port = Field(ge=1, le=65_535)


class SettingsError(Exception):
    """A variable of the environment has a value that cannot be used; the message names it."""


def base_url(address: str) -> str:
    """`address` without the slashes at its end; ValueError unless it is one of HTTP."""
    if not address.startswith(("http://", "https://")):
        raise ValueError("it begins with http:// or https://")
    return address.rstrip("/")


class Settings(BaseSettings):
    """What can be set from outside. Every default is what a reader on a laptop wants."""

    model_config = SettingsConfigDict(env_prefix="ANSWERBOOK_", env_ignore_empty=True)

    home: Path | None = None
    """State: data, logs, pids, generated passwords. Default: `.answerbook/` in the repository."""
    programs: Path | None = None
    """Fetched programs (Kafka, PostgreSQL, RabbitMQ, a JRE). Default: `programs/` under home."""
    engine: EngineName | None = None
    """Who runs the services. Default: `compose` where a Docker engine answers, else `native`."""
    profile: Profile = "study"
    """How much the notebooks do: `study` fits 2 cores and 1.8 GB, `full` wants 5 GB."""
    start_timeout: float = Field(default=120.0, gt=0)
    """Seconds a service may take from its start until its client made a round trip."""

    rabbitmq_port: int = Field(default=5672, ge=1, le=65_535)
    kafka_port: int = Field(default=9092, ge=1, le=65_535)
    postgres_port: int = Field(default=5432, ge=1, le=65_535)
    rabbitmq_password: SecretStr | None = None
    """Default: generated once and kept in the state folder, like the next one."""
    postgres_password: SecretStr | None = None
    postgres_user: str = "nobody"
    """Whom PostgreSQL runs as when everything else runs as root, which it refuses to be."""

    httpbin_url: Annotated[str, AfterValidator(base_url)] | None = None
    """An httpbin that notebook 1_1 uses in place of its own: the public one, or a container's."""

    rabbitmq_image: str = "rabbitmq:4.2-management-alpine"
    kafka_image: str = "apache/kafka:4.1.1"
    postgres_image: str = "postgres:18-alpine"

    @classmethod
    def load(cls) -> "Settings":
        """Read the environment; raise SettingsError with the variable's name when one is wrong."""
        try:
            return cls()
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = "ANSWERBOOK_" + "_".join(str(part) for part in first["loc"]).upper()
            raise SettingsError(
                f"The environment variable {name} is set to {first['input']!r}, which cannot be "
                f"used: {first['msg']}. Correct it, or `unset {name}` for the default."
            ) from None

    @property
    def state_folder(self) -> Path:
        """Where the state is, absolute; not necessarily there yet."""
        return self.home.expanduser().absolute() if self.home else default_state_folder()

    @property
    def programs_folder(self) -> Path:
        """Where fetched programs are, absolute; shared by several state folders when it is set."""
        return (
            self.programs.expanduser().absolute()
            if self.programs
            else (self.state_folder / "programs")
        )


def repository() -> Path | None:
    """The checkout this package is part of, or None when it was installed as a wheel."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() else None


def default_state_folder() -> Path:
    """`.answerbook/` in the repository, or the user's state folder outside of one.

    PostgreSQL refuses to run as root, so as root its files must be reachable by another user. A
    repository under a private folder (`/root`, often) is not: there the state stands in
    `/var/lib/answerbook/`, in a folder named after the repository's path.
    """
    root = repository()
    if root is None:
        return user_state_path("answerbook")
    if os.geteuid() == 0 and not reachable_by_others(root):
        return Path("/var/lib/answerbook") / str(root).strip("/").replace("/", "-")
    return root / ".answerbook"


def reachable_by_others(folder: Path) -> bool:
    """Whether any user may pass through `folder` and all folders above it."""
    existing = [path for path in (folder, *folder.parents) if path.exists()]
    return all(path.stat().st_mode & 0o001 for path in existing)
