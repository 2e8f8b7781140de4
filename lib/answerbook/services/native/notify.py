"""The notification system's programs as private processes: `python -m answerbook notify …`."""

import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version

from answerbook.config import NotifySettings
from answerbook.services.contract import Service
from answerbook.services.native import programs
from answerbook.services.native.launch import Launch, Plan, Recipe
from answerbook.services.notify import PREFIX, Emulator, Program, Render
from answerbook.services.packages import Q2

STUDY_HEAP = "288m"
STUDY_JVM = "-XX:TieredStopAtLevel=1"
"""No second compiler: it makes a long run faster, and its work and its plans take a tenth of the
memory."""


class ProgramRecipe(Recipe):
    """One process a node, told everything by its environment: a password in argv is for all."""

    def fetch(self, service: Service) -> str:
        Q2.provide()
        return own_version()

    def prepare(self, plan: Plan) -> list[Launch]:
        assert isinstance(plan.service, Program)
        variables = {
            **NotifySettings.given(),
            **plan.service.addresses(),
            f"{PREFIX}HOST": plan.service.host,
            f"{PREFIX}PORT": str(plan.ports[plan.node]["http"]),
            f"{PREFIX}FOLDER": str(plan.folder),
            **self.more(plan.service, plan),
        }
        argv = [sys.executable, "-m", "answerbook", "notify", plan.service.program]
        return [Launch(plan.service.program, argv, plan.folder, variables)]

    def more(self, service: Program, plan: Plan) -> dict[str, str]:
        """Variables that this program alone needs."""
        if not isinstance(service, Emulator):
            return {}
        own = plan.ports[plan.node]
        return {
            f"{PREFIX}EMULATOR_TLS_PORT": str(own["tls"]),
            f"{PREFIX}EMULATOR_PROXY_PORT": str(own["proxy"]),
        }


class RenderRecipe(ProgramRecipe):
    """Spark besides: Java, and the jars that PySpark lacks."""

    def fetch(self, service: Service) -> str:
        found = super().fetch(service)
        self._java = programs.java(service.settings)
        self._jars = programs.spark(service.settings)
        return found

    def more(self, service: Program, plan: Plan) -> dict[str, str]:
        assert isinstance(service, Render)
        folder = plan.folder / f"cluster-{service.cluster_id()}"
        folder.mkdir(exist_ok=True)
        temporary = plan.folder / "temporary"
        # Spark tidies up at an orderly end, and only then.
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        java_options = [f'-Djava.io.tmpdir="{temporary}"']
        if service.settings.profile == "study":
            java_options.append(STUDY_JVM)
        return {
            "TMPDIR": str(temporary),
            "SPARK_LOCAL_DIRS": str(temporary),
            "JDK_JAVA_OPTIONS": " ".join(java_options),
            f"{PREFIX}FOLDER": str(folder),
            f"{PREFIX}RENDER_JAVA": str(self._java),
            f"{PREFIX}RENDER_JARS": os.pathsep.join(map(str, self._jars)),
            # Each thread's own pool of the C library: a tenth of what the JVM takes.
            "MALLOC_ARENA_MAX": "2",
            **self._heap(service),
        }

    def _heap(self, service: Render) -> dict[str, str]:
        """In the study profile little more than it needs, unless the reader has a wish."""
        name = f"{PREFIX}RENDER_HEAP"
        if service.settings.profile != "study" or name in NotifySettings.given():
            return {}
        return {name: STUDY_HEAP}


def own_version() -> str:
    """This package's."""
    try:
        return version("answerbook")
    except PackageNotFoundError:  # on PYTHONPATH, not installed
        return "0"
