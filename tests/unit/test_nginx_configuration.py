"""docker/nginx/fill.py: what it makes of the environment, and what it refuses."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from answerbook.config import repository

ROOT = repository()
assert ROOT is not None
FILL = ROOT / "docker" / "nginx" / "fill.py"


def fill(path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SITE_")}
    return subprocess.run(
        [sys.executable, FILL, path],
        env=kept | {"SITE_STATIC_ROOT": "/srv/static"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_variable_is_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "nginx.conf"
    assert 0 == fill(path, SITE_LISTEN="8000", SITE_RATE="7").returncode
    text = path.read_text()
    assert "${" not in text
    assert "listen 8000 " in text
    assert "rate=7r/s" in text
    assert 'alias "/srv/static/";' in text


def test_nobody_is_believed_who_is_no_trusted_proxy(tmp_path: Path) -> None:
    path = tmp_path / "nginx.conf"
    fill(path)
    assert "set_real_ip_from" not in path.read_text()
    fill(path, SITE_TRUSTED_PROXIES="10.0.0.0/8, fd00::/8")
    assert ["10.0.0.0/8", "fd00::/8"] == re.findall(r"set_real_ip_from (\S+);", path.read_text())


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("SITE_RATE", "fast", "a whole number"),
        ("SITE_RATE", "0", "a whole number"),
        ("SITE_RATE", "5r/s; evil", "a whole number"),
        ("SITE_LISTEN", "8000; root /", "a port"),
        ("SITE_STATIC_ROOT", "static", "an absolute path"),
        ("SITE_STATIC_ROOT", '/x"; root "/', "an absolute path"),
        ("SITE_TRUSTED_PROXIES", "10.0.0.1/8", "networks as 10.0.0.0/8"),
        ("SITE_TRUSTED_PROXIES", "everyone", "networks as 10.0.0.0/8"),
        ("SITE_LARGEST_UPLOAD", "much", "a size as 100m"),
    ],
)
def test_value_that_cannot_be_used_is_named_and_the_old_file_stays(
    tmp_path: Path, name: str, value: str, why: str
) -> None:
    path = tmp_path / "nginx.conf"
    path.write_text("old")
    done = fill(path, **{name: value})
    assert 1 == done.returncode
    assert f"{name} is {value!r}; it has to be {why}" in done.stderr
    assert [path] == list(tmp_path.iterdir())
    assert "old" == path.read_text()


def test_wrong_use_says_how_to_use_it() -> None:
    done = subprocess.run([sys.executable, FILL], capture_output=True, text=True, check=False)
    assert (2, "Usage: python docker/nginx/fill.py FILE\n") == (done.returncode, done.stderr)
