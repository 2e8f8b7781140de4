"""The search site of question 5: nginx before uWSGI before Django, on the services' PostgreSQL.

It is a program of ours, so it runs as processes of this machine even where containers run the
rest. It is told everything by DATABASE_URL and SITE_… variables, as it is in production: those of
the reader's own environment, and over them the addresses of what runs here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar, Self

import psutil

from answerbook.config import Settings, repository
from answerbook.services import probe, uwsgi_workers
from answerbook.services.address import Secret
from answerbook.services.contract import Service
from answerbook.services.engine import Engine
from answerbook.services.errors import (
    PORT_LOST,
    CommandFailed,
    MissingProgram,
    NotRunning,
    StartFailed,
)
from answerbook.services.postgres import Postgres
from answerbook.services.state import StateFolder
from answerbook.services.uwsgi_workers import Worker

PREFIX = "SITE_"
DATABASE = "site"
ADMIN = "admin"
SECRET_KEY_CHARACTERS = 64
RELOAD_SECONDS = 60.0
WORKERS = 2


class Site(Service):
    """The site: ready when its home page comes through nginx, and its database has its tables."""

    name = "site"
    usual_ports: ClassVar = {"http": "site_port", "metrics": "site_metrics_port"}
    worth_a_second_start = (*PORT_LOST, "address already in use")

    def __init__(
        self, state: StateFolder, engine: Engine, settings: Settings, postgres: Postgres
    ) -> None:
        super().__init__(state, engine, settings)
        self.postgres = postgres
        self._configured: dict[str, str] = {}

    # -- address ------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Of its home page, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    @property
    def metrics_url(self) -> str:
        """Where Prometheus is to look; not the public's port."""
        return f"http://{self.host}:{self.ports(1)['metrics']}/metrics"

    @property
    def admin_user(self) -> str:
        """Who may sign in under `/admin/`."""
        return os.environ.get(f"{PREFIX}ADMIN_USER") or ADMIN

    @property
    def admin_password(self) -> str:
        """Made once, and kept."""
        given = os.environ.get(f"{PREFIX}ADMIN_PASSWORD")
        return Secret(given or self.state.secret("site-admin").get_secret_value())

    @property
    def folder(self) -> Path:
        """Its working folder: configuration, socket, static files and logs."""
        return self.state.service_folder(self.name)

    @property
    def workers(self) -> int:
        """Of uWSGI, at its next start."""
        return int(self._given().get(f"{PREFIX}WORKERS") or WORKERS)

    def worker_processes(self) -> list[Worker]:
        """Those of today, by uWSGI's own account. Raises OSError where it does not run."""
        return uwsgi_workers.workers(self.folder)

    def addresses(self) -> dict[str, str]:
        """The variables that its processes must have been started with to be of use now."""
        return {"DATABASE_URL": self.postgres.url_of(DATABASE)}

    def variables(self) -> dict[str, str]:
        """All that `site/manage.py` and uWSGI are told. Raises NotRunning without PostgreSQL."""
        return {
            f"{PREFIX}WORKERS": str(self.workers),
            f"{PREFIX}ALLOWED_HOSTS": "127.0.0.1,localhost",
            f"{PREFIX}TLS": "0",  # loopback needs none
            **self._given(),
            **self.addresses(),
            f"{PREFIX}SECRET_KEY": self._secret_key,
            f"{PREFIX}STATIC_ROOT": str(self.folder / "static"),
            f"{PREFIX}ADMIN_USER": self.admin_user,
            f"{PREFIX}ADMIN_PASSWORD": self.admin_password,
        }

    # -- control ------------------------------------------------------------------------------

    def configure(
        self, *, workers: int | None = None, rate: int | None = None, burst: int | None = None
    ) -> Self:
        """How this handle starts it from now on; what is not named is as the environment says.

        `workers` of uWSGI; `rate`, requests a second that nginx takes from one address, and
        `burst`, as many at once before it refuses any.
        """
        wanted = {"WORKERS": workers, "RATE": rate, "BURST": burst}
        self._configured = {
            f"{PREFIX}{name}": str(number) for name, number in wanted.items() if number is not None
        }
        return self

    def start(self, node: int | None = None) -> Self:
        """Start PostgreSQL, then the site, where they do not run."""
        self.postgres.start()
        return super().start(node)

    def reload(self) -> None:
        """Replace the workers one after the other, with the code of today; nobody is refused.

        Raises NotRunning, and StartFailed where the new workers do not come up.
        """
        with self._changing(None):
            self._master()
            deadline = time.monotonic() + RELOAD_SECONDS
            # One that is starting is passed over, and would keep the code that it began with.
            before = self._wait_for_others(frozenset(), deadline)
            (self.folder / "control").write_text("c")
            self._wait_for_others(before, deadline)
            self.ping()

    def manage(self, *words: str | Path) -> str:
        """Run `site/manage.py` with `words` on the site's database; what it printed.

        Raises CommandFailed with what it said where it fails.
        """
        done = subprocess.run(
            [sys.executable, root() / "manage.py", *words],
            env={**os.environ, **self.variables()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            last = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
            raise CommandFailed(f"`manage.py {words[0]}` failed. It said:\n{last}")
        return done.stdout

    # -- readiness ----------------------------------------------------------------------------

    def round_trip(self) -> None:
        """A page, as a browser gets it, and no worker that is still starting.

        To one that is, uWSGI's orderly end does not get through.
        """
        if not all(worker.accepts for worker in self.worker_processes()):
            raise ConnectionError("not every worker takes requests yet")
        self._get("/readyz")
        if "<form" not in self._get("/"):
            raise ConnectionError("what answers at / is not the home page")

    def ping(self) -> None:
        self._get("/healthz")

    def is_answering(self) -> bool:
        """Also whether PostgreSQL is there, and where it was when the site started."""
        return self.postgres.is_answering() and not self._is_misled() and super().is_answering()

    def _get(self, path: str) -> str:
        return probe.get(self.host, self.port, path)

    # -- inside -------------------------------------------------------------------------------

    def _start(self, node: int | None) -> None:
        if self._is_misled():  # PostgreSQL came back on another port
            self.engine.stop(self, None)
        super()._start(node)

    def _is_misled(self) -> bool:
        """Whether it runs, and was told another address than today's."""
        try:
            told = self._master().environ()
        except (psutil.Error, NotRunning):
            return False
        return not self.addresses().items() <= told.items()

    def _master(self) -> psutil.Process:
        """uWSGI's first process."""
        record = self.record()
        for process in record.processes:
            if process.role == "uwsgi":
                return psutil.Process(process.pid)
        raise NotRunning("The site is not running. Start it: `answerbook up site`.")

    def _wait_for_others(self, before: frozenset[int], deadline: float) -> frozenset[int]:
        """Until all workers take requests and none is of `before`; their pids."""
        while True:
            try:
                now = self.worker_processes()
            except OSError:  # it ended meanwhile
                now = []
            pids = frozenset(worker.pid for worker in now)
            if now and all(worker.accepts for worker in now) and not pids & before:
                return pids
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"The site's workers were not replaced within {RELOAD_SECONDS:.0f} s. "
                    f"Its log says why:\n{self._last_words()}"
                )
            time.sleep(0.05)

    def _given(self) -> dict[str, str]:
        """Of the reader's environment, and over it what was configured."""
        environment = {name: text for name, text in os.environ.items() if name.startswith(PREFIX)}
        return environment | self._configured

    @property
    def _secret_key(self) -> str:
        return Secret(self.state.secret("site-key", SECRET_KEY_CHARACTERS).get_secret_value())


def root() -> Path:
    """The folder `site/` of the checkout. Raises MissingProgram where there is none."""
    repository_ = repository()
    if repository_ is None:
        raise MissingProgram(
            "The search site is in the folder `site/` of Answerbook's repository, and this is a "
            "package without it. Clone the repository and start it there."
        )
    return repository_ / "site"
