"""What the engine's tests are made of: Debian's Docker, compose, stand-in images' base, Kafka.

Each is made once, by a script in standins/, and kept beside the fetched programs. conftest.py
calls `provide`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from answerbook.config import Settings
from answerbook.services.native import programs

STANDINS = Path(__file__).parent / "standins"
NEEDED = {
    "apt-get": "These tests fetch Docker as Debian's packages: run them on Debian or Ubuntu.",
    "dpkg-deb": "These tests unpack Debian's packages: run them on Debian or Ubuntu.",
    "go": "These tests build Docker's compose plugin with Go 1.24.9 or later: install Go.",
    "unshare": "These tests keep what they start apart with unshare: install util-linux.",
}


@dataclass(frozen=True)
class Parts:
    """Where each part is."""

    docker: Path
    """The root of unpacked packages: `usr/bin/docker`, `usr/sbin/dockerd` and so on."""
    plugins: Path
    """Docker's configuration folder with compose in it."""
    base: Path
    """A system as a tar archive, to be imported as an image."""
    kafka: Path
    """Kafka's jars."""

    def environment(self) -> dict[str, str]:
        """Variables with which the unpacked programs find each other."""
        usr = self.docker / "usr"
        (libraries,) = (usr / "lib").glob("*-linux-gnu*")
        return {
            "PATH": os.pathsep.join([f"{usr}/sbin", f"{usr}/bin", os.environ["PATH"]]),
            "LD_LIBRARY_PATH": str(libraries),
            "XTABLES_LIBDIR": str(libraries / "xtables"),
        }


def provide(settings: Settings) -> Parts:
    """All parts, made now if they are not there. Fails the test with what is missing."""
    if os.geteuid() != 0:
        pytest.fail("These tests start a Docker engine of their own, as root: `sudo make thorough`")
    for program, mend in NEEDED.items():
        if shutil.which(program) is None:
            pytest.fail(f"There is no `{program}`. {mend}")
    cache = settings.programs_folder / "thorough"
    cache.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        plugins = pool.submit(_made, cache, "build-compose", STANDINS / "compose" / "go.mod")
        docker = _made(cache, "fetch-docker")
        base = _made(cache, "make-base", path=f"{docker}/root/usr/bin")
        (kafka,) = {jar.parent for jar in programs.kafka(settings).jars}
        return Parts(docker / "root", plugins.result(), base / "base.tar", kafka)


def run_script(name: str, *words: str | Path, log: Path, **environment: str) -> None:
    """Run a script of standins/. Fails the test with the end of what it printed."""
    with log.open("w") as output:
        done = subprocess.run(
            [STANDINS / name, *words],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        pytest.fail(f"{STANDINS.name}/{name} failed. The end of {log}:\n{last}", pytrace=False)


def _made(cache: Path, script: str, *inputs: Path, path: str = "") -> Path:
    """The folder that a script fills, made anew when the script or its inputs have changed."""
    release = Path("/etc/os-release").read_bytes()
    text = b"".join(file.read_bytes() for file in (STANDINS / script, *inputs))
    final = cache / f"{script}-{hashlib.sha256(release + text).hexdigest()[:12]}"
    if not final.exists():
        work = Path(tempfile.mkdtemp(dir=cache, prefix=f".{script}-"))
        try:
            search = os.pathsep.join(filter(None, [path, os.environ["PATH"]]))
            run_script(script, work / "made", log=cache / f"{script}.log", PATH=search)
            for old in cache.glob(f"{script}-*"):
                shutil.rmtree(old)
            (work / "made").rename(final)
        finally:
            shutil.rmtree(work)
    return final
