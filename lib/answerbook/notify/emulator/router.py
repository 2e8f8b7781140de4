"""Which part of the emulator answers a request, by its path; the same on every port.

Every transport calls `answer`, which raises nothing. The control API, the probes and /metrics are
on the plain port alone.
"""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs, unquote

import structlog

from answerbook.notify.emulator.answers import Answer, fcm_error, not_found, platform_error
from answerbook.notify.emulator.control import Control
from answerbook.notify.emulator.fcm import Fcm
from answerbook.notify.emulator.oauth import Tokens

MOST_PATHS: Final = 1_000
"""Paths of messages:send that are remembered; there is one a project."""
PROJECT: Final = r"[A-Za-z0-9.:_-]{1,100}"

_send = re.compile(rf"/v1/projects/({PROJECT})/messages:send").fullmatch
_registration = re.compile(
    rf"/v1/projects/({PROJECT})/registrations/([^/]+)/topicSubscriptions(?:/([^/]+))?"
).fullmatch
_batch = re.compile(r"/iid/v1:batch(Add|Remove)").fullmatch


class Router:
    """Knows the parts; holds no state but the paths that it has seen."""

    def __init__(
        self,
        fcm: Fcm,
        tokens: Tokens,
        control: Control,
        watch: Callable[[str], Answer | None],
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._fcm = fcm
        self._tokens = tokens
        self._control = control
        self._watch = watch
        self._log = log
        self._projects: dict[bytes, str] = {}

    def answer(
        self, method: bytes, target: bytes, authorization: str, body: bytes, *, plain: bool
    ) -> Answer:
        """The answer to a request. `plain`: it came over the plain port."""
        try:
            project = self._projects.get(target)
            if project is not None and method == b"POST":
                return self._fcm.send(project, authorization, body, plain=plain)
            return self._elsewhere(method.decode(), target, authorization, body, plain)
        except Exception as error:  # noqa: BLE001
            # A mistake of ours, and the connection carries others' requests.
            self._log.error("a request failed", error=repr(error), exc_info=error)
            return fcm_error("INTERNAL")

    def _elsewhere(
        self, method: str, target: bytes, authorization: str, body: bytes, plain: bool
    ) -> Answer:
        raw, _, query = target.decode("latin-1").partition("?")
        path = unquote(raw, errors="replace")
        sending = _send(path)
        if sending:
            if method != "POST":
                return _wrong_method("POST")
            if len(self._projects) < MOST_PATHS:
                self._projects[target] = sending[1]
            return self._fcm.send(sending[1], authorization, body, plain=plain)
        if path == "/token":
            return self._tokens.token(body) if method == "POST" else _wrong_method("POST")
        if found := _registration(raw):
            return self._registration(method, found, query, authorization, plain)
        if found := _batch(path):
            return self._batch(method, found[1] == "Add", authorization, body, plain)
        if plain:
            if path == "/control" or path.startswith("/control/"):
                return self._control.answer(method, path, query, authorization, body)
            return self._watch(path) or not_found()
        return not_found()

    def _registration(
        self, method: str, found: re.Match[str], query: str, authorization: str, plain: bool
    ) -> Answer:
        project, token, topic = (unquote(part or "") for part in found.groups())
        wanted = "DELETE" if topic else "POST"
        if method != wanted:
            return _wrong_method(wanted)
        stopped = self._stopped(project, authorization, plain)
        if stopped is not None:
            return stopped
        given = {name: values[-1] for name, values in parse_qs(query).items()}
        fcm = self._fcm
        if topic:
            missing = given.get("allow_missing", "").lower() == "true"
            made = fcm.subscriptions.unsubscribe(token, topic, allow_missing=missing, plan=fcm.plan)
        else:
            name = given.get("topic_name") or given.get("topicName", "")
            made = fcm.subscriptions.subscribe(project, token, name, fcm.plan)
        return fcm.with_faults(made)

    def _batch(
        self, method: str, add: bool, authorization: str, body: bytes, plain: bool
    ) -> Answer:
        if method != "POST":
            return _wrong_method("POST")
        stopped = self._stopped(self._tokens.own_project, authorization, plain)
        if stopped is not None:
            return stopped
        return self._fcm.with_faults(
            self._fcm.subscriptions.batch(body, add=add, plan=self._fcm.plan)
        )

    def _stopped(self, project: str, authorization: str, plain: bool) -> Answer | None:
        return self._fcm.fallen() or self._fcm.refusal(project, authorization, plain=plain)


def _wrong_method(wanted: str) -> Answer:
    answer = platform_error(405, "METHOD_NOT_ALLOWED", f"This takes {wanted} only.")
    return answer._replace(headers=(("allow", wanted),))
