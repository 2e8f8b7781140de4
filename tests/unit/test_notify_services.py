"""The notification system's programs as services, before anything is started."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from answerbook import services
from answerbook.config import Settings
from answerbook.services import Notify, NotRunning, packages
from answerbook.services.native.engine import NativeEngine
from answerbook.services.native.launch import Launch, Plan
from answerbook.services.native.notify import ProgramRecipe
from answerbook.services.notify import Program
from answerbook.services.state import ServiceRecord, StateFolder, write_whole

PROGRAMS = {"notify-api", "notify-render", "notify-deliver", "notify-track", "notify-emulator"}


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateFolder:
    for variable in Settings.model_fields:
        monkeypatch.delenv(f"ANSWERBOOK_{variable.upper()}", raising=False)
    monkeypatch.setenv("ANSWERBOOK_HOME", str(tmp_path))
    monkeypatch.setenv("ANSWERBOOK_ENGINE", "native")
    return StateFolder.open(Settings.load())


@pytest.fixture
def notify(state: StateFolder) -> Notify:
    """The system as it is when what its programs need was started."""
    ports = {
        "kafka": {"kafka": 9192, "controller": 9193},
        "postgres": {"postgres": 5532},
        "notify-emulator": {"http": 8181, "tls": 8182, "proxy": 8183},
    }
    for service, names in ports.items():
        state.write_record(
            ServiceRecord(service=service, engine="native", version="1", ports={1: names})
        )
    return services.find("notify")


def launched(program: Program) -> Launch:
    names = [*program.usual_ports, *program.extra_ports]
    plan = Plan(
        program,
        node=1,
        ports={1: {name: 20_000 + number for number, name in enumerate(names)}},
        folder=program.folder,
        mark="mark",
    )
    (launch,) = ProgramRecipe().prepare(plan)
    return launch


def test_every_program_is_a_service_and_part_of_the_system() -> None:
    notify = services.find("notify")
    assert PROGRAMS == {program.name for program in notify.programs}
    for program in notify.programs:
        assert type(program) is type(services.find(program.name))
    members = [service.name for service in services.find_all(["notify", "kafka", "notify-api"])]
    assert {"kafka", "postgres", *PROGRAMS} == set(members)
    assert len(members) == len(set(members))


def test_program_is_told_where_what_it_needs_is(notify: Notify) -> None:
    told = launched(notify.deliver).environment
    assert "127.0.0.1:9192" == told["ANSWERBOOK_NOTIFY_KAFKA"]
    assert "ANSWERBOOK_NOTIFY_DATABASE" not in told, "deliver has no business with it"
    assert notify.postgres.url == launched(notify.track).environment["ANSWERBOOK_NOTIFY_DATABASE"]
    assert "http://127.0.0.1:8181" == told["ANSWERBOOK_NOTIFY_EMULATOR_URL"]
    assert ("127.0.0.1", "20000") == (
        told["ANSWERBOOK_NOTIFY_HOST"],
        told["ANSWERBOOK_NOTIFY_PORT"],
    )
    assert str(notify.deliver.folder) == told["ANSWERBOOK_NOTIFY_FOLDER"]


def test_emulator_is_told_its_three_ports_and_no_password_of_others(notify: Notify) -> None:
    told = launched(notify.emulator).environment
    names = ("PORT", "EMULATOR_TLS_PORT", "EMULATOR_PROXY_PORT")
    assert ["20000", "20001", "20002"] == [told[f"ANSWERBOOK_NOTIFY_{name}"] for name in names]
    assert notify.emulator.token == told["ANSWERBOOK_NOTIFY_EMULATOR_TOKEN"]
    assert not [value for value in told.values() if notify.postgres.password in value]


def test_no_secret_stands_in_a_command_line(notify: Notify) -> None:
    for program in (notify.api, notify.deliver, notify.track, notify.emulator):
        shown = " ".join(map(str, launched(program).argv))
        assert f"-m answerbook notify {program.program}" in shown
        for secret in (notify.state.path / "secrets").iterdir():
            assert secret.read_text() not in shown


def test_setting_of_the_readers_own_reaches_the_program_and_an_address_does_not(
    notify: Notify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSWERBOOK_NOTIFY_DELIVER_ATTEMPTS", "3")
    monkeypatch.setenv("ANSWERBOOK_NOTIFY_KAFKA", "elsewhere:9092")
    monkeypatch.setenv("ANSWERBOOK_NOTIFY_USERS", "7")
    told = launched(notify.deliver).environment
    assert "3" == told["ANSWERBOOK_NOTIFY_DELIVER_ATTEMPTS"]
    assert "127.0.0.1:9192" == told["ANSWERBOOK_NOTIFY_KAFKA"]
    assert "ANSWERBOOK_NOTIFY_USERS" not in told, "it is a setting of who starts the programs"


def test_programs_run_here_where_containers_run_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSWERBOOK_ENGINE", "compose")
    notify = services.find("notify")
    assert ("compose", "compose") == (notify.kafka.engine.name, notify.postgres.engine.name)
    assert all(isinstance(program.engine, NativeEngine) for program in notify.programs)


@pytest.mark.parametrize(("profile", "workers"), [("study", 1), ("full", 2)])
def test_profile_says_how_many_workers_send(
    profile: str, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSWERBOOK_PROFILE", profile)
    assert workers == services.find("notify").deliver.node_count
    monkeypatch.setenv("ANSWERBOOK_NOTIFY_DELIVER_WORKERS", "5")
    assert 5 == services.find("notify-deliver").node_count


def test_workers_that_were_started_are_counted_and_not_those_that_are_wished_for(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = {node: {"http": 9110 + node} for node in (1, 2, 3)}
    state.write_record(
        ServiceRecord(service="notify-deliver", engine="native", version="1", ports=ports)
    )
    monkeypatch.setenv("ANSWERBOOK_NOTIFY_DELIVER_WORKERS", "1")
    deliver = services.find("notify-deliver")
    assert ["stopped"] * 3 == [status.condition for status in deliver.nodes()]


def test_system_stays_on_the_kafka_that_it_ran_on_unless_another_is_asked_for(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "kafka" == services.find("notify").kafka.name
    write_whole(state.service_folder("notify") / "kafka", "kafka-3")
    assert "kafka-3" == services.find("notify").kafka.name
    monkeypatch.setenv("ANSWERBOOK_NOTIFY_KAFKA_SERVICE", "kafka")
    assert "kafka" == services.find("notify").kafka.name
    assert "kafka-3" == Notify(state, Settings.load(), "kafka-3").kafka.name


def test_system_that_is_not_up_says_how_to_start_it() -> None:
    notify = services.find("notify")
    assert "<notify: not running>" == repr(notify)
    with pytest.raises(NotRunning, match="answerbook up notify-api"):
        _ = notify.url


def test_no_secret_is_shown_by_a_cell_and_a_client_gets_each(notify: Notify) -> None:
    notify.state.write_record(
        ServiceRecord(service="notify-api", engine="native", version="1", ports={1: {"http": 1}})
    )
    settings = notify.settings()
    shown = f"{settings!r} {notify!r} {notify.api_key!r} {notify.emulator.token!r}"
    for secret in (notify.state.path / "secrets").iterdir():
        assert 0o600 == secret.stat().st_mode & 0o777
        assert secret.read_text() not in shown
        assert any(secret.read_text() in str(value) for value in settings.values())


def test_command_starts_without_any_package_of_question_2() -> None:
    program = (
        "import sys; from answerbook.cli import main; sys.argv = ['answerbook', '--help']\n"
        "try: main()\n"  # which imports every command's module
        "finally: print(*sys.modules)"
    )
    loaded = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    assert {"answerbook.notify.commands", "answerbook.load_commands"} <= set(loaded)
    heavy = {
        "aiohttp",
        "confluent_kafka",
        "locust",
        "msgspec",
        "numpy",
        "pandas",
        "pyspark",
        "structlog",
    }
    assert set() == heavy & set(loaded)


# -- packages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [packages.Q2, packages.Q5], ids=lambda of: of.name)
def test_no_package_lacks_where_all_is_installed(of: packages.Packages) -> None:
    assert [] == of.lacking()


def test_search_site_brings_what_loads_it_and_nothing_of_question_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "q5.txt").write_text("locust==0.1 \\\ndjango==0.1 \\\n")
    (tmp_path / "pyproject.toml").write_text('[dependency-groups]\nsite = ["Django>=5.2"]\n')
    extras = ['locust>=2.43; extra == "q5"', 'pyspark==4.2.0; extra == "q2"']
    monkeypatch.setattr(packages, "repository", lambda: tmp_path)
    monkeypatch.setattr(packages, "requires", lambda _: extras)
    assert ["Django", "locust"] == packages.Q5.lacking()


def test_package_of_another_version_than_the_pinned_one_is_lacking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements").mkdir()
    pins = f"pyspark==0.1 \\\n    --hash=sha256:00\nmsgspec=={version('msgspec')} \\\n"
    (tmp_path / "requirements" / "q2.txt").write_text(pins)
    monkeypatch.setattr(packages, "repository", lambda: tmp_path)
    assert ["pyspark"] == packages.Q2.lacking()


def test_nothing_is_installed_unasked_into_an_environment_that_is_not_the_checkouts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "q2.txt").write_text("pyspark==0.1 \\\n    --hash=sha256:00\n")
    monkeypatch.setattr(packages, "repository", lambda: tmp_path)
    with pytest.raises(services.MissingProgram, match="pyspark.*pip install") as caught:
        services.find("notify").start()
    assert "\n" not in str(caught.value)
    assert [] == services.running(), "nothing is started for what cannot come up"


def test_packages_alone_are_asked_for_without_the_programs_they_belong_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.fetch_packages("site")  # all is there: nothing to do
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "q5.txt").write_text("django==0.1 \\\n    --hash=sha256:00\n")
    group = '[dependency-groups]\nsite = ["django>=5.2"]\n'
    (tmp_path / "pyproject.toml").write_text(group)
    monkeypatch.setattr(packages, "repository", lambda: tmp_path)
    with pytest.raises(services.MissingProgram, match=r"^Question 5 .*django.*pip install"):
        services.fetch_packages("site")
    assert [] == services.running()
