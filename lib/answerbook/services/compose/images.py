"""The images that containers are made of: pulled once, with progress. The engine calls `fetch`."""

from __future__ import annotations

import json
import re

from tqdm import tqdm

from answerbook.services import progress
from answerbook.services.compose.commands import (
    INSTEAD,
    DockerUnreachable,
    attempt,
    docker,
    failure,
    one_line,
    running,
)
from answerbook.services.errors import FetchFailed

LAYER = re.compile(r"^([0-9a-f]{12}): (.+)$")
FINISHED = ("Pull complete", "Already exists")


def fetch(image: str, variable: str) -> None:
    """Pull `image` unless it is here. Raises FetchFailed, which names the `variable` it is in."""
    if not is_here(image):
        _pull(image, variable)


def version(image: str, variable: str | None) -> str:
    """What the image says in its environment's `variable`, or else what its tag says."""
    environment = json.loads(docker("image", "inspect", "--format", "{{json .Config.Env}}", image))
    values = dict(entry.partition("=")[::2] for entry in environment or [])
    said = values.get(variable or "") or tag(image)
    # Debian's packages say 18.1-1.pgdg13+2: what follows the dash is the package's own.
    return said.partition("-")[0]


def tag(image: str) -> str:
    """`4.1.1` of `registry.example:5000/apache/kafka:4.1.1@sha256:…`; `latest` without one."""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2] or "latest"


class Layers:
    """Counts an image's layers while `docker pull` reports on them line by line."""

    def __init__(self) -> None:
        self._finished: dict[str, bool] = {}

    def read(self, line: str) -> None:
        match = LAYER.match(line.strip())
        if match:
            layer, what = match.groups()
            self._finished[layer] = self._finished.get(layer, False) or what in FINISHED

    @property
    def total(self) -> int:
        return len(self._finished)

    @property
    def finished(self) -> int:
        return sum(self._finished.values())


def is_here(image: str) -> bool:
    """Whether it was pulled already. Raises DockerUnreachable."""
    words = ["docker", "image", "inspect", "--format", "{{.Id}}", image]
    finished = attempt(words)
    if finished.code != 0:
        error = failure(words, finished.complaint)
        if isinstance(error, DockerUnreachable):
            raise error
    return finished.code == 0


def _pull(image: str, variable: str) -> None:
    progress.say(f"Fetching the image {image}, once.")
    words = ["docker", "pull", image]
    layers = Layers()
    with (
        running(words) as process,
        tqdm(desc=image.rpartition("/")[2], unit="layer", leave=False, miniters=1) as bar,
    ):
        assert process.stdout
        assert process.stderr
        for line in process.stdout:
            layers.read(line)
            bar.total = layers.total
            bar.update(layers.finished - bar.n)
        complaint = process.stderr.read()
    if process.returncode != 0:
        error = failure(words, complaint)
        if isinstance(error, DockerUnreachable):
            raise error
        raise FetchFailed(
            f"The image {image} could not be pulled: {one_line(complaint)}. Look whether the "
            f"network and that name are right (another goes into {variable}) and run the same "
            f"command again, {INSTEAD}"
        )
