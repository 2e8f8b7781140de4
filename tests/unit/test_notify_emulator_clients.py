"""Clients as they are, led to the emulator by their environment and by the names of hosts alone."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests

from answerbook.config import NotifySettings
from answerbook.notify.emulator.certificates import HOSTS
from answerbook.notify.emulator.client_side import led_to_emulator
from tests.unit.notify_emulator import SECONDS, Emulator

IN_FRONT = """
import asyncio, json, warnings
warnings.simplefilter("ignore", DeprecationWarning)
import firebase_admin
from firebase_admin import exceptions, messaging
app = firebase_admin.initialize_app()
def message(token, **more):
    return messaging.Message(token=token, **more)
"""


@pytest.fixture(scope="module")
def running_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture
def emulator(running_emulator: Emulator) -> Emulator:
    """The module's, as if it had just been started."""
    running_emulator.control.post("/reset").raise_for_status()
    return running_emulator


def run(emulator: Emulator, script: str) -> Any:
    """What a script with firebase-admin prints, led by the environment alone."""
    return _run(emulator, [sys.executable, "-c", IN_FRONT + script])


def run_led_by_names(emulator: Emulator, script: str, folder: Path) -> Any:
    """The same where a client takes no proxy from the environment."""
    path = folder / "script.py"
    path.write_text(IN_FRONT + script)
    module = "answerbook.notify.emulator.client_side"
    return _run(emulator, [sys.executable, "-m", module, str(path)])


def _run(emulator: Emulator, command: list[str]) -> Any:
    environment = emulator.client_environment()
    environment["ANSWERBOOK_NOTIFY_FOLDER"] = str(emulator.folder)
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        timeout=4 * SECONDS,
        cwd=emulator.folder,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout)


def test_admin_sdk_sends(emulator: Emulator) -> None:
    said = run(
        emulator,
        """
full = message(
    "a",
    data={"run_id": "r", "event_id": "e", "notification_id": "sdk"},
    notification=messaging.Notification(title="t", body="b"),
    android=messaging.AndroidConfig(
        ttl=3600, priority="high", collapse_key="k", direct_boot_ok=True,
        notification=messaging.AndroidNotification(
            color="#aabbcc", sticky=True, priority="max", visibility="private", proxy="deny",
            vibrate_timings_millis=[100, 250], notification_count=2, event_timestamp=None,
            light_settings=messaging.LightSettings("#aabbcc", 100, 200)),
        fcm_options=messaging.AndroidFCMOptions(analytics_label="l")),
    apns=messaging.APNSConfig(
        headers={"apns-priority": "10"},
        payload=messaging.APNSPayload(messaging.Aps(badge=1, sound="s", content_available=True))),
    webpush=messaging.WebpushConfig(
        headers={"TTL": "60"},
        notification=messaging.WebpushNotification(title="t", actions=[
            messaging.WebpushNotificationAction("a", "b")]),
        fcm_options=messaging.WebpushFCMOptions("https://example.com")),
    fcm_options=messaging.FCMOptions(analytics_label="l"))
print(json.dumps([
    messaging.send(full),
    messaging.send(full, dry_run=True),
    messaging.send(messaging.Message(topic="news")),
    messaging.send(messaging.Message(fid="f")),
    messaging.send(messaging.Message(condition="'a' in topics && 'b' in topics")),
]))
""",
    )
    assert all(name.startswith("projects/answerbook/messages/") for name in said)
    assert [said[0]] == [line["name"] for line in emulator.accepted("sdk")]
    by_target = {"token": 1, "topic": 1, "fid": 1, "condition": 1}
    assert by_target == emulator.counts()["accepted_by_target"]


def test_admin_sdk_sends_each(emulator: Emulator) -> None:
    emulator.faults(tokens={"t3": "UNREGISTERED"})
    said = run(
        emulator,
        """
done = messaging.send_each([message(f"t{number}") for number in range(50)])
print(json.dumps([
    done.success_count,
    [index for index, one in enumerate(done.responses) if not one.success],
    type(done.responses[3].exception).__name__,
]))
""",
    )
    assert [49, [3], "UnregisteredError"] == said
    assert 49 == emulator.counts()["accepted"]


SEND_EACH_ASYNC = """
async def main():
    each = [message(f"t{number}") for number in range(150)]
    done = await messaging.send_each_async(each, dry_run=False)
    failed = {type(one.exception).__name__ for one in done.responses if not one.success}
    return [done.success_count, sorted(failed)]
print(json.dumps(asyncio.run(main())))
"""


def test_admin_sdk_sends_each_asynchronously_where_names_lead_here(
    emulator: Emulator, tmp_path: Path
) -> None:
    emulator.faults(tokens={"t3": "QUOTA_EXCEEDED", "t4": "UNREGISTERED"})
    said = run_led_by_names(emulator, SEND_EACH_ASYNC, tmp_path)
    assert [148, ["QuotaExceededError", "UnregisteredError"]] == said
    assert 148 == emulator.counts()["accepted"]


