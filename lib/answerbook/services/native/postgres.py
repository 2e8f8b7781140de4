"""PostgreSQL as a private process, password-protected on TCP, without a Unix socket.

No socket: its path may not pass 107 bytes, and a state folder's path may.
"""

import os
import pwd
import shutil
import signal
import tempfile
from pathlib import Path

from answerbook.config import Settings, reachable_by_others
from answerbook.services.contract import Service
from answerbook.services.errors import StartFailed, StateFolderError
from answerbook.services.native import processes, programs, shared_memory
from answerbook.services.native.launch import Launch, Plan, Recipe
from answerbook.services.postgres import Postgres
from answerbook.services.state import write_whole


class PostgresRecipe(Recipe):
    """One server. As root it runs as `ANSWERBOOK_POSTGRES_USER`, since PostgreSQL refuses root."""

    def fetch(self, service: Service) -> str:
        self._program = programs.postgres(service.settings)
        return self._program.version

    def prepare(self, plan: Plan) -> list[Launch]:
        assert isinstance(plan.service, Postgres)
        user, group = _identity(plan.service.settings, plan.folder)
        data = plan.folder / "data"
        if not data.exists():
            self._initialise(plan, data, user, group)
        self.tidy(plan.folder)
        (data / "postmaster.pid").unlink(missing_ok=True)  # its process was looked for and is gone
        return [
            Launch(
                "postgres",
                [
                    *(self._program.bin / "postgres", "-D", data),
                    *("-p", str(plan.ports[plan.node]["postgres"])),
                    *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
                    *("-c", "shared_buffers=128MB", "-c", "max_connections=60"),
                    # In the data folder, not in /dev/shm, where a kill would leave them.
                    *("-c", "dynamic_shared_memory_type=mmap"),
                ],
                plan.folder,
                {"LC_ALL": "C.UTF-8"},
                user=user,
                group=group,
                stop_signal=signal.SIGINT,  # "fast": ends connections, then shuts down in order
            )
        ]

    def tidy(self, folder: Path) -> None:
        shared_memory.release(folder / "data" / "postmaster.pid")

    def _initialise(self, plan: Plan, data: Path, user: int | None, group: int | None) -> None:
        """initdb and the database, beside the final folder; it takes its name when all is done."""
        assert isinstance(plan.service, Postgres)
        for left_over in plan.folder.glob("initialising-*"):
            shutil.rmtree(left_over)
        work = Path(tempfile.mkdtemp(prefix="initialising-", dir=plan.folder))
        password_file = work / "password"
        write_whole(password_file, plan.service.password, mode=0o600)
        if user is not None and group is not None:
            for path in (work, password_file):
                _hand_over(path, user, group)
        new = work / "data"

        def run(role: str, *words: str | Path, typed: str = "") -> None:
            launch = Launch(role, words, work, {"LC_ALL": "C.UTF-8"}, user=user, group=group)
            processes.run(launch, plan.mark, typed)

        run(
            "initdb",
            *(self._program.bin / "initdb", "-D", new, "-U", plan.service.user),
            *("--auth=scram-sha-256", f"--pwfile={password_file}"),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
        )
        run(
            "postgres",
            *(self._program.bin / "postgres", "--single", "-D", new, "postgres"),
            typed=f"CREATE DATABASE {plan.service.database}\n",
        )
        new.replace(data)
        shutil.rmtree(work)


def _hand_over(path: Path, user: int, group: int) -> None:
    try:
        os.chown(path, user, group)
    except OSError as error:
        raise StartFailed(
            "PostgreSQL refuses to run as root, and this root may not hand files to another user "
            f"({error.strerror}), as in some containers. Run as an ordinary user, or name one that "
            "this machine lets you become with `export ANSWERBOOK_POSTGRES_USER=…`."
        ) from error


def _identity(settings: Settings, folder: Path) -> tuple[int | None, int | None]:
    """Uid and gid to run as: our own (None) unless we are root."""
    if os.geteuid() != 0:
        return None, None
    try:
        account = pwd.getpwnam(settings.postgres_user)
    except KeyError:
        raise StartFailed(
            f"ANSWERBOOK_POSTGRES_USER is {settings.postgres_user!r}, and there is no such user. "
            "Name one that exists, or `unset ANSWERBOOK_POSTGRES_USER` for `nobody`."
        ) from None
    if not reachable_by_others(folder):
        raise StateFolderError(
            f"PostgreSQL refuses to run as root, so it runs as {settings.postgres_user}, who "
            f"cannot reach the state folder {settings.state_folder}: a folder above it is "
            "private. Choose one that all may enter, such as "
            "`export ANSWERBOOK_HOME=/var/lib/answerbook`, or do not run as root."
        )
    return account.pw_uid, account.pw_gid
