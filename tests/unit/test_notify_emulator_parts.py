"""The emulator's parts by themselves: quota, faults, the record, subscriptions, tokens."""

import asyncio
import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest
from pydantic import SecretStr

from answerbook.notify import records, running
from answerbook.notify.emulator import certificates, oauth
from answerbook.notify.emulator.accepted import Record, repair
from answerbook.notify.emulator.faults import Plan, WrongFaults, read_faults
from answerbook.notify.emulator.oauth import GRANT, Tokens
from answerbook.notify.emulator.quota import WINDOW, Quota
from answerbook.notify.emulator.secrets_kept import control_token
from answerbook.notify.emulator.service_account import (
    TOKEN_URI,
    ServiceAccount,
    service_account,
    service_account_file,
)
from answerbook.notify.emulator.subscriptions import MOST_TOPICS_OF_TOKEN, Subscriptions


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


# -- quota ---------------------------------------------------------------------------------------


def test_quota_is_full_again_a_minute_after_its_first_message() -> None:
    clock = Clock()
    quota = Quota(3, clock)
    assert [True, True, True, False] == [quota.take("p") for _ in range(4)]
    clock.now += WINDOW - 0.001
    assert not quota.take("p")
    clock.now += 0.001
    assert quota.take("p")
    assert 2 == quota.left("p")


def test_each_project_has_its_quota() -> None:
    quota = Quota(1, Clock())
    assert [True, True, False] == [quota.take(project) for project in ("a", "b", "a")]


def test_quota_0_is_none() -> None:
    quota = Quota(0)
    assert all(quota.take("p") for _ in range(10))
    assert quota.left("p") is None


# -- faults --------------------------------------------------------------------------------------


def plan(clock: Clock | None = None, **faults: Any) -> Plan:
    return Plan(read_faults(json.dumps(faults).encode()), clock or Clock())


@pytest.mark.parametrize(
    ("faults", "field"),
    [
        ({"latency": {"kind": "constant", "ms": -1}}, "latency.ms"),
        ({"latency": {"kind": "constant"}}, "latency.ms"),
        ({"latency": {"kind": "constant", "ms": 1, "s": 1}}, "latency.s"),
        ({"latency": {"kind": "sometimes"}}, "latency.kind"),
        ({"latency": {"kind": "uniform", "low_ms": 2, "high_ms": 1}}, "latency.high_ms"),
        ({"latency": {"kind": "lognormal", "median_ms": 1, "sigma": 9}}, "latency.sigma"),
        ({"errors": {"UNAVAILABLE": 1.1}}, "errors[...]"),
        ({"errors": {"TEAPOT": 0.1}}, "errors"),
        ({"errors": {"UNAVAILABLE": 0.6, "INTERNAL": 0.6}}, "errors"),
        ({"tokens": {"t": "GONE"}}, "tokens[...]"),
        ({"tokens": {"t": []}}, "tokens"),
        ({"outage": {"kind": "fire"}}, "outage.kind"),
        ({"outage": {"kind": "hang", "seconds": 0}}, "outage.seconds"),
        ({"lost_answers": {"share": 2}}, "lost_answers.share"),
        ({"lost_answers": {"share": 0.5, "how": "eaten"}}, "lost_answers.how"),
        ({"retry_after": "soon"}, "retry_after"),
        ({"weather": "bad"}, "weather"),
    ],
)
def test_wrong_fault_is_refused_with_its_field(faults: dict[str, Any], field: str) -> None:
    with pytest.raises(WrongFaults) as refused:
        plan(**faults)
    assert field == refused.value.field


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"3"])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(WrongFaults):
        read_faults(body)


def test_without_faults_nothing_happens() -> None:
    none = plan()
    assert (False, None, None, 0.0, "answer") == (
        none.active,
        none.outage(),
        none.error("t"),
        none.delay(),
        none.fate(),
    )


