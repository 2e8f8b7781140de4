"""The search site as private processes: uWSGI, and nginx before it.

Both read the configuration that the container reads, docker/uwsgi and docker/nginx, filled from
the environment.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

from answerbook.services import progress
from answerbook.services.contract import Service
from answerbook.services.native import processes, programs
from answerbook.services.native.launch import Launch, Plan, Recipe
from answerbook.services.native.notify import own_version
from answerbook.services.packages import Q5
from answerbook.services.site import DATABASE, PREFIX, Site, root

BACKLOG = 1_024
HARAKIRI = "30"


class SiteRecipe(Recipe):
    """Two processes of one node."""

    def fetch(self, service: Service) -> str:
        root()
        Q5.provide()
        self._nginx = programs.nginx(service.settings)
        return own_version()

    def prepare(self, plan: Plan) -> list[Launch]:
        assert isinstance(plan.service, Site)
        plan.service.postgres.ensure_database(DATABASE)
        variables = self._variables(plan.service, plan)
        with progress.waiting("site: migrations, documents and static files"):
            prepare: list[str | Path] = [sys.executable, root() / "manage.py", "prepare"]
            processes.run(Launch("site", prepare, plan.folder, variables), plan.mark)
        self._configure_nginx(plan, variables)
        return [self._uwsgi(plan, variables), self._start_nginx(plan)]

    def _variables(self, site: Site, plan: Plan) -> dict[str, str]:
        """What manage.py, uWSGI and nginx's configuration are told."""
        metrics = plan.folder / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)  # of processes that are gone
        metrics.mkdir()
        ports = plan.ports[plan.node]
        return {
            f"{PREFIX}HARAKIRI": HARAKIRI,
            **site.variables(),
            f"{PREFIX}ROOT": str(root()),
            "UWSGI_LISTEN": str(_backlog()),
            f"{PREFIX}LISTEN": f"{site.host}:{ports['http']}",
            f"{PREFIX}METRICS_LISTEN": f"{site.host}:{ports['metrics']}",
            f"{PREFIX}ACCESS_LOG": str(plan.folder / "access.log"),
            f"{PREFIX}MIME_TYPES": str(self._nginx.mime_types),
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        }

    def _uwsgi(self, plan: Plan, variables: dict[str, str]) -> Launch:
        ini = root().parent / "docker" / "uwsgi" / "uwsgi.ini"
        program = Path(sys.executable).parent / "uwsgi"
        return Launch("uwsgi", [program, "--ini", ini], plan.folder, variables)

    def _configure_nginx(self, plan: Plan, variables: dict[str, str]) -> None:
        fill = root().parent / "docker" / "nginx" / "fill.py"
        configuration = plan.folder / "nginx.conf"
        processes.run(
            Launch("nginx", [sys.executable, fill, configuration], plan.folder, variables),
            plan.mark,
        )
        (plan.folder / "temporary").mkdir(exist_ok=True)
        log = plan.folder / "access.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))

    def _start_nginx(self, plan: Plan) -> Launch:
        argv: list[str | Path] = [
            self._nginx.binary,
            "-p",
            plan.folder,
            "-c",
            "nginx.conf",
            "-e",
            "stderr",
        ]
        if os.geteuid() == 0:  # else its workers become `nobody`, who cannot read our folder
            argv += ["-g", "user root;"]
        variables = {"LD_LIBRARY_PATH": self._nginx.libraries} if self._nginx.libraries else {}
        return Launch("nginx", argv, plan.folder, variables, stop_signal=signal.SIGQUIT)


def _backlog() -> int:
    """Connections that wait for a worker; uWSGI does not start where the system allows fewer."""
    try:
        most = int(Path("/proc/sys/net/core/somaxconn").read_text())
    except (OSError, ValueError):
        return 100
    return min(BACKLOG, most)