@pytest.mark.parametrize(
    ("code", "error", "status"),
    [
        ("UNREGISTERED", "UnregisteredError", 404),
        ("SENDER_ID_MISMATCH", "SenderIdMismatchError", 403),
        ("QUOTA_EXCEEDED", "QuotaExceededError", 429),
        ("INVALID_ARGUMENT", "InvalidArgumentError", 400),
        ("THIRD_PARTY_AUTH_ERROR", "ThirdPartyAuthError", 401),
    ],
)
def test_admin_sdk_raises_the_error_of_each_code(
    emulator: Emulator, code: str, error: str, status: int
) -> None:
    emulator.faults(tokens={"t": code})
    said = run(
        emulator,
        """
try:
    messaging.send(message("t"))
except exceptions.FirebaseError as error:
    print(json.dumps([type(error).__name__, error.http_response.status_code]))
""",
    )
    assert [error, status] == said


@pytest.mark.parametrize("code", ["UNAVAILABLE", "INTERNAL"])
def test_admin_sdk_tries_again_after_a_passing_error(emulator: Emulator, code: str) -> None:
    emulator.faults(tokens={"t": [code, "OK"]})
    run(emulator, 'print(json.dumps(messaging.send(message("t"))))')
    assert {code: 1, "OK": 1} == emulator.counts()["answers"]


TOPICS = """
def told(done):
    return [done.success_count, [(one.index, one.reason) for one in done.errors]]
tokens = ["a", "b", "gone"]
print(json.dumps([told(manage(tokens, "news")) for manage in (
    messaging.subscribe_to_topic,
    messaging.subscribe_to_topic_legacy,
)] + [told(messaging.unsubscribe_from_topic(["a", "never"], "news"))]))
"""


def test_admin_sdk_manages_topics_by_both_apis(emulator: Emulator) -> None:
    emulator.faults(tokens={"gone": "UNREGISTERED"})
    new, legacy, ended = run(emulator, TOPICS)
    assert [2, [[2, "UNREGISTERED"]]] == new
    assert [2, [[2, "NOT_FOUND"]]] == legacy
    assert [2, []] == ended
    assert {"news": {"messages": 0, "subscribers": 1}} == emulator.counts()["topics"]


def test_admin_sdk_manages_topics_asynchronously_where_names_lead_here(
    emulator: Emulator, tmp_path: Path
) -> None:
    said = run_led_by_names(
        emulator,
        """
async def main():
    await messaging.subscribe_to_topic_async(["a", "b"], "news")
    return (await messaging.unsubscribe_from_topic_async(["a"], "news")).success_count
print(json.dumps(asyncio.run(main())))
""",
        tmp_path,
    )
    assert 1 == said
    assert {"news": {"messages": 0, "subscribers": 1}} == emulator.counts()["topics"]


def test_block_leads_this_process_and_ends(emulator: Emulator) -> None:
    settings = NotifySettings(folder=emulator.folder)
    before = dict(os.environ)
    url = f"https://{HOSTS[0]}/v1/projects/answerbook/messages:send"
    with led_to_emulator(settings):
        for client in (requests.post, httpx.post):
            assert 401 == client(url, json={}, timeout=SECONDS).status_code
    assert before == dict(os.environ)
    assert socket.socket.connect.__name__ == "connect"


def test_client_gets_a_new_token_when_the_emulator_has_forgotten_its_own(tmp_path: Path) -> None:
    script = """
import sys
names = [messaging.send(message("t"))]
print(json.dumps("sent"), flush=True)
sys.stdin.readline()
names.append(messaging.send(message("t")))
print(json.dumps(names))
"""
    with Emulator(tmp_path) as emulator:
        client = subprocess.Popen(
            [sys.executable, "-c", IN_FRONT + script],
            env=emulator.client_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert client.stdout is not None
        assert '"sent"\n' == client.stdout.readline()
        address = emulator.address
        emulator.stop()
        emulator.listen_again(address)
        said, _ = client.communicate("\n", timeout=2 * SECONDS)
        assert 2 == len(json.loads(said))


def test_command_prints_what_a_shell_needs(emulator: Emulator) -> None:
    printed = _shell(emulator, 'eval "$(%s)" && env')
    exported = dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)
    assert exported["HTTPS_PROXY"] == emulator.address.proxy
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GOOGLE_APPLICATION_CREDENTIALS"):
        assert Path(exported[name]).is_file()


def test_command_says_that_the_emulator_is_to_be_started_first(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "answerbook", "notify", "emulator-env"],
        env=os.environ | {"ANSWERBOOK_NOTIFY_FOLDER": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (1, "") == (done.returncode, done.stdout)
    assert "Start it first" in done.stderr


def _shell(emulator: Emulator, line: str) -> str:
    return subprocess.check_output(
        ["sh", "-c", line % f"{sys.executable} -m answerbook notify emulator-env"],
        env={"ANSWERBOOK_NOTIFY_FOLDER": str(emulator.folder), "PATH": "/usr/bin:/bin"},
        text=True,
    )
