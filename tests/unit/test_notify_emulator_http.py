"""The running emulator over HTTP: authorization, errors, faults, control, the record, its end."""

import asyncio
import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials

from answerbook.notify import records
from answerbook.notify.emulator.certificates import HOSTS
from answerbook.notify.emulator.client_side import names_lead_to
from answerbook.notify.emulator.connection import MOST_BODY
from tests.unit.notify_emulator import OWNER, SECONDS, SEND, Emulator, error_code

TO = {"token": "t"}


@pytest.fixture(scope="module")
def running_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("emulator")
    with Emulator(folder, emulator_quota_per_minute=0) as emulator:
        yield emulator


@pytest.fixture
def emulator(running_emulator: Emulator) -> Emulator:
    """The module's, as if it had just been started."""
    running_emulator.control.post("/reset").raise_for_status()
    return running_emulator


# -- sending -------------------------------------------------------------------------------------


def test_accepted_message_gets_a_name_of_its_own(emulator: Emulator) -> None:
    names = {emulator.send(TO).raise_for_status().json()["name"] for _ in range(100)}
    assert 100 == len(names)
    assert all(name.startswith("projects/answerbook/messages/") for name in names)
    assert 100 == emulator.counts()["accepted"]


def test_validated_message_is_not_accepted(emulator: Emulator) -> None:
    answer = emulator.send(TO, validate_only=True)
    assert {"name": "projects/answerbook/messages/fake_message_id"} == answer.json()
    assert 400 == emulator.send({"token": ""}, validate_only=True).status_code
    assert 0 == emulator.counts()["accepted"]


def test_invalid_message_names_its_field(emulator: Emulator) -> None:
    error = emulator.send({**TO, "android": {"ttl": "1 day"}}).json()["error"]
    assert (400, "INVALID_ARGUMENT") == (error["code"], error["status"])
    own, bad_request = error["details"]
    assert {
        "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError",
        "errorCode": "INVALID_ARGUMENT",
    } == own
    assert "type.googleapis.com/google.rpc.BadRequest" == bad_request["@type"]
    assert "message.android.ttl" == bad_request["fieldViolations"][0]["field"]