def test_errors_come_in_their_shares() -> None:
    faults = plan(errors={"UNAVAILABLE": 0.3, "INTERNAL": 0.1}, seed=1)
    drawn = [faults.error("t") for _ in range(10_000)]
    assert 2_700 < drawn.count("UNAVAILABLE") < 3_300
    assert 800 < drawn.count("INTERNAL") < 1_200
    assert {"UNAVAILABLE", "INTERNAL", None} == set(drawn)


def test_same_seed_makes_the_same_choices() -> None:
    first, second = (plan(errors={"UNAVAILABLE": 0.5}, seed=7) for _ in range(2))
    assert [first.error("t") for _ in range(50)] == [second.error("t") for _ in range(50)]


def test_tokens_outcome_goes_before_the_shares_and_a_list_is_used_up() -> None:
    faults = plan(
        errors={"INTERNAL": 1.0}, tokens={"a": "UNREGISTERED", "b": ["UNAVAILABLE", "OK"]}
    )
    assert ["UNREGISTERED"] * 2 == [faults.error("a") for _ in range(2)]
    assert ["UNAVAILABLE", None, None] == [faults.error("b") for _ in range(3)]
    assert "INTERNAL" == faults.error("c")


def test_outage_ends_by_itself() -> None:
    clock = Clock()
    faults = plan(clock, outage={"kind": "unavailable", "seconds": 30})
    assert ("unavailable", 30) == (faults.outage(), faults.as_set()["outage_seconds_left"])
    clock.now += 30
    assert faults.outage() is None


def test_outage_without_an_end_lasts() -> None:
    clock = Clock()
    faults = plan(clock, outage={"kind": "hang"})
    clock.now += 1e9
    assert ("hang", None) == (faults.outage(), faults.as_set()["outage_seconds_left"])


def test_latency_follows_its_distribution() -> None:
    assert 0.05 == plan(latency={"kind": "constant", "ms": 50}).delay()
    uniform = plan(latency={"kind": "uniform", "low_ms": 10, "high_ms": 20}, seed=1)
    assert all(0.01 <= uniform.delay() <= 0.02 for _ in range(1_000))
    lognormal = plan(latency={"kind": "lognormal", "median_ms": 40, "sigma": 0.5}, seed=1)
    drawn = sorted(lognormal.delay() for _ in range(2_001))
    assert 0.036 < drawn[1_000] < 0.044
    assert 0.11 < drawn[1_980] < 0.15  # the 99th percentile: 40 ms × e^(0.5 × 2.33)


def test_lost_answers_come_in_their_share() -> None:
    faults = plan(lost_answers={"share": 0.2, "how": "silence"}, seed=1)
    drawn = [faults.fate() for _ in range(10_000)]
    assert {"silence", "answer"} == set(drawn)
    assert 1_800 < drawn.count("silence") < 2_200


# -- the record ----------------------------------------------------------------------------------


def record_of(folder: Path, *lines: tuple[str, ...]) -> list[str]:
    async def write() -> list[str]:
        record = Record(folder, running.log())
        for line in lines:
            record.add("name", 1, *line)
        record.close()
        return record.path.read_text().splitlines()

    return asyncio.run(write())


def test_line_has_the_fields_of_the_contract(tmp_path: Path) -> None:
    (line,) = record_of(tmp_path, ("token:t", "run", "event", "notification"))
    assert dict(zip(records.EMULATOR_FIELDS, line.split("\t"), strict=True)) == {
        "name": "name",
        "at": "1",
        "target": "token:t",
        "run_id": "run",
        "event_id": "event",
        "notification_id": "notification",
    }


def test_line_stays_a_line_whatever_it_holds(tmp_path: Path) -> None:
    lines = record_of(
        tmp_path, ("topic:a\tb", "r\n\r", "\x00\x1b[1m", "é\u2028\x85"), ("token:t", "", "", "é")
    )
    assert [6, 6] == [len(line.split("\t")) for line in lines]
    assert lines[0].split("\t")[2:] == [r"topic:a\tb", r"r\n\r", r"\x00\x1b[1m", r"é\u2028\x85"]
    assert lines[1].endswith("\té")


