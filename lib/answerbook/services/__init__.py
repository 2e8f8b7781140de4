"""The real services that the notebooks run against, brought up when they are asked for.

    from answerbook import services
    rabbitmq = services.require("rabbitmq")      # starts it if it isn't up

`require` is for notebooks and tests; `down` and `running` are for the command line. What a
service's handle can do stands in `contract.Service`; what it knows of its client, in rabbitmq.py,
kafka.py, postgres.py and site.py. `notify`, the notification system, is several services
(notify_system.py).
"""

from collections.abc import Iterable
from functools import partial
from typing import Literal, cast, get_args, overload

from answerbook.config import Settings
from answerbook.services import bring_up, packages
from answerbook.services.contract import ProgramName, Service, ServiceName
from answerbook.services.engine import NodeStatus
from answerbook.services.engines import engine_for
from answerbook.services.errors import (
    CommandFailed,
    FetchFailed,
    MissingProgram,
    NotRunning,
    ServiceError,
    StartFailed,
    StateFolderError,
    Tampered,
    WrongPassword,
)
from answerbook.services.kafka import Kafka, Kafka3
from answerbook.services.notify import Program
from answerbook.services.notify_system import KafkaName, Notify
from answerbook.services.postgres import Postgres
from answerbook.services.rabbitmq import RabbitMQ, RabbitMQ3
from answerbook.services.site import Site
from answerbook.services.state import StateFolder

__all__ = [
    "NAMES",
    "CommandFailed",
    "FetchFailed",
    "Kafka",
    "Kafka3",
    "MissingProgram",
    "Name",
    "NodeStatus",
    "NotRunning",
    "Notify",
    "Postgres",
    "RabbitMQ",
    "RabbitMQ3",
    "Service",
    "ServiceError",
    "ServiceName",
    "Site",
    "StartFailed",
    "StateFolderError",
    "Tampered",
    "WrongPassword",
    "down",
    "fetch",
    "fetch_packages",
    "find",
    "find_all",
    "require",
    "require_all",
    "running",
]

Name = Literal[ServiceName, "notify"]
"""What can be required: a service, or a system of several."""
NAMES: tuple[Name, ...] = get_args(Name)
TYPES: dict[str, type[Service]] = {
    kind.name: kind for kind in (RabbitMQ, RabbitMQ3, Kafka, Kafka3, Postgres)
}


@overload
def require(name: Literal["rabbitmq"]) -> RabbitMQ: ...
@overload
def require(name: Literal["rabbitmq-3"]) -> RabbitMQ3: ...
@overload
def require(name: Literal["kafka"]) -> Kafka: ...
@overload
def require(name: Literal["kafka-3"]) -> Kafka3: ...
@overload
def require(name: Literal["postgres"]) -> Postgres: ...
@overload
def require(name: Literal["site"]) -> Site: ...
@overload
def require(name: Literal["notify"], *, kafka: KafkaName | None = None) -> Notify: ...
@overload
def require(name: ServiceName) -> Service: ...
def require(name: Name, *, kafka: KafkaName | None = None) -> Service | Notify:
    """The service, running and answering: started, started again or adopted if it was not.

    Idempotent, and safe when several processes ask at once: one starts it, all get it. It outlives
    this process; `answerbook down` ends it. Raises ServiceError with one paragraph on what to do.
    `kafka` is for `notify`: which of the two Kafka services it runs on.
    """
    if name == "notify":
        return _notify(kafka).start()
    service = find(name)
    bring_up.bring_up(service)
    return service


def require_all(names: Iterable[Name]) -> list[Service]:
    """Several services, started side by side; fetched one after the other.

    For `notify` and `site`, all that they are made of and need.
    """
    names = list(dict.fromkeys(names))
    wanted = [find(name) for name in names]
    fetch(names)
    each = _unique(member for one in wanted for member in _members(one))
    starts = [
        one.start if isinstance(one, Notify) else partial(bring_up.bring_up, one) for one in wanted
    ]
    bring_up.side_by_side(starts, each)
    return each


def fetch(names: Iterable[Name]) -> None:
    """Get the programs, packages or images of services; quick when they are there."""
    for service in find_all(names):
        bring_up.check_engine(service)
        service.engine.fetch(service)


def fetch_packages(name: Literal["notify", "site"]) -> None:
    """Install the Python packages of question 2 or of the site; quick when they are there.

    For a notebook that imports them and does not start what they belong to. Raises MissingProgram.
    """
    packages.OF[name].provide()


@overload
def find(name: Literal["notify"]) -> Notify: ...
@overload
def find(name: Literal["site"]) -> Site: ...
@overload
def find(name: ServiceName) -> Service: ...
@overload
def find(name: Name) -> Service | Notify: ...
def find(name: Name) -> Service | Notify:
    """The service's handle, whether it runs or not; starts nothing."""
    if name not in NAMES:
        raise ServiceError(f"There is no service {name!r}. There are: {', '.join(NAMES)}.")
    if name == "notify":
        return _notify()
    if name in get_args(ProgramName):
        return _notify().program(cast(ProgramName, name))
    settings = Settings.load()
    state = StateFolder.open(settings)
    handle = (state, engine_for(name, state, settings), settings)
    if name == "site":
        postgres = Postgres(state, engine_for("postgres", state, settings), settings)
        return Site(*handle, postgres)
    return TYPES[name](*handle)


def find_all(names: Iterable[Name]) -> list[Service]:
    """Handles of services; for `notify` and `site`, of all that they are made of and need."""
    return _unique(member for name in names for member in _members(find(name)))


def running() -> list[Service]:
    """Handles of all that was started here and not taken down, dead ones included."""
    state = StateFolder.open(Settings.load())
    return [find(cast(ServiceName, record.service)) for record in state.recorded()]


def down(names: Iterable[Name] | None = None, *, delete_data: bool = False) -> list[str]:
    """End the services, all by default, with whatever a broken start left; their names.

    Data stays unless `delete_data`. Of `notify`, its programs are ended; Kafka and PostgreSQL,
    which others may use, are where they are named or all is.
    """
    named = [find(name) for name in names or NAMES]
    wanted = _unique(
        service
        for one in named
        for service in (one.programs if isinstance(one, Notify) else (one,))
    )
    started = {service.name: False for service in wanted}

    def end(service: Service) -> None:
        started[service.name] = bring_up.remove(service, delete_data=delete_data)

    # Programs first: what they are about to write has to find its broker.
    programs = [service for service in wanted if isinstance(service, Program | Site)]
    others = [service for service in wanted if not isinstance(service, Program | Site)]
    for group in (programs, others):
        bring_up.side_by_side([partial(end, service) for service in group])
    if delete_data:
        for one in named:
            if isinstance(one, Notify):
                one.delete_data()
    return [name for name, was_started in started.items() if was_started]


def _notify(kafka: KafkaName | None = None) -> Notify:
    settings = Settings.load()
    return Notify(StateFolder.open(settings), settings, kafka)


def _members(one: Service | Notify) -> tuple[Service, ...]:
    if isinstance(one, Notify):
        return one.members
    return (one.postgres, one) if isinstance(one, Site) else (one,)


def _unique(services: Iterable[Service]) -> list[Service]:
    """Each once; `notify` and a service of its own may both be named."""
    return list({service.name: service for service in services}.values())