def test_unknown_field_is_refused_before_fcm_sees_it(emulator: Emulator) -> None:
    answer = emulator.send({**TO, "colour": "red"})
    (bad_request,) = answer.json()["error"]["details"]
    assert (400, None) == (answer.status_code, error_code(answer))
    assert "message" == bad_request["fieldViolations"][0]["field"]


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer other", "owner", "é"])
def test_sending_needs_a_token(emulator: Emulator, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    with httpx.Client(base_url=emulator.address.url) as nobody:
        answer = nobody.post(SEND, json={"message": TO}, headers=headers)  # type: ignore[arg-type]
    assert (401, "UNAUTHENTICATED") == (answer.status_code, answer.json()["error"]["status"])


def test_other_paths_and_methods_are_refused(emulator: Emulator) -> None:
    assert 404 == emulator.plain.post("/v1/projects/p/messages").status_code
    assert 404 == emulator.plain.get("/").status_code
    assert (405, "POST") == (
        (answer := emulator.plain.get(SEND)).status_code,
        answer.headers["allow"],
    )


def test_quota_is_refused_past_its_end(tmp_path: Path) -> None:
    with Emulator(tmp_path, emulator_quota_per_minute=3) as emulator:
        answers = [emulator.send(message) for message in (TO, {"token": ""}, TO, TO)]
        assert [200, 400, 200, 429] == [answer.status_code for answer in answers]
        assert "QUOTA_EXCEEDED" == error_code(answers[-1])
        assert {"accepted": 2, "quota_left": 0}.items() <= emulator.counts().items()
        emulator.control.post("/reset").raise_for_status()
        assert 200 == emulator.send(TO).status_code


def test_topic_message_is_counted_with_its_subscribers(emulator: Emulator) -> None:
    place = "/v1/projects/answerbook/registrations/{}/topicSubscriptions"
    for token in ("a", "b"):
        emulator.plain.post(place.format(token), params={"topic_name": "news"}).raise_for_status()
    emulator.send({"topic": "news"}).raise_for_status()
    emulator.send({"condition": "'news' in topics && 'uk' in topics"}).raise_for_status()
    assert {
        "news": {"messages": 2, "subscribers": 2},
        "uk": {"messages": 1, "subscribers": 0},
    } == emulator.counts()["topics"]


# -- HTTP/1.1 ------------------------------------------------------------------------------------


def exchange(emulator: Emulator, content: bytes) -> bytes:
    """All that comes back for some bytes, until the emulator closes the connection."""
    with socket.create_connection(("127.0.0.1", emulator.address.port), SECONDS) as client:
        client.sendall(content)
        return b"".join(iter(lambda: client.recv(65_536), b""))


def request(message: dict[str, Any], *headers: str) -> bytes:
    body = json.dumps({"message": message}).encode()
    lines = [f"POST {SEND} HTTP/1.1", "Host: h", "authorization: Bearer owner", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def test_pipelined_requests_are_answered_in_their_order(emulator: Emulator) -> None:
    emulator.faults(latency={"kind": "uniform", "low_ms": 0, "high_ms": 20})
    messages = [TO, {"token": ""}] * 10
    content = b"".join(map(request, messages)) + request(TO, "Connection: close")
    said = exchange(emulator, content)
    statuses = [part[:3] for part in said.split(b"HTTP/1.1 ")[1:]]
    assert [b"200", b"400"] * 10 + [b"200"] == statuses


def test_body_in_chunks_is_read(emulator: Emulator) -> None:
    parts = (part for part in (b'{"mess', b'age":{"tok', b'en":"t"}}'))
    assert 200 == emulator.plain.post(SEND, content=parts).status_code


def test_request_in_single_bytes_is_read(emulator: Emulator) -> None:
    with socket.create_connection(("127.0.0.1", emulator.address.port), SECONDS) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request(TO):
            client.sendall(bytes([byte]))
        assert client.recv(65_536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_client_that_expects_it_is_told_to_continue(emulator: Emulator) -> None:
    with socket.create_connection(("127.0.0.1", emulator.address.port), SECONDS) as client:
        head, _, body = request(TO, "Expect: 100-continue").partition(b"\r\n\r\n")
        client.sendall(head + b"\r\n\r\n")
        assert client.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert client.recv(65_536).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, b"431"),
        (
            b"POST %b HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (SEND.encode(), MOST_BODY + 1)
            + b"x" * (MOST_BODY + 1),
            b"413",
        ),
    ],
)
def test_what_is_no_sane_request_is_refused(
    emulator: Emulator, content: bytes, status: bytes
) -> None:
    assert exchange(emulator, content).startswith(b"HTTP/1.1 " + status)
    assert 200 == emulator.send(TO).status_code


# -- TLS, HTTP/2 and the proxy -------------------------------------------------------------------


@pytest.fixture
def trusted(emulator: Emulator) -> ssl.SSLContext:
    """A client's TLS that trusts the emulator's CA alone."""
    return ssl.create_default_context(cafile=emulator.folder / "ca.pem")


def bearer(emulator: Emulator, verify: str) -> dict[str, str]:
    """A token by the real flow of a service account: google-auth signs, the emulator verifies."""
    credentials = Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
        emulator.folder / "service-account.json",
        scopes=["https://www.googleapis.com/auth/firebase.messaging"],
    )
    with names_lead_to(emulator.address):
        request = Request()
        request.session.verify = verify
        request.session.trust_env = False
        credentials.refresh(request)
    return {"Authorization": f"Bearer {credentials.token}"}