@pytest.mark.parametrize(
    ("content", "kept"), [("", ""), ("a\tb\n", "a\tb\n"), ("a\nb\ntorn", "a\nb\n"), ("torn", "")]
)
def test_torn_line_is_cut_off(tmp_path: Path, content: str, kept: str) -> None:
    path = tmp_path / "accepted.tsv"
    path.write_text(content)
    assert len(content) - len(kept) == repair(path)
    assert kept == path.read_text()


def test_nothing_is_lost_when_the_disk_refuses_for_a_while(tmp_path: Path) -> None:
    async def write() -> str:
        record = Record(tmp_path, running.log())
        working = record._file
        record._file = os.open(tmp_path, os.O_RDONLY)  # a folder takes no writes
        record.add("name", 1, "token:t", "", "", "first")
        record.write()
        os.close(record._file)
        record._file = working
        record.add("name", 2, "token:t", "", "", "second")
        record.close()
        return record.path.read_text()

    lines = asyncio.run(write()).splitlines()
    assert ["first", "second"] == [line.split("	")[5] for line in lines]


# -- subscriptions -------------------------------------------------------------------------------


def test_subscription_is_made_once_and_ended_once() -> None:
    some, none = Subscriptions(), Plan()
    assert [200, 409] == [some.subscribe("p", "t", "news", none).status for _ in range(2)]
    assert 1 == some.count("news")
    ended = [some.unsubscribe("t", "news", allow_missing=False, plan=none) for _ in range(2)]
    assert [200, 404] == [answer.status for answer in ended]
    assert 200 == some.unsubscribe("t", "news", allow_missing=True, plan=none).status
    assert {} == some.topics()


def test_token_has_at_most_2000_topics() -> None:
    some, none = Subscriptions(), Plan()
    made = {some.subscribe("p", "t", f"t{n}", none).status for n in range(MOST_TOPICS_OF_TOKEN)}
    assert ({200}, 429) == (made, some.subscribe("p", "t", "more", none).status)


def batch(tokens: list[str], plan_: Plan, to: str = "/topics/news") -> tuple[int, Any]:
    body = json.dumps({"to": to, "registration_tokens": tokens}).encode()
    answer = Subscriptions().batch(body, add=True, plan=plan_)
    return answer.status, msgspec.json.decode(answer.body)


def test_legacy_batch_answers_for_each_token() -> None:
    faults = plan(tokens={"gone": "UNREGISTERED", "ill": "INTERNAL"})
    results = [{}, {"error": "NOT_FOUND"}, {"error": "INTERNAL"}, {"error": "INVALID_ARGUMENT"}]
    assert (200, {"results": results}) == batch(["a", "gone", "ill", "no token"], faults)


def test_legacy_batch_takes_1000_tokens_and_no_more() -> None:
    tokens = [f"t{number}" for number in range(1_001)]
    assert 200 == batch(tokens[:1_000], Plan())[0]
    assert [400, 400, 400] == [
        batch(tokens, Plan())[0],
        batch([], Plan())[0],
        batch(["t"], Plan(), to="a b")[0],
    ]


# -- secrets and tokens --------------------------------------------------------------------------


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_control_token_is_made_once_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    first = control_token(tmp_path, None)
    assert first == control_token(tmp_path, None)
    assert len(first.get_secret_value()) >= 32
    assert 0o600 == mode(tmp_path / "control.token")
    assert "given" == control_token(tmp_path, SecretStr("given")).get_secret_value()
    assert "given\n" == (tmp_path / "control.token").read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("emulator")


@pytest.fixture(scope="module")
def account(folder: Path) -> ServiceAccount:
    return service_account(folder, "answerbook")


def test_service_account_is_kept_and_nobody_else_can_read_it(
    folder: Path, account: ServiceAccount
) -> None:
    assert account.key_id == service_account(folder, "answerbook").key_id
    assert 0o600 == mode(service_account_file(folder))


