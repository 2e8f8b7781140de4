"""RabbitMQ as private processes: an epmd of its own, and a node of Erlang, or three."""

import os
import shutil
from collections.abc import Mapping

from answerbook.services.contract import Service
from answerbook.services.errors import MissingProgram
from answerbook.services.native import programs
from answerbook.services.native.launch import Launch, Plan, Recipe
from answerbook.services.rabbitmq import RabbitMQ, RabbitMQ3
from answerbook.services.state import write_whole

ADVANCED = "advanced.config"

# No busy waiting: two cores are shared with whatever the reader does.
ERLANG_FLAGS = "-noinput +sbwt none +sbwtdcpu none +sbwtdio none"

NET_TICK_SECONDS = 8
"""A frozen neighbour counts as lost after 6 to 10 s; by default it takes 45 to 75."""


class RabbitMQRecipe(Recipe):
    """Erlang's distribution and epmd on loopback, ports of their own, no system file touched."""

    def fetch(self, service: Service) -> str:
        self._program = programs.rabbitmq(service.settings)
        return self._program.version

    def prepare(self, plan: Plan) -> list[Launch]:
        assert isinstance(plan.service, RabbitMQ)
        service = plan.service
        text = _configuration(service, plan.ports[plan.node])
        (plan.folder / "home").mkdir(exist_ok=True)
        if isinstance(service, RabbitMQ3):
            text += "\n".join([*cluster_settings(service), ""])
            write_whole(plan.folder / "home" / ".erlang.cookie", service.cookie, mode=0o600)
        write_whole(plan.folder / "rabbitmq.conf", text)
        write_whole(plan.folder / ADVANCED, _advanced(service), mode=0o600)
        write_whole(plan.folder / "enabled_plugins", "[rabbitmq_management].\n")
        environment = self._environment(plan)
        return [
            self._epmd_launch(plan, environment),
            Launch("rabbitmq", [self._program.server], plan.folder, environment),
        ]

    def _epmd_launch(self, plan: Plan, environment: Mapping[str, str]) -> Launch:
        """Through it nodes find each other; it must not die with one of several."""
        folder = plan.service.state.service_folder(plan.service.name)
        shared = plan.service.node_count > 1
        return Launch("epmd", [self._epmd()], folder, environment, shared=shared)

    def _epmd(self) -> str:
        found = shutil.which("epmd", path=self._program.path)
        if found is None:
            raise MissingProgram(
                "RabbitMQ is here, but Erlang's epmd is not on its path. Reinstall Erlang (Debian "
                "and Ubuntu: `apt-get install --reinstall erlang-base`)."
            )
        return found

    def _environment(self, plan: Plan) -> dict[str, str]:
        assert isinstance(plan.service, RabbitMQ)
        folder = plan.folder
        schedulers = 2 if plan.service.node_count == 1 else 1
        return {
            # rabbitmqctl, for `Engine.run`, is beside the server.
            "PATH": f"{self._program.server.parent}{os.pathsep}{self._program.path}",
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": plan.service.node_name(plan.node),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            # Else those of /etc/rabbitmq/conf.d, a system broker's listeners and peers, are read.
            "RABBITMQ_CONFIG_FILES": str(folder / "conf.d"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / ADVANCED),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_DIST_PORT": str(plan.ports[plan.node]["distribution"]),
            # The start script then becomes the Erlang machine instead of waiting beside it, so a
            # signal to the process that we started reaches the broker itself.
            "RABBITMQ_ALLOW_INPUT": "yes",
            "RABBITMQ_SERVER_START_ARGS": f"{ERLANG_FLAGS} +S {schedulers}:{schedulers}",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(plan.ports[1]["epmd"]),
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
vm_memory_high_watermark.absolute = {service.memory_watermark}
disk_free_limit.absolute = 50MB
"""


def _advanced(service: RabbitMQ) -> str:
    """The password as an Erlang term: in rabbitmq.conf a `#` in it would begin a comment."""
    password = ",".join(str(byte) for byte in service.password.encode())
    return f"[{{rabbit, [{{default_pass, <<{password}>>}}]}}].\n"


def cluster_settings(service: RabbitMQ3) -> list[str]:
    """Lines of rabbitmq.conf that make three nodes a cluster."""
    peers = [
        f"cluster_formation.classic_config.nodes.{node} = {service.node_name(node)}"
        for node in range(1, service.node_count + 1)
    ]
    return [
        "cluster_formation.peer_discovery_backend = classic_config",
        *peers,
        f"cluster_formation.target_cluster_size_hint = {service.node_count}",
        "cluster_partition_handling = pause_minority",
        f"net_ticktime = {NET_TICK_SECONDS}",
    ]
