"""An Erlang unpacked from packages, made to run from wherever its folder stands.

Used for the RabbitMQ that is fetched from the system's packages.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from answerbook.services.native.programs import shared_libraries
from answerbook.services.native.programs.commands import run
from answerbook.services.native.programs.debian import Packages
from answerbook.services.native.programs.folder import Fetch, failed

PROOF = """
    {ok, _} = application:ensure_all_started(ssl),
    [ok = application:load(Name) || Name <- [mnesia, os_mon, inets, xmerl, syntax_tools, tools]],
    io:put_chars(code:root_dir()),
    halt().
"""
"""Runs the emulator and the one library that binds another (OpenSSL); finds what RabbitMQ loads."""


def make_relocatable(root: Path) -> None:
    """Let the scripts under `root` (…/usr/lib/erlang) find it by their own path, not the system's.

    OTP does so by itself; Debian's packages of it do not.
    """
    for script in _scripts(root):
        text = script.read_text()
        own = _folder_of_script(script, root)
        script.write_text(re.sub(r'ROOTDIR="?/usr/lib/erlang"?', f"ROOTDIR={own}", text))


def add_missing_libraries(
    root: Path, erlang_packages: Collection[str], packages: Packages, fetch: Fetch
) -> None:
    """Unpack the shared libraries that Erlang needs and this machine lacks: most often, none."""
    binaries = [*root.glob("erts-*/bin/beam*"), *root.rglob("*.so")]
    folders = shared_libraries.add_missing(
        binaries, root.parents[2], erlang_packages, packages, fetch
    )
    if folders:
        _look_for_libraries_in(folders, root)


def prove(root: Path, fetch: Fetch) -> None:
    """Run the Erlang under `root` once. Raises FetchFailed where it does not do what it should."""
    told = run(
        [root / "bin/erl", "-noshell", "-boot", "start_clean", "-eval", PROOF],
        fetch,
        "the Erlang that was unpacked does not run on this machine",
        environment={"HOME": str(fetch.work)},
    )
    if Path(told) != root.resolve():
        raise failed(fetch.program, f"the Erlang in {root} takes itself for {told}", fetch.log)


def _scripts(root: Path) -> Iterator[Path]:
    for path in (*root.glob("bin/*"), *root.glob("erts-*/bin/*")):
        if not path.is_symlink() and path.read_bytes()[:2] == b"#!":
            yield path


def _folder_of_script(script: Path, root: Path) -> str:
    """A shell expression for `root`, wherever the script's tree is moved to."""
    up = os.path.relpath(root, script.parent)
    return f'"$(cd "$(dirname "$(readlink -f "$0")")/{up}" && pwd -P)"'


def _look_for_libraries_in(folders: Collection[Path], root: Path) -> None:
    for script in root.glob("**/bin/erl"):
        own = _folder_of_script(script, root)
        lookup = ":".join(f"$here/{os.path.relpath(folder, root)}" for folder in sorted(folders))
        first_line, rest = script.read_text().split("\n", 1)
        script.write_text(
            f"{first_line}\nhere={own}\n"
            f'LD_LIBRARY_PATH="{lookup}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"\n'
            f"export LD_LIBRARY_PATH\n{rest}"
        )