def test_certificates_are_kept_and_their_key_is_nobody_elses(tmp_path: Path) -> None:
    certificates.server_context(tmp_path)
    first = (tmp_path / "ca.pem").read_text()
    certificates.server_context(tmp_path)
    assert first == (tmp_path / "ca.pem").read_text()
    assert 0o600 == mode(tmp_path / "server.pem")
    assert certificates.bundle(tmp_path).read_text().endswith(first)


def assertion(folder: Path, **changed: Any) -> dict[str, Any]:
    content = json.loads(service_account_file(folder).read_text())
    now = int(time.time())
    claims = {
        "iss": content["client_email"],
        "aud": TOKEN_URI,
        "iat": now,
        "exp": now + 3_600,
        "scope": "https://www.googleapis.com/auth/firebase.messaging",
    }
    return claims | changed


def asked(folder: Path, account: ServiceAccount, claims: dict[str, Any], **more: Any) -> Any:
    content = json.loads(service_account_file(folder).read_text())
    key = more.get("key", content["private_key"])
    signed = jwt.encode(
        {name: value for name, value in claims.items() if value is not None},
        key,
        more.get("algorithm", "RS256"),
        {"kid": more.get("kid", content["private_key_id"])},
    )
    return Tokens(account).token(f"grant_type={GRANT}&assertion={signed}".encode())


def test_signed_assertion_gets_a_token_for_its_project(
    folder: Path, account: ServiceAccount
) -> None:
    clock = Clock()
    clock.now = time.time()
    tokens = Tokens(account, clock)
    content = json.loads(service_account_file(folder).read_text())
    signed = jwt.encode(
        assertion(folder), content["private_key"], "RS256", {"kid": content["private_key_id"]}
    )
    body = f"grant_type={GRANT}&assertion={signed}".encode()
    answer = msgspec.json.decode(tokens.token(body).body)
    bearer = f"Bearer {answer['access_token']}"
    assert ("answerbook", None) == (tokens.project(bearer), tokens.project("Bearer other"))
    clock.now += oauth.LASTS
    assert tokens.project(bearer) is None


@pytest.mark.parametrize(
    ("changed", "more", "error"),
    [
        ({"aud": "https://example.com"}, {}, "invalid_grant"),
        ({"iss": "other@example.com"}, {}, "invalid_grant"),
        ({"exp": 1_000_000_000, "iat": 999_999_000}, {}, "invalid_grant"),
        ({"exp": 4_000_000_000}, {}, "invalid_grant"),
        ({"iat": None}, {}, "invalid_grant"),
        ({}, {"kid": "other"}, "invalid_grant"),
        ({}, {"algorithm": "HS256", "key": "k" * 32}, "invalid_grant"),
        ({"scope": "https://www.googleapis.com/auth/drive"}, {}, "invalid_scope"),
    ],
)
def test_wrong_assertion_gets_none(
    folder: Path,
    account: ServiceAccount,
    changed: dict[str, Any],
    more: dict[str, Any],
    error: str,
) -> None:
    answer = asked(folder, account, assertion(folder, **changed), **more)
    assert (400, error) == (answer.status, msgspec.json.decode(answer.body)["error"])


def test_assertion_of_another_key_gets_none(
    folder: Path, account: ServiceAccount, tmp_path: Path
) -> None:
    service_account(tmp_path, "answerbook")
    other = json.loads(service_account_file(tmp_path).read_text())["private_key"]
    answer = asked(folder, account, assertion(folder), key=other)
    assert b"Invalid JWT Signature" in answer.body


@pytest.mark.parametrize("body", [b"", b"\xff", b"grant_type=x", b"assertion=a.b.c"])
def test_what_is_no_grant_gets_none(account: ServiceAccount, body: bytes) -> None:
    assert 400 == Tokens(account).token(body).status
    assert 400 == Tokens(account).token(b"grant_type=%b&" % GRANT.encode() + body).status
