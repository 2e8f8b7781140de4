"""Every setting, read from the environment in this one place.

Each field is the variable `ANSWERBOOK_<FIELD>`; `Settings()` reads them afresh, so that a test or a
cell may change one. Everything in the package imports this module; it imports nothing of it.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

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


class FromEnvironment(BaseSettings):
    """Settings whose error names the variable that is wrong."""

    @classmethod
    def load(cls) -> Self:
        """Read the environment; raise SettingsError with the variable's name when one is wrong."""
        try:
            return cls()
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = cls.model_config["env_prefix"] + "_".join(map(str, first["loc"])).upper()
            if first["type"] == "missing":
                raise SettingsError(
                    f"The environment variable {name} is not set, and this needs it."
                ) from None
            raise SettingsError(
                f"The environment variable {name} is set to {first['input']!r}, which cannot be "
                f"used: {first['msg']}. Correct it, or `unset {name}` for the default."
            ) from None


class Settings(FromEnvironment):
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

    notify_kafka_service: Literal["kafka", "kafka-3"] | None = None
    """What the notification system runs on. Default: what it did last, else `kafka`."""
    notify_users: int | None = Field(default=None, ge=1)
    """Users in its store, at least. Default: 20,000 in `study`, 100,000 in `full`."""
    notify_deliver_workers: int | None = Field(default=None, ge=1, le=8)
    """Processes that send. Default: one in `study`, two in `full`."""
    notify_api_port: int = Field(default=8080, ge=1, le=65_535)
    notify_emulator_port: int = Field(default=8081, ge=1, le=65_535)
    notify_render_port: int = Field(default=9101, ge=1, le=65_535)
    notify_track_port: int = Field(default=9103, ge=1, le=65_535)
    notify_deliver_port: int = Field(default=9110, ge=1, le=65_535)
    """Of its first worker; the others have the next ones."""

    site_port: int = Field(default=8000, ge=1, le=65_535)
    site_metrics_port: int = Field(default=9180, ge=1, le=65_535)
    """For Prometheus. What the site itself reads are the variables SITE_…."""

    rabbitmq_image: str = "rabbitmq:4.2-management-alpine"
    kafka_image: str = "apache/kafka:4.1.1"
    postgres_image: str = "postgres:18-alpine"

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


class NotifySettings(FromEnvironment):
    """What the programs of `answerbook notify` read: `ANSWERBOOK_NOTIFY_<FIELD>`.

    Defaults are those of one machine. In production something else starts the programs, and these
    variables are all that it tells them.
    """

    model_config = SettingsConfigDict(env_prefix="ANSWERBOOK_NOTIFY_", env_ignore_empty=True)

    kafka: str = "127.0.0.1:9092"
    """Bootstrap servers, parted by commas."""
    database: SecretStr = SecretStr("postgresql://answerbook@127.0.0.1:5432/answerbook")
    partitions: int = Field(default=6, ge=1)
    """Of every topic, when they are made."""
    replication: int = Field(default=1, ge=1)
    host: str = "127.0.0.1"
    """Where programs listen."""
    port: int | None = Field(default=None, ge=0, le=65_535)
    """Of this program. Default: `records.PORTS`."""
    folder: Path = Path("notify")
    """Where this program keeps what outlives it: render's checkpoint, the emulator's record."""

    api_most_buffered: int = Field(default=50_000, ge=1)
    """Events that the API holds for Kafka before it answers 503."""
    api_ack_seconds: float = Field(default=10.0, gt=0)
    """What Kafka may take to acknowledge before the API answers 503."""

    render_master: str = "local[2]"
    """Any Spark master."""
    render_heap: str = "640m"
    render_jars: str = ""
    """Class path of the Kafka connector and PostgreSQL's driver."""
    render_java: Path | None = None
    """`java` of a JRE 17 or later. Default: that of PATH or JAVA_HOME."""
    render_trigger_seconds: float = Field(default=0.2, ge=0)
    render_most_per_batch: int = Field(default=100_000, ge=1)
    """Events in a micro-batch."""
    render_refresh_seconds: float = Field(default=30.0, gt=0)
    """How old users, devices, preferences and templates may be."""

    deliver_connections: int = Field(default=100, ge=1)
    """To FCM, at once."""
    deliver_in_flight: int = Field(default=1_000, ge=1)
    """Notifications taken from Kafka and not finished."""
    deliver_attempts: int = Field(default=8, ge=1)
    deliver_quota_per_minute: int = Field(default=600_000, ge=1)
    """Of the FCM project, for all workers together."""
    deliver_ramp_seconds: float = Field(default=60.0, ge=0)
    """From a standing start to the whole quota, as FCM asks. 0: at once."""
    deliver_timeout: float = Field(default=10.0, gt=0)
    """Seconds for one send."""
    deliver_window: int = Field(default=500_000, ge=1)
    """Ids of finished notifications that a worker remembers, for each partition."""

    fcm_project: str = "answerbook"
    fcm_credentials: Path | None = None
    """A service account's key file. Without one, the emulator is sent to."""
    fcm_url: Annotated[str, AfterValidator(base_url)] = "https://fcm.googleapis.com"
    emulator_url: Annotated[str, AfterValidator(base_url)] = "http://127.0.0.1:8081"
    emulator_token: SecretStr | None = None
    """Of the emulator's control API. Default: generated, in `control.token` of its folder."""
    emulator_tls_port: int = Field(default=8443, ge=0, le=65_535)
    emulator_proxy_port: int = Field(default=8888, ge=0, le=65_535)
    emulator_quota_per_minute: int = Field(default=600_000, ge=0)
    """0: without a limit."""

    @classmethod
    def given(cls) -> dict[str, str]:
        """The variables for it that are set here, for whoever starts a program to hand on."""
        names = [cls.model_config["env_prefix"] + field.upper() for field in cls.model_fields]
        return {name: os.environ[name] for name in names if name in os.environ}


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
