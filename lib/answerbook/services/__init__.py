"""The real services that the notebooks run against, brought up when they are asked for.

    from answerbook import services
    rabbitmq = services.require("rabbitmq")      # starts it if it isn't up

`require` is for notebooks and tests; `up`, `down` and `running` are for the command line. What a
service's handle can do stands in `contract.Service`; what it knows of its client, in rabbitmq.py,
kafka.py and postgres.py.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, cast, get_args, overload

from answerbook.config import Settings
from answerbook.services.contract import Service, ServiceName
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
from answerbook.services.postgres import Postgres
from answerbook.services.rabbitmq import RabbitMQ, RabbitMQ3
from answerbook.services.state import StateFolder

__all__ = [
    "NAMES",
    "CommandFailed",
    "FetchFailed",
    "Kafka",
    "Kafka3",
    "MissingProgram",
    "NodeStatus",
    "NotRunning",
    "Postgres",
    "RabbitMQ",
    "RabbitMQ3",
    "Service",
    "ServiceError",
    "ServiceName",
    "StartFailed",
    "StateFolderError",
    "Tampered",
    "WrongPassword",
    "down",
    "find",
    "require",
    "require_all",
    "running",
]

NAMES: tuple[ServiceName, ...] = get_args(ServiceName)
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
def require(name: ServiceName) -> Service: ...
def require(name: ServiceName) -> Service:
    """The service, running and answering: started, started again or adopted if it was not.

    Idempotent, and safe when several processes ask at once: one starts it, all get it. It outlives
    this process; `answerbook down` ends it. Raises ServiceError with one paragraph on what to do.
    """
    service = find(name)
    _check_same_engine(service)
    return _require(service)


def require_all(names: Iterable[ServiceName]) -> list[Service]:
    """Several services, started side by side; fetched one after the other."""
    wanted = [find(name) for name in dict.fromkeys(names)]
    for service in wanted:
        _check_same_engine(service)
        service.engine.fetch(service)
    with ThreadPoolExecutor(max_workers=len(wanted) or 1) as pool:
        try:
            return list(pool.map(_require, wanted))
        except BaseException:
            for service in wanted:
                service.cancelled.set()
            raise


def find(name: ServiceName) -> Service:
    """The service's handle, whether it runs or not; starts nothing."""
    if name not in TYPES:
        raise ServiceError(f"There is no service {name!r}. There are: {', '.join(NAMES)}.")
    settings = Settings.load()
    state = StateFolder.open(settings)
    return TYPES[name](state, engine_for(name, state, settings), settings)


def running() -> list[Service]:
    """Handles of all that was started here and not taken down, dead ones included."""
    state = StateFolder.open(Settings.load())
    return [find(cast(ServiceName, record.service)) for record in state.recorded()]


def down(names: Iterable[ServiceName] | None = None, *, delete_data: bool = False) -> list[str]:
    """End the services, all by default, with whatever a broken start left; their names.

    Data stays unless `delete_data`.
    """
    wanted = [find(name) for name in names or NAMES]
    with ThreadPoolExecutor(max_workers=len(wanted)) as pool:
        was_started = list(pool.map(lambda service: _remove(service, delete_data), wanted))
    return [service.name for service, started in zip(wanted, was_started, strict=True) if started]


def _remove(service: Service, delete_data: bool) -> bool:
    """End one service; whether it had been started."""
    with service.state.changing(service.name):
        started = service.state.read_record(service.name) is not None
        service.engine.remove(service)
        if delete_data:
            service.engine.delete_data(service)
    return started


def _require(service: Service) -> Service:
    return service if _is_ready(service) else service.start()


def _is_ready(service: Service) -> bool:
    record = service.state.read_record(service.name)
    return record is not None and record.phase == "ready" and service.is_answering()


def _check_same_engine(service: Service) -> None:
    asked = service.settings.engine
    if asked is None or asked == service.engine.name:
        return
    if any(status.condition != "stopped" for status in service.nodes()):
        raise ServiceError(
            f"{service.name} already runs on the {service.engine.name} engine, and "
            f"ANSWERBOOK_ENGINE asks for {asked}. Take it down first: "
            f"`answerbook down {service.name}`."
        )
    service.engine.remove(service)
    service.engine = engine_for(service.name, service.state, service.settings)