@pytest.mark.parametrize(("http2", "version"), [(True, "HTTP/2"), (False, "HTTP/1.1")])
def test_tls_client_gets_the_version_that_it_asks_for(
    emulator: Emulator, trusted: ssl.SSLContext, http2: bool, version: str
) -> None:
    headers = bearer(emulator, str(emulator.folder / "ca.pem"))
    with (
        names_lead_to(emulator.address),
        httpx.Client(verify=trusted, http2=http2, trust_env=False, timeout=SECONDS) as client,
    ):
        url = f"https://{HOSTS[0]}{SEND}"
        answers = [client.post(url, json={"message": TO}, headers=headers) for _ in range(3)]
        assert [(200, version)] * 3 == [(one.status_code, one.http_version) for one in answers]
        assert 401 == client.post(url, json={"message": TO}, headers=OWNER).status_code
        other = url.replace("answerbook", "other")
        assert 403 == client.post(other, json={"message": TO}, headers=headers).status_code
        big = {"message": {**TO, "data": {"big": "x" * 100_000}}}
        assert 400 == client.post(url, json=big, headers=headers).status_code
        assert 413 == client.post(url, content=b"x" * (MOST_BODY + 1)).status_code
        assert 404 == client.get(f"https://{HOSTS[0]}/control/counts").status_code


def test_proxy_leads_to_googles_hosts_alone(emulator: Emulator, trusted: ssl.SSLContext) -> None:
    proxy = emulator.address.proxy
    with httpx.Client(verify=trusted, http2=True, proxy=proxy, timeout=SECONDS) as client:
        for host in HOSTS:
            assert 401 == client.post(f"https://{host}{SEND}").status_code
        for url in ("https://example.com/", f"https://{HOSTS[0]}:8443/"):
            with pytest.raises(httpx.ProxyError, match="403"):
                client.get(url)
        assert 405 == client.get("http://example.com/").status_code


def test_client_that_does_not_trust_the_ca_is_not_served(emulator: Emulator) -> None:
    with (
        httpx.Client(proxy=emulator.address.proxy, trust_env=False) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.get(f"https://{HOSTS[0]}/")
    assert 200 == emulator.send(TO).status_code


# -- faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("INVALID_ARGUMENT", 400),
        ("UNREGISTERED", 404),
        ("SENDER_ID_MISMATCH", 403),
        ("QUOTA_EXCEEDED", 429),
        ("UNAVAILABLE", 503),
        ("INTERNAL", 500),
        ("THIRD_PARTY_AUTH_ERROR", 401),
    ],
)
def test_token_gets_the_outcome_that_was_set(emulator: Emulator, code: str, status: int) -> None:
    emulator.faults(tokens={"t": code}, retry_after=7)
    answer = emulator.send(TO)
    assert (status, code) == (answer.status_code, error_code(answer))
    assert ("7" if status in (429, 500, 503) else None) == answer.headers.get("retry-after")
    assert 200 == emulator.send({"token": "other"}).status_code
    assert {code: 1, "OK": 1} == emulator.counts()["answers"]


def test_outage_of_503_is_over_when_it_is_lifted(emulator: Emulator) -> None:
    emulator.faults(outage={"kind": "unavailable"}, retry_after=1)
    answer = emulator.send(TO)
    assert (503, "UNAVAILABLE", "1") == (
        answer.status_code,
        error_code(answer),
        answer.headers["retry-after"],
    )
    emulator.control.delete("/faults").raise_for_status()
    assert 200 == emulator.send(TO).status_code


def test_outage_that_refuses_cuts_connections(emulator: Emulator) -> None:
    emulator.faults(outage={"kind": "refuse"})
    with pytest.raises(httpx.TransportError):
        emulator.send(TO)
    assert 200 == emulator.plain.get("/healthz").status_code
    assert 1 == emulator.counts()["answers"]["OUTAGE_REFUSE"]


@pytest.mark.parametrize("outage", [{"kind": "hang"}, {"kind": "hang", "seconds": 0.5}])
def test_hung_connection_is_cut_when_the_outage_is_over(
    emulator: Emulator, outage: dict[str, Any]
) -> None:
    emulator.faults(outage=outage)
    with socket.create_connection(("127.0.0.1", emulator.address.port), SECONDS) as client:
        client.sendall(request(TO))
        while not emulator.counts()["answers"].get("OUTAGE_HANG"):
            pass
        if "seconds" not in outage:
            emulator.control.delete("/faults").raise_for_status()
        with suppress(ConnectionResetError):
            assert b"" == client.recv(1)
    assert 0 == emulator.counts()["accepted"]


