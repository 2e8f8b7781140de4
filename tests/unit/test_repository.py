"""What holds for every file of the repository, whoever adds it."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from sys import stdlib_module_names

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "lib"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# The names are put together here, so that this file holds none of them.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("python" + "hosted", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("repository", "apache", "org"),
        ("registry", "npmjs", "org"),
        ("proxy", "golang", "org"),
        ("crates", "io"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("conda", "anaconda", "org"),
        ("registry-1", "docker", "io"),
        ("index", "docker", "io"),
    )
]
HOME_FOLDERS = (r"root/\.", r"home/(?!reader\b|someone\b)\w+/", r"Users/\w+/")

APART = {"services", "protocols", "notify", "crypto", "load", "notebook"}
FOR_ALL = {"answerbook.config", "answerbook.notify.records"}
MOST_LINES = 300


def files() -> list[Path]:
    """All that is in the repository, or would be with `git add`."""
    listed = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def modules() -> list[Path]:
    return sorted(LIBRARY.rglob("*.py"))


# -- addresses and paths -------------------------------------------------------------------------


def test_no_file_names_a_package_registry() -> None:
    assert [] == list(found(rf"\b(?:{'|'.join(map(re.escape, REGISTRIES))})\b"))


def test_no_file_names_a_folder_of_the_machine_it_was_made_on() -> None:
    paths = [
        *("/" + path for path in HOME_FOLDERS),
        *([re.escape(str(ROOT))] if len(ROOT.parts) > 2 else []),
    ]
    assert [] == list(found(rf"(?<![\w.])(?:{'|'.join(paths)})"))


def found(pattern: str) -> Iterator[str]:
    """Where a pattern stands in the repository: `path:line: what was found`."""
    for path in files():
        content = path.read_bytes().decode(errors="replace")
        for match in re.finditer(pattern, content):
            line = content.count("\n", 0, match.start()) + 1
            yield f"{path.relative_to(ROOT)}:{line}: {match[0]}"


# -- requirements --------------------------------------------------------------------------------


def pins(name: str) -> dict[str, set[str]]:
    """A requirements file: each pin with its marker → its hashes."""
    content = (ROOT / "requirements" / name).read_text().replace("\\\n", " ")
    lines = [line for line in content.splitlines() if line and not line.lstrip().startswith("#")]
    return {
        line.partition("--hash")[0].strip(): set(re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
        for line in lines
    }


@pytest.mark.parametrize("name", ["lab.txt", "q2.txt", "q5.txt", "site.txt", "dev.txt"])
def test_every_requirement_is_pinned_with_hashes(name: str) -> None:
    assert len(pins(name)) > (10 if name == "site.txt" else 100)
    for pin, hashes in pins(name).items():
        assert re.match(r"[a-z0-9-]+==\S+", pin), pin
        assert hashes, pin


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("lab.txt", "q2.txt"),
        ("lab.txt", "q5.txt"),
        ("site.txt", "q5.txt"),
        ("q2.txt", "dev.txt"),
        ("q5.txt", "dev.txt"),
    ],
)
def test_each_file_pins_the_versions_of_the_one_that_holds_it(part: str, whole: str) -> None:
    # By version alone: a marker says who else wants it.
    held, wanted = by_version(whole), by_version(part)
    assert {pin: held.get(pin) for pin in wanted} == wanted


def by_version(name: str) -> dict[str, set[str]]:
    return {pin.partition(" ;")[0]: hashes for pin, hashes in pins(name).items()}


def test_pins_are_what_pyproject_asks_for() -> None:
    versions = {
        pin.partition("==")[0]: pin.split()[0].partition("==")[2] for pin in pins("dev.txt")
    }
    for requirement in declared():
        version = versions.get(canonicalize_name(requirement.name))
        assert version, f"{requirement} is not pinned: `make requirements`"
        assert requirement.specifier.contains(version), f"{requirement}: `make requirements`"


def test_every_import_of_the_library_is_declared() -> None:
    names = {canonicalize_name(requirement.name) for requirement in declared()}
    distributions = packages_distributions()
    for path in modules():
        for imported in imports(path):
            package = imported.partition(".")[0]
            if package != "answerbook" and package not in stdlib_module_names:
                sources = {canonicalize_name(name) for name in distributions.get(package, [])}
                assert sources & names, f"{path.relative_to(ROOT)} imports {package}"


def declared() -> list[Requirement]:
    """The dependencies of the project and of all its extras."""
    extras = PROJECT["optional-dependencies"].values()
    lists = [PROJECT["dependencies"], *extras]
    return [Requirement(text) for requirements in lists for text in requirements]


# -- modules -------------------------------------------------------------------------------------


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in modules() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert [] == [str(path.relative_to(ROOT)) for path in silent]


def test_every_module_fits_into_a_head() -> None:
    lengths = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in modules()}
    assert {} == {name: length for name, length in lengths.items() if length > MOST_LINES}


def test_packages_do_not_import_each_other() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {imported}"
        for path in modules()
        for imported in imports(path)
        if imported.startswith("answerbook.") and not may_import(path, imported)
    ]
    assert [] == wrong


def may_import(path: Path, imported: str) -> bool:
    """`notebook` and the modules of the command line may import all, the others only themselves."""
    package = path.relative_to(LIBRARY / "answerbook").parts[0]
    if package == "config.py":
        return False
    if package == "notebook" or package not in APART:
        return True
    return imported.split(".")[1] == package or any(
        imported == name or imported.startswith(f"{name}.") for name in FOR_ALL
    )


def imports(path: Path) -> Iterator[str]:
    """The modules, or the names in them, that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
