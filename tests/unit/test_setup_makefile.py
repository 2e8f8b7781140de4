"""The Makefile, and what README, continuous integration and pre-commit say of it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z]+):(?!=)", MAKEFILE, re.MULTILINE))
FOR_READERS = {"lab", "notebooks", "test", "down"}


def make(*arguments: str, folder: Path = ROOT) -> str:
    # Without what a `make test` around this test tells its children.
    variables = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    return subprocess.check_output(["make", *arguments], cwd=folder, env=variables, text=True)


@pytest.mark.parametrize("arguments", [(), ("help",)])
def test_help_describes_every_target_in_a_line(arguments: tuple[str, ...]) -> None:
    described = re.findall(r"^  ([a-z]+) +\S.{8,}$", make(*arguments), re.MULTILINE)
    assert sorted(TARGETS) == sorted(described)


def test_no_target_is_taken_for_a_file() -> None:
    assert TARGETS == set(re.findall(r"^\.PHONY: ([a-z]+)$", MAKEFILE, re.MULTILINE))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_pages_name_targets_that_there_are(page: str) -> None:
    named = set(re.findall(r"\bmake ([a-z]+)\b", _code(ROOT / page)))
    assert named
    assert named <= TARGETS


def test_readme_names_what_a_reader_needs() -> None:
    readme = _code(ROOT / "README.md")
    assert FOR_READERS == {target for target in FOR_READERS if f"make {target}" in readme}


def test_down_before_anything_was_installed_says_that_nothing_ran(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    told = make("down", f"ANSWERBOOK_HOME={tmp_path}", folder=tmp_path)
    assert told.startswith("Nothing was running")


def test_down_without_an_environment_ends_what_was_started_all_the_same(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    record = tmp_path / "services" / "kafka" / "record.json"
    record.parent.mkdir(parents=True)
    record.write_text("{}")
    told = make("--dry-run", "down", f"ANSWERBOOK_HOME={tmp_path}", folder=tmp_path)
    assert ["python3 requirements/install.py lab", ".venv/bin/python -m answerbook down"] == [
        line.strip() for line in told.splitlines()
    ]


@pytest.mark.parametrize(("services", "wanted"), [("kafka", "lab"), ("kafka notify", "q2")])
def test_up_installs_what_the_named_services_need(services: str, wanted: str) -> None:
    told = make("--dry-run", "up", f"SERVICES={services}")
    assert [
        f"python3 requirements/install.py {wanted}",
        f".venv/bin/python -m answerbook up {services}",
    ] == [line.strip() for line in told.splitlines()]


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ("", "q2 q5"),
        ("Q=1", "lab"),
        ("Q=2", "q2"),
        ("Q=5", "q5"),
        ("NB=3_2_passwords", "lab"),
        ("NB=00_start_here 5_2_ranking", "lab q5"),
    ],
)
def test_notebooks_install_what_the_chosen_ones_need(chosen: str, wanted: str) -> None:
    first, *_ = make("--dry-run", "notebooks", *filter(None, [chosen])).splitlines()
    assert f"for set in {wanted}; do python3 requirements/install.py $set || exit 1; done" == first


def test_continuous_integration_runs_make_test_and_nothing_else() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    commands = [line for line in script.read_text().splitlines() if not line.startswith("#")]
    assert commands[0] == "set -euo pipefail"
    assert commands[1].startswith("cd ")
    assert commands[2:] == ["make test"]


def test_pre_commit_runs_the_checks_of_make_check() -> None:
    recipe = re.findall(r"^check:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)[0]
    tools = re.findall(r"^\t\$\(BIN\)/(.+)", recipe, re.MULTILINE)
    config = (ROOT / ".pre-commit-config.yaml").read_text()
    hooks = re.findall(r"^ +entry: (.+)", config, re.MULTILINE)
    assert len(tools) == len(hooks)
    for tool, hook in zip(tools, hooks, strict=True):
        assert f".venv/bin/{tool}".startswith(hook), f"{hook} is not `{tool}` of make check"


def _code(page: Path) -> str:
    """What stands between backquotes in a page, in lines and in blocks."""
    return "\n".join(re.findall(r"`+([^`]+)`+", page.read_text()))
