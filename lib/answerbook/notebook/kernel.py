"""Runs one notebook live in a fresh kernel, and measures it. `run` calls this for each notebook.

The kernel works in `runs/NAME/` of the state folder, with IPython settings of its own, so that
neither the repository nor the user's profile takes part. The notebook as it was run is left there
for a look at what went wrong.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from answerbook import services
from answerbook.config import Profile, Settings
from answerbook.notebook.memory import PeakMemory
from answerbook.notebook.processes import Root, children_but_services, end, service_roots
from answerbook.notebook.source import code_cells
from answerbook.services.state import StateFolder

SECONDS_ALLOWED: dict[Profile, int] = {"study": 180, "full": 480}
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LOG_LINES = 20
PATIENCE = 30
"""Seconds that a cell's last outputs have to come: on a busy machine 4, nbclient's own, are few."""

OnCell = Callable[[int], None]
"""Called with the number of the code cell, from 1, that is about to run."""


@dataclass(frozen=True)
class Failure:
    """The cell that ended a run, and why."""

    cell: int
    """Among the code cells, from 1; 0 when a service could not be got and none ran."""
    source: str
    error: str
    ended_kernel: bool = False
    """Nothing can be asked of the kernel any more."""


@dataclass(frozen=True)
class Run:
    """What came of running a notebook."""

    name: str
    notebook: NotebookNode
    """With outputs, up to the cell that failed."""
    assertions: int
    """That were executed and held."""
    seconds: float
    memory: int
    """Bytes at the peak, of the kernel and all that the notebook started."""
    measure: str
    """How memory was measured, usually `PSS`."""
    failure: Failure | None


def run_notebook(
    notebook: NotebookNode,
    name: str,
    profile: Profile | None = None,
    on_cell: OnCell = lambda cell: None,
) -> Run:
    """Run `notebook` (which gets the outputs) from top to bottom, or to the first cell that fails.

    Services that it starts are left running: whoever calls this takes them down.
    """
    settings = Settings.load()
    profile = profile or settings.profile
    folder = _fresh_folder(settings.state_folder / "runs" / name)
    client = _client(notebook, folder, deadline=time.monotonic() + SECONDS_ALLOWED[profile])
    state = StateFolder.open(settings)
    peak = PeakMemory(lambda: [*_kernel_process(client), *service_roots(state)])
    assertions = 0
    began = time.monotonic()
    with _kernel(client, folder, settings, profile) as left, peak.watching():
        _ask(client, "install()")
        failure = _run_cells(client, folder, profile, on_cell)
        if failure is None or not failure.ended_kernel:
            assertions = int(_ask(client, "passed()"))
            # What cells registered with atexit gets its turn, which it would not have got before.
            client.shutdown_kernel = "graceful"
        seconds = time.monotonic() - began
        containers = _container_memory()
    if left and failure is None:
        failure = _left_running(left, notebook)
    nbformat.write(notebook, folder / f"{name}.ipynb")  # type: ignore[no-untyped-call]
    return Run(
        name=name,
        notebook=notebook,
        assertions=assertions,
        seconds=seconds,
        memory=peak.bytes + containers,
        measure=peak.measure + (" and what containers use" if containers else ""),
        failure=failure,
    )


def _run_cells(
    client: NotebookClient, folder: Path, profile: Profile, on_cell: OnCell
) -> Failure | None:
    number = 0
    for index, cell in enumerate(client.nb.cells):
        if cell.cell_type != "code":
            continue
        number += 1
        on_cell(number)
        try:
            client.execute_cell(cell, index)
        except CellExecutionError as error:
            return Failure(number, cell.source, _traceback(cell) or str(error))
        except CellTimeoutError:
            return Failure(
                number,
                cell.source,
                f"The {SECONDS_ALLOWED[profile]} s that a notebook has in the {profile} profile "
                "were over while this cell ran.",
                ended_kernel=True,
            )
        except DeadKernelError:
            return Failure(number, cell.source, _last_words(folder), ended_kernel=True)
    return None


def _left_running(names: list[str], notebook: NotebookNode) -> Failure:
    codes = [cell.source for cell in code_cells(notebook)]
    return Failure(
        len(codes),
        codes[-1],
        f"The notebook ended and left running what it had started: {', '.join(names)}. They have "
        "been killed; let a cell end them.",
        ended_kernel=True,
    )


def _traceback(cell: NotebookNode) -> str:
    lines = [line for output in cell.outputs for line in output.get("traceback", [])]
    return ANSI.sub("", "\n".join(lines)).strip()


# -- the kernel -------------------------------------------------------------------------------


def _client(notebook: NotebookNode, folder: Path, deadline: float) -> NotebookClient:
    manager = AsyncKernelManager(
        # A kernel called python3 that somebody installed for this user would win otherwise.
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        connection_file=str(folder / "connection.json"),
    )
    quiet = logging.getLogger(f"{__name__}.nbclient")
    quiet.setLevel(logging.CRITICAL)
    client = NotebookClient(
        notebook,
        km=manager,
        # Cells share what is left; nbclient takes 0 for no limit.
        timeout_func=lambda cell: max(1, round(deadline - time.monotonic())),
        iopub_timeout=PATIENCE,
        record_timing=False,
        store_widget_state=False,
        log=quiet,
    )
    client.reset_execution_trackers()
    return client


@contextmanager
def _kernel(
    client: NotebookClient, folder: Path, settings: Settings, profile: Profile
) -> Iterator[list[str]]:
    """Start the kernel; end it with the block, and then the processes that it leaves behind.

    The list has the names of these after the block. The kernel is killed, unless `shutdown_kernel`
    says otherwise by then.
    """
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")},
        "ANSWERBOOK_HOME": str(settings.state_folder),
        "ANSWERBOOK_PROFILE": profile,
        "IPYTHONDIR": str(folder / "ipython"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    state = StateFolder.open(settings)
    started: list[psutil.Process] = []
    left: list[str] = []
    # Sockets in a short private folder, in place of ports that another kernel may take meanwhile.
    with (
        (folder / "kernel.log").open("wb") as log,
        tempfile.TemporaryDirectory(prefix="answerbook-") as sockets,
    ):
        assert client.km is not None
        client.km.transport, client.km.ip = "ipc", f"{sockets}/kernel"
        client.shutdown_kernel = "immediate"
        try:
            with client.setup_kernel(
                cleanup_kc=True, cwd=str(folder / "cwd"), env=environment, stdout=log, stderr=log
            ):
                try:
                    yield left
                finally:
                    started = children_but_services(_kernel_process(client), state)
        finally:
            left += end(started)


def _ask(client: NotebookClient, question: str) -> str:
    """Evaluate an expression of `assertions` in the kernel, unseen by the notebook."""
    assert client.kc is not None
    module = f"__import__('answerbook.notebook.assertions', fromlist=['*']).{question}"
    sent = client.kc.execute(
        "", silent=True, store_history=False, user_expressions={"asked": module}
    )
    reply = client.wait_for_reply(sent)
    if reply is None or reply["content"]["user_expressions"]["asked"]["status"] != "ok":
        raise RuntimeError(f"The kernel could not evaluate {question}: {reply}")
    return str(reply["content"]["user_expressions"]["asked"]["data"]["text/plain"])


def _fresh_folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "cwd").mkdir(parents=True)
    return folder


def _last_words(folder: Path) -> str:
    lines = (folder / "kernel.log").read_text(errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join(["The kernel died, for want of memory, often.", *lines])


# -- what it takes ----------------------------------------------------------------------------


def _kernel_process(client: NotebookClient) -> list[Root]:
    provisioner = getattr(client.km, "provisioner", None)
    pid = getattr(provisioner, "pid", None)
    if pid is None:
        return []
    try:
        return [(pid, psutil.Process(pid).create_time())]
    except psutil.NoSuchProcess:
        return []


def _container_memory() -> int:
    """Bytes that services under compose use now; their processes are not ours to look at."""
    return sum(
        service.engine.memory(service, status.node)
        for service in services.running()
        if service.engine.name == "compose"
        for status in service.nodes()
        if status.condition == "running"
    )
