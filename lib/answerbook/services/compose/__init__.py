"""The compose engine: every service as containers of `docker/compose.yaml`.

`services.engines` chooses it where a Docker engine answers (`docker_answers`). What stands in the
file for each service is in `layout`; how `docker` is run and its complaints are read, in
`commands`; what this machine has of Docker, in `machine`.
"""

from answerbook.services.compose.engine import ComposeEngine
from answerbook.services.compose.machine import docker_answers, why_not

__all__ = ["ComposeEngine", "docker_answers", "why_not"]