@pytest.mark.parametrize("how", ["cut", "silence"])
def test_lost_answer_leaves_an_accepted_message(emulator: Emulator, how: str) -> None:
    emulator.faults(lost_answers={"share": 1.0, "how": how})
    data = {"notification_id": f"lost by {how}"}
    with pytest.raises(httpx.TransportError):
        emulator.plain.post(SEND, json={"message": {**TO, "data": data}}, timeout=0.5)
    assert {"accepted": 1, "answers_lost": 1}.items() <= emulator.counts().items()
    assert 1 == len(emulator.accepted(f"lost by {how}"))


def test_answers_are_late_by_the_latency_that_was_set(emulator: Emulator) -> None:
    emulator.faults(latency={"kind": "constant", "ms": 60})
    began = time.monotonic()
    assert 200 == emulator.send(TO).status_code
    assert time.monotonic() - began >= 0.06


@pytest.mark.parametrize("http2", [True, False])
def test_faults_strike_over_tls_too(
    emulator: Emulator, trusted: ssl.SSLContext, http2: bool
) -> None:
    headers = bearer(emulator, str(emulator.folder / "ca.pem"))
    emulator.faults(
        latency={"kind": "uniform", "low_ms": 0, "high_ms": 40}, tokens={"gone": "UNREGISTERED"}
    )

    async def send() -> list[httpx.Response]:
        async with httpx.AsyncClient(
            verify=trusted, http2=http2, trust_env=False, headers=headers, timeout=SECONDS
        ) as client:
            sends = [
                client.post(f"https://{HOSTS[0]}{SEND}", json={"message": {"token": token}})
                for token in ["t", "gone"] * 30
            ]
            return await asyncio.gather(*sends)

    with names_lead_to(emulator.address):
        assert [200, 404] * 30 == [answer.status_code for answer in asyncio.run(send())]
        emulator.faults(lost_answers={"share": 1.0})
        with pytest.raises(httpx.TransportError):
            asyncio.run(send())


# -- control -------------------------------------------------------------------------------------


