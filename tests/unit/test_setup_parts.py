"""The parts of the installer that decide: what a failure means, what uv is told, what is broken."""

from pathlib import Path

import pytest

from requirements.environment import CannotInstall, incomplete, pinned
from requirements.explain import explain
from requirements.index import cache_folder, installers_environment, pip_settings

# What pip 23 and uv 0.13 really said, with the index's name and most of the lines taken out.
PIP_UNREACHABLE = """\
WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after \
connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPConnection object \
at 0x7fa703188750>: Failed to establish a new connection: [Errno 111] Connection refused')': /six/
ERROR: Could not find a version that satisfies the requirement six==1.17.0 (from versions: none)
"""
PIP_OTHER_HASH = """\
ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the
"""
PIP_FULL = """\
ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device
"""
UV_UNREACHABLE = """\
error: Request failed after 3 retries in 9.2s
  cause: Failed to fetch: http://nowhere.invalid/simple/six/
  cause: error sending request for url (http://nowhere.invalid/simple/six/)
  cause: client error (Connect)
  cause: dns error
  cause: failed to lookup address information: Name or service not known
"""
UV_CERTIFICATE = """\
error: Failed to fetch: https://nowhere.invalid/simple/six/
  cause: error sending request for url (https://nowhere.invalid/simple/six/)
  cause: client error (Connect)
  cause: invalid peer certificate: UnknownIssuer
"""
UV_OTHER_HASH = """\
error: Failed to download `six==1.17.0`
  cause: Hash mismatch for `six==1.17.0`
"""
UV_FULL = """\
error: Failed to install: tzdata-2026.6-py2.py3-none-any.whl (tzdata==2026.6)
  cause: Failed to copy to `tzdata/zoneinfo/Etc/Greenwich`
  cause: failed to copy file: No space left on device (os error 28)
"""
UV_FORBIDDEN = """\
error: Failed to initialize cache at `nobody`
  cause: failed to create directory `nobody`: Permission denied (os error 13)
"""


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (PIP_UNREACHABLE, "cannot be reached ([Errno 111] Connection refused)"),
        (PIP_OTHER_HASH, "its hash differs"),
        (PIP_FULL, "The disk is full"),
        (UV_UNREACHABLE, "(failed to lookup address information: Name or service not known)"),
        (UV_CERTIFICATE, "export PIP_CERT="),
        (UV_OTHER_HASH, "its hash differs"),
        (UV_FULL, "The disk is full"),
        (UV_FORBIDDEN, "Permission denied (os error 13)"),
    ],
)
def test_what_pip_and_uv_say_is_explained_in_one_paragraph(output: str, told: str) -> None:
    paragraph = explain(output)
    assert paragraph is not None
    assert told in paragraph
    assert "`export " in paragraph or "CACHE_DIR" in paragraph
    assert "\n" not in paragraph


def test_what_is_not_known_is_not_explained() -> None:
    assert explain("error: Unexpected `not a requirement`") is None


def test_uv_is_told_what_pip_was_told() -> None:
    config = """\
:env:.index-url='http://127.0.0.1:1/from-the-environment'
:env:.timeout='180'
global.cert='/etc/company.pem'
global.index-url='http://127.0.0.1:1/from-a-file'
install.extra-index-url='http://127.0.0.1:1/one\\nhttp://127.0.0.1:1/two'
"""
    expected = {
        "UV_DEFAULT_INDEX": "http://127.0.0.1:1/from-the-environment",
        "UV_EXTRA_INDEX_URL": "http://127.0.0.1:1/one http://127.0.0.1:1/two",
        "SSL_CERT_FILE": "/etc/company.pem",
    }
    environment = installers_environment({"HOME": "/home/reader"}, config)
    assert expected == {name: environment[name] for name in expected}
    assert environment["HOME"] == "/home/reader"


def test_what_uv_was_told_itself_wins() -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        environment = installers_environment({name: "mine"}, "global.index-url='pips'\n")
        assert "mine" == environment["UV_DEFAULT_INDEX"]


def test_packages_go_into_the_environment_whatever_the_shell_says() -> None:
    elsewhere = {"PIP_USER": "1", "PIP_TARGET": "here", "UV_SYSTEM_PYTHON": "1"}
    assert not elsewhere.keys() & installers_environment(elsewhere, "").keys()


def test_pip_without_settings_tells_uv_nothing() -> None:
    assert {} == pip_settings("")


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"HOME": "/home/reader"}, "/home/reader/.cache/uv"),
        ({"HOME": "/home/reader", "XDG_CACHE_HOME": "/cache"}, "/cache/uv"),
        ({"HOME": "/home/reader", "UV_CACHE_DIR": "/uv"}, "/uv"),
    ],
)
def test_cache_is_looked_for_where_uv_keeps_it(variables: dict[str, str], folder: str) -> None:
    assert Path(folder) == cache_folder(variables)


def test_pin_is_taken_with_all_of_its_hashes_and_no_other() -> None:
    pins = (
        "six==1.17.0 \\\n    --hash=sha256:aa\n    # via uvicorn\n"
        "uv==0.13.9 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n    # via answerbook\n"
        "uvicorn==1.0 \\\n    --hash=sha256:dd\n"
    )
    expected = "uv==0.13.9 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    assert expected == pinned("uv", pins)
    with pytest.raises(CannotInstall, match="make requirements"):
        pinned("pip", pins)


def test_package_is_incomplete_without_one_of_its_files_or_their_list(tmp_path: Path) -> None:
    for name in ("whole", "without_a_file", "without_a_list", "without_bytecode"):
        (tmp_path / f"{name}-1.0.dist-info").mkdir()
        (tmp_path / f"{name}.py").write_text("")
        (tmp_path / f"{name}-1.0.dist-info" / "RECORD").write_text(
            f'{name}.py,sha256=47DEQ,0\n"{name}-1.0.dist-info/RECORD",,\n'
        )
    (tmp_path / "without_a_file.py").unlink()
    (tmp_path / "without_a_list-1.0.dist-info" / "RECORD").unlink()
    with (tmp_path / "without_bytecode-1.0.dist-info" / "RECORD").open("a") as record:
        record.write("__pycache__/without_bytecode.cpython-311.pyc,,\n")
    assert ["without_a_file", "without_a_list"] == incomplete(tmp_path)
