"""Which engine runs a service: the one it runs on already, the one asked for, or what is there."""

from functools import cache
from typing import get_args

from answerbook.config import EngineName, Settings
from answerbook.services.compose import ComposeEngine, docker_answers
from answerbook.services.contract import NativeName
from answerbook.services.engine import Engine
from answerbook.services.native.engine import NativeEngine
from answerbook.services.native.kafka import KafkaRecipe
from answerbook.services.native.notify import ProgramRecipe, RenderRecipe
from answerbook.services.native.postgres import PostgresRecipe
from answerbook.services.native.rabbitmq import RabbitMQRecipe
from answerbook.services.native.site import SiteRecipe
from answerbook.services.state import StateFolder


def engine_for(service: str, state: StateFolder, settings: Settings) -> Engine:
    """The engine whose record the service has, or else the one that settings or machine choose."""
    if service in get_args(NativeName):
        return _native()
    record = state.read_record(service)
    return engine(record.engine if record is not None else chosen(settings), state)


def chosen(settings: Settings) -> EngineName:
    """`ANSWERBOOK_ENGINE`, or `compose` where a Docker engine answers, or `native`."""
    return settings.engine or ("compose" if docker_answers() else "native")


def engine(name: EngineName, state: StateFolder) -> Engine:
    return _native() if name == "native" else ComposeEngine(state)


@cache
def _native() -> NativeEngine:
    return NativeEngine(
        {
            "rabbitmq": RabbitMQRecipe(),
            "rabbitmq-3": RabbitMQRecipe(),
            "kafka": KafkaRecipe(),
            "kafka-3": KafkaRecipe(),
            "postgres": PostgresRecipe(),
            "notify-emulator": ProgramRecipe(),
            "notify-api": ProgramRecipe(),
            "notify-render": RenderRecipe(),
            "notify-deliver": ProgramRecipe(),
            "notify-track": ProgramRecipe(),
            "site": SiteRecipe(),
        }
    )
