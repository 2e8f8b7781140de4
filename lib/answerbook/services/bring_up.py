"""Bringing services up and down, one or several side by side.

`services.require` and `services.down` are made of it, and so is the notification system, which
needs other services of its own.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

from answerbook.services.contract import NativeName, Service
from answerbook.services.engines import engine_for
from answerbook.services.errors import ServiceError


def bring_up(service: Service) -> None:
    """Start the service unless it runs and answers. Raises ServiceError."""
    check_engine(service)
    if not service.is_up():
        service.start()


def remove(service: Service, *, delete_data: bool) -> bool:
    """End one service with whatever a broken start left; whether it had been started."""
    with service.state.changing(service.name):
        started = service.state.read_record(service.name) is not None
        service.engine.remove(service)
        if delete_data:
            service.engine.delete_data(service)
    return started


def side_by_side(actions: Sequence[Callable[[], object]], services: Iterable[Service] = ()) -> None:
    """Run all in threads. What one raises is raised, and `services` stop waiting for their start.

    Ctrl-C reaches this thread alone: without that, the others would go on starting theirs.
    """
    with ThreadPoolExecutor(max_workers=len(actions) or 1) as pool:
        running = [pool.submit(action) for action in actions]
        try:
            for each in running:
                each.result()
        except BaseException:
            for service in services:
                service.cancelled.set()
            raise


def check_engine(service: Service) -> None:
    """Raise ServiceError where it runs on another engine than the one asked for."""
    asked = service.settings.engine
    if asked in (None, service.engine.name) or service.name in get_args(NativeName):
        return
    if any(status.condition != "stopped" for status in service.nodes()):
        raise ServiceError(
            f"{service.name} already runs on the {service.engine.name} engine, and "
            f"ANSWERBOOK_ENGINE asks for {asked}. Take it down first: "
            f"`answerbook down {service.name}`."
        )
    service.engine.remove(service)
    service.engine = engine_for(service.name, service.state, service.settings)
