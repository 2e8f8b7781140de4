"""The whole as an ordinary user in a fresh home: set-up, fetching, three services, and the end.

As root, a user is made for the purpose and removed again; whoever else runs the tests is one.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ROUND_TRIPS = """
import os
from answerbook import services
for service in services.running():
    service.round_trip()
    print(service.name, "answered user", os.getuid())
"""


@dataclass(frozen=True)
class Reader:
    """Somebody with a clone of the repository and nothing else."""

    clone: Path
    home: Path
    prefix: tuple[str, ...]
    uid: int

    def run(self, *words: str | Path) -> str:
        """Run a command in the clone as this user; what it printed. It has to succeed."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ANSWERBOOK_", "PYTHON", "PYENV", "VIRTUAL_ENV", "XDG_", "UV_"))
        }
        done = subprocess.run(
            [*self.prefix, *map(str, words)],
            cwd=self.clone,
            env=environment | {"HOME": str(self.home), "PATH": SYSTEM_PATH},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, done.stdout[-4000:]
        return done.stdout


@pytest.fixture
def reader() -> Iterator[Reader]:
    home = Path(tempfile.mkdtemp(prefix="answerbook-reader-", dir="/var/tmp"))
    home.chmod(0o755)
    clone = home / "answerbook"
    user = f"answerbook-{uuid.uuid4().hex[:8]}"  # a run beside this one has its own
    _copy_sources(clone)
    try:
        if os.geteuid() == 0:
            _install_venv_module()
            subprocess.run(["useradd", "--home-dir", home, "--no-create-home", user], check=True)
            subprocess.run(["chown", "-R", f"{user}:", home], check=True)
            uid = int(subprocess.check_output(["id", "-u", user], text=True))
            yield Reader(clone, home, ("runuser", "-u", user, "--"), uid)
        else:
            yield Reader(clone, home, (), os.getuid())
    finally:
        if os.geteuid() == 0:
            subprocess.run(["userdel", user], check=True)
        shutil.rmtree(home)


@pytest.mark.timeout(900)  # it fetches all that there is
def test_ordinary_user_needs_no_root_for_anything(reader: Reader) -> None:
    python = _python_that_all_may_run()
    reader.run(python, "requirements/install.py", "lab")
    reader.run(".venv/bin/answerbook", "up")
    told = reader.run(".venv/bin/python", "-c", ROUND_TRIPS)
    for name in ("rabbitmq", "kafka", "postgres"):
        assert f"{name} answered user {reader.uid}" in told
    assert "✗" not in reader.run(".venv/bin/answerbook", "doctor")
    assert "Ended: rabbitmq, kafka, postgres." in reader.run(".venv/bin/answerbook", "down")
    assert [] == [
        process
        for process in psutil.process_iter(["cwd"])
        if (process.info["cwd"] or "").startswith(str(reader.home))
    ]


def _copy_sources(clone: Path) -> None:
    """What a clone would hold if the working tree were committed."""
    listed = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)


def _python_that_all_may_run() -> str:
    """The system's Python, or ours where the system's is too old; not one in a private folder."""
    for candidate in (shutil.which("python3", path=SYSTEM_PATH), sys._base_executable):  # type: ignore[attr-defined]
        if candidate and _is_recent(candidate):
            return str(candidate)
    pytest.fail("no Python 3.11 or later that an ordinary user may run was found")


def _is_recent(python: str) -> bool:
    code = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([python, "-c", code], check=False).returncode == 0


def _install_venv_module() -> None:
    """Debian's Python comes without it, and only root can add it: the README says so."""
    probe = subprocess.run(["/usr/bin/python3", "-c", "import ensurepip"], check=False)
    if probe.returncode != 0:
        subprocess.run(["apt-get", "install", "--yes", "-qq", "python3-venv"], check=True)