@pytest.mark.parametrize("authorization", [None, "Bearer owner", "Bearer", "Basic eDp5"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "faults"),
        ("GET", "faults"),
        ("DELETE", "faults"),
        ("GET", "counts"),
        ("GET", "accepted"),
        ("POST", "reset"),
        ("GET", "elsewhere"),
    ],
)
def test_control_needs_its_token(
    emulator: Emulator, method: str, path: str, authorization: str | None
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = httpx.request(method, f"{emulator.address.url}/control/{path}", headers=headers)
    assert 401 == answer.status_code


def test_wrong_control_input_is_refused_with_its_field(emulator: Emulator) -> None:
    answer = emulator.control.put("/faults", json={"latency": {"kind": "constant", "ms": "x"}})
    assert (422, "latency.ms") == (answer.status_code, answer.json()["field"])
    assert "application/problem+json" == answer.headers["content-type"]
    answer = emulator.control.get("/accepted")
    assert (422, "notification_id") == (answer.status_code, answer.json()["field"])


def test_faults_are_told_as_they_were_set(emulator: Emulator) -> None:
    faults = {"errors": {"UNAVAILABLE": 0.5}, "retry_after": 2}
    emulator.faults(**faults)
    assert faults == emulator.control.get("/faults").json()
    emulator.control.delete("/faults").raise_for_status()
    assert {} == emulator.control.get("/faults").json()


def test_unknown_control_calls_are_refused(emulator: Emulator) -> None:
    assert 404 == emulator.control.get("/elsewhere").status_code
    assert 405 == emulator.control.post("/counts").status_code


# -- watching ------------------------------------------------------------------------------------


def test_probes_and_metrics_answer(emulator: Emulator) -> None:
    emulator.send(TO).raise_for_status()
    assert "ok\n" == emulator.plain.get("/healthz").text == emulator.plain.get("/readyz").text
    metrics = emulator.plain.get("/metrics").text
    assert 'answerbook_emulator_messages_total{code="OK"} 1.0' in metrics
    assert records.METRICS["answerbook_emulator_messages_total"] in metrics


# -- the record and the end ----------------------------------------------------------------------


def identified(number: int) -> dict[str, Any]:
    data = {"run_id": "r", "event_id": f"e{number}", "notification_id": f"n{number}"}
    return {"token": f"t{number}", "data": data}


def lines_of(folder: Path) -> list[str]:
    content = (folder / "accepted.tsv").read_text()
    assert not content or content.endswith("\n")
    return content.splitlines()


def test_accepted_message_is_found_by_its_notification(emulator: Emulator) -> None:
    names = [emulator.send(identified(4_711)).json()["name"] for _ in range(2)]
    found = emulator.accepted("n4711")
    assert names == [line["name"] for line in found]
    assert {"target": "token:t4711", "run_id": "r", "event_id": "e4711"}.items() <= found[0].items()
    assert [] == emulator.accepted("n471")


def test_sigterm_writes_the_record_and_ends_in_order(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path)
    for number in range(50):
        emulator.send(identified(number)).raise_for_status()
    assert 0 == emulator.stop()
    assert [f"n{number}" for number in range(50)] == [
        line.split("\t")[5] for line in lines_of(tmp_path)
    ]
    assert not (tmp_path / "address.json").exists()


def test_late_answer_is_given_before_the_end(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path)
    emulator.faults(latency={"kind": "constant", "ms": 500})
    with socket.create_connection(("127.0.0.1", emulator.address.port), SECONDS) as client:
        client.sendall(request(TO))
        while not emulator.counts()["accepted"]:
            pass
        assert 0 == emulator.stop()
        assert client.recv(65_536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_kill_under_load_leaves_whole_lines_and_a_restart_goes_on(tmp_path: Path) -> None:
    with Emulator(tmp_path, emulator_quota_per_minute=0) as emulator:
        for number in range(10):
            emulator.send(identified(number)).raise_for_status()
        assert 1 == len(emulator.accepted("n9"))  # a look-up writes what was waiting
        pump = Thread(target=send_until_cut, args=(emulator,))
        pump.start()
        while emulator.counts()["accepted"] < 2_000:
            pass
        emulator.kill()
        pump.join()
        written = (tmp_path / "accepted.tsv").read_text().count("\n")
        with (tmp_path / "accepted.tsv").open("a") as file:
            file.write("projects/answerbook/messages/torn\t17")
        emulator.start()
        emulator.send(identified(300)).raise_for_status()
        assert 1 == len(emulator.accepted("n300"))
        lines = lines_of(tmp_path)
        assert written + 1 == len(lines)
        parted = [line.split("\t") for line in lines]
        assert {len(records.EMULATOR_FIELDS)} == {len(fields) for fields in parted}
        assert [f"n{number}" for number in range(10)] == [fields[5] for fields in parted[:10]]
        assert len(lines) == len({fields[0] for fields in parted})


def send_until_cut(emulator: Emulator) -> None:
    """Send 50 messages at a time, until the connection is cut."""
    with (
        suppress(OSError),
        socket.create_connection(("127.0.0.1", emulator.address.port), SECONDS) as client,
    ):
        while True:
            client.sendall(b"".join(request(identified(number)) for number in range(50)))
            if not client.recv(65_536):
                return


def test_folder_that_cannot_be_used_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "accepted.tsv").mkdir()
    with pytest.raises(AssertionError, match="it cannot use its folder") as failed:
        Emulator(tmp_path)
    assert 1 == len(str(failed.value).strip().splitlines())


def test_taken_port_is_one_clear_error(emulator: Emulator, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="it cannot listen") as failed:
        Emulator(tmp_path, port=emulator.address.port)
    assert 1 == len(str(failed.value).strip().splitlines())
