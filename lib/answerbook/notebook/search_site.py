"""For notebook 5_3_search_site: the site's code, its servers, and what a page of it costs.

    source("search/views.py", "results", "found")         # shown as it stands in site/
    with served(site, "granian", …, "{port}") as server:  # the same site by another server
        requests.get(server.url)
    with cpu_seconds(site, server) as spent: …            # spent["server"], spent["postgres"]

The pictures of its pages are browser.py's.
"""

from __future__ import annotations

import ast
import os
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from answerbook.notebook.rich_output import show_caption, show_html
from answerbook.notebook.waiting import POLL_SECONDS
from answerbook.services.native import processes
from answerbook.services.site import root

if TYPE_CHECKING:
    from answerbook.services import Site

READY_SECONDS = 60.0
"""What another server may take until it answers."""
END_SECONDS = 10.0
REST_SECONDS = 0.3
"""Without work of any of its processes: then another server is ready, and not starting any more."""
CODE_STYLE = (
    "color: #222; background: #f7f7f7; padding: 0.6em 0.8em; font: 85%/1.3 monospace; "
    "overflow-x: auto"
)
"""With a colour and a background of its own, for dark pages, too."""


# -- code ----------------------------------------------------------------------------------------


def source(path: str, *names: str) -> None:
    """Show these classes, functions or methods (`Class.method`) of a file below site/.

    Raises ValueError for a name that is not there.
    """
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    text = (root() / path).read_text()
    code = "\n\n\n".join(_part(text, name, path) for name in names)
    # With the styles in place: pages that show notebooks drop style sheets.
    style = HtmlFormatter(noclasses=True, style="friendly", prestyles=CODE_STYLE)
    show_html(highlight(code, PythonLexer(), style), code, "code")
    show_caption(f"From site/{path}: {', '.join(names)}.")


def _part(text: str, name: str, path: str) -> str:
    found: ast.AST = ast.parse(text)
    for part in name.split("."):
        inside = getattr(found, "body", [])
        named = [each for each in inside if getattr(each, "name", None) == part]
        if not named:
            raise ValueError(f"There is no {name} in site/{path}.")
        found = named[0]
    assert isinstance(found, ast.ClassDef | ast.FunctionDef)
    first = min([found.lineno, *(each.lineno for each in found.decorator_list)])
    return textwrap.dedent("\n".join(text.splitlines()[first - 1 : found.end_lineno]))


def link(url: str, text: str) -> None:
    """Show an address to click on."""
    show_html(f'<p><a href="{escape(url)}">{escape(text)}</a></p>', f"{text}: {url}", "link")


# -- servers -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """One that serves the site besides uWSGI."""

    url: str
    pid: int


@contextmanager
def served(site: Site, *words: str, **variables: str) -> Iterator[Server]:
    """The site by another program, on the same database, until the block ends.

    `words` are its command, in the folder site/; in them {port} and {address} stand for a free
    port of loopback. A program of this Python's environment is found by its name, and `python` is
    this Python. `variables` are told to it besides the site's. Raises RuntimeError, with what it
    said, where it does not answer.
    """
    port = _free_port()
    address = f"127.0.0.1:{port}"
    program, *arguments = (word.format(port=port, address=address) for word in words)
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [_program(program), *arguments],
            cwd=root(),
            env={**os.environ, **site.variables(), **variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_it_answers(process, f"http://{address}", words[0])
            yield Server(f"http://{address}", process.pid)
        except RuntimeError as error:
            log.seek(0)
            raise RuntimeError(f"{error}\n{log.read()[-1000:]}") from None
        finally:
            _end(process)


def _program(name: str) -> str | Path:
    if name == "python":
        return sys.executable
    beside = Path(sys.executable).with_name(name)
    return beside if beside.exists() else name


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str, name: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            urlopen(f"{url}/healthz", timeout=READY_SECONDS).close()
        except (URLError, OSError):
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended with {process.returncode}.") from None
            if time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not answer in {READY_SECONDS:g} s.") from None
            time.sleep(POLL_SECONDS)
        else:
            break
    while (spent := _of_tree([process.pid])) and time.monotonic() < deadline:
        time.sleep(REST_SECONDS)
        if _of_tree([process.pid]) == spent:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    """Of all that it started, too."""
    tree = _tree([process.pid])
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    processes.kill([each for each in tree if processes.lives(each)])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


# -- costs ---------------------------------------------------------------------------------------


@contextmanager
def cpu_seconds(site: Site, by: Site | Server) -> Iterator[dict[str, float]]:
    """What the block's work took of the processors, where pages come from `by`; at its end.

    By role: "uwsgi", "nginx" and "postgres", and "server", where it is another.
    """
    spent: dict[str, float] = {}
    before = _cpu(site, by)
    yield spent
    spent |= {role: seconds - before[role] for role, seconds in _cpu(site, by).items()}


def _cpu(site: Site, by: Site | Server) -> dict[str, float]:
    used = {}
    for service in (site, site.postgres):
        for process in service.record().processes:
            used[process.role] = _of_tree([process.pid])
    if isinstance(by, Server):
        used["server"] = _of_tree([by.pid])
    return used


def _of_tree(pids: Iterable[int]) -> float:
    """Of processes and all below them; of those that ended meanwhile, too."""
    total = 0.0
    for process in _tree(pids):
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])  # user, system, and both of children that ended
    return total


def _tree(pids: Iterable[int]) -> list[psutil.Process]:
    living = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            living.append(psutil.Process(pid))
    return processes.with_children(living)
