"""RabbitMQ as private processes: an epmd of its own, and one node of Erlang."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from answerbook.services.contract import Service
from answerbook.services.errors import MissingProgram
from answerbook.services.native import programs
from answerbook.services.native.launch import Launch, Plan
from answerbook.services.rabbitmq import RabbitMQ
from answerbook.services.state import write_whole

MEMORY_WATERMARK = "400MB"
"""Above it publishers are blocked; RabbitMQ's own default, 0.4 of all memory, is for servers."""

ADVANCED = "advanced.config"

# No busy waiting: two cores are shared with whatever the reader does.
ERLANG_FLAGS = "-noinput +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"


class RabbitMQRecipe:
    """Erlang's distribution and epmd on loopback, ports of their own, no system file touched."""

    def fetch(self, service: Service) -> str:
        self._program = programs.rabbitmq(service.settings)
        return self._program.version

    def prepare(self, plan: Plan) -> list[Launch]:
        assert isinstance(plan.service, RabbitMQ)
        ports = plan.ports[plan.node]
        write_whole(plan.folder / "rabbitmq.conf", _configuration(plan.service, ports))
        write_whole(plan.folder / ADVANCED, _advanced(plan.service), mode=0o600)
        write_whole(plan.folder / "enabled_plugins", "[rabbitmq_management].\n")
        (plan.folder / "home").mkdir(exist_ok=True)
        environment = self._environment(plan.folder, ports)
        return [
            Launch("epmd", [self._epmd()], plan.folder, environment),
            Launch("rabbitmq", [self._program.server], plan.folder, environment),
        ]

    def _epmd(self) -> str:
        found = shutil.which("epmd", path=self._program.path)
        if found is None:
            raise MissingProgram(
                "RabbitMQ is here, but Erlang's epmd is not on its path. Reinstall Erlang (Debian "
                "and Ubuntu: `apt-get install --reinstall erlang-base`)."
            )
        return found

    def _environment(self, folder: Path, ports: Mapping[str, int]) -> dict[str, str]:
        return {
            "PATH": self._program.path,
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": "answerbook@localhost",
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / ADVANCED),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_DIST_PORT": str(ports["distribution"]),
            # The start script then becomes the Erlang machine instead of waiting beside it, so a
            # signal to the process that we started reaches the broker itself.
            "RABBITMQ_ALLOW_INPUT": "yes",
            "RABBITMQ_SERVER_START_ARGS": ERLANG_FLAGS,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(ports["epmd"]),
            "ERL_AFLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }


def _configuration(service: RabbitMQ, ports: Mapping[str, int]) -> str:
    return f"""\
listeners.tcp.1 = 127.0.0.1:{ports["amqp"]}
management.tcp.ip = 127.0.0.1
management.tcp.port = {ports["management"]}
default_user = {service.user}
default_user_tags.administrator = true
log.file = false
log.console = true
log.console.level = info
vm_memory_high_watermark.absolute = {MEMORY_WATERMARK}
disk_free_limit.absolute = 50MB
"""


def _advanced(service: RabbitMQ) -> str:
    """The password as an Erlang term: in rabbitmq.conf a `#` in it would begin a comment."""
    password = ",".join(str(byte) for byte in service.password.encode())
    return f"[{{rabbit, [{{default_pass, <<{password}>>}}]}}].\n"
