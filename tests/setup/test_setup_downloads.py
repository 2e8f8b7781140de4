"""What the pins make a reader download, by the index's own account."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from requirements.environment import DOWNLOAD
from tests.setup.trees import ROOT

PLATFORMS = [
    *(f"manylinux_2_{minor}_x86_64" for minor in range(36, 4, -1)),
    *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"),
]
MOST_FOR_LAB = 150
SOURCES = {"pyspark"}
"""Packages that have no wheels; building this one compiles nothing."""


@pytest.mark.parametrize("wanted", ["lab", "q2", "q5", "dev"])
def test_every_supported_python_downloads_wheels_alone_and_as_few_as_announced(
    wanted: str, tmp_path: Path
) -> None:
    packages = listed(wanted, tmp_path)
    assert len(packages) > 100
    for minor in (11, 12, 13, 14):
        megabytes = sum(bytes_for(package, minor) for package in packages) / 1e6
        assert 0.9 * DOWNLOAD[wanted] < megabytes <= DOWNLOAD[wanted], f"Python 3.{minor}"
    assert DOWNLOAD["lab"] <= MOST_FOR_LAB


def listed(wanted: str, folder: Path) -> list[dict[str, Any]]:
    """Each pinned package with all its files and their sizes."""
    lock = folder / "pylock.toml"
    subprocess.check_call(
        [
            *(sys.executable, "-m", "uv", "pip", "compile", f"{ROOT}/requirements/{wanted}.txt"),
            *("--no-deps", "--universal", "--python-version", "3.11"),
            *("--format", "pylock.toml", "--quiet", "--output-file", lock),
        ]
    )
    packages: list[dict[str, Any]] = tomllib.loads(lock.read_text())["packages"]
    return packages


def bytes_for(package: dict[str, Any], minor: int) -> int:
    """The size of the wheel that CPython 3.`minor` on Linux, x86_64, takes; 0 where none."""
    if not Marker(package.get("marker", "python_version > '3'")).evaluate(
        {
            "python_version": f"3.{minor}",
            # Later than every patch release that a marker names.
            "python_full_version": f"3.{minor}.99",
            "platform_python_implementation": "CPython",
            "implementation_name": "cpython",
            "sys_platform": "linux",
            "os_name": "posix",
        }
    ):
        return 0
    if package["name"] in SOURCES:
        size: int = package["sdist"]["size"]
        return size
    ranks = {tag: rank for rank, tag in enumerate(tags(minor))}
    sizes: dict[int, int] = {}
    for wheel in package["wheels"]:
        fitting = parse_wheel_filename(wheel["url"].rpartition("/")[2])[3] & ranks.keys()
        if fitting:
            sizes[min(ranks[tag] for tag in fitting)] = wheel["size"]
    assert sizes, f"{package['name']} {package['version']} has no wheel for Python 3.{minor}"
    return sizes[min(sizes)]


def tags(minor: int) -> list[Tag]:
    """What CPython 3.`minor` on a recent Linux can load, best first."""
    interpreter = f"cp3{minor}"
    return [
        *cpython_tags((3, minor), platforms=PLATFORMS),
        *compatible_tags((3, minor), interpreter, PLATFORMS),
    ]
