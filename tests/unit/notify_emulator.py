"""A real emulator for tests, in a process of its own, and what they ask of it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from answerbook.config import NotifySettings
from answerbook.notify.emulator.address import Address, find
from answerbook.notify.emulator.client_side import environment

SECONDS = 30.0
OWNER = {"Authorization": "Bearer owner"}
SEND = "/v1/projects/answerbook/messages:send"


class Emulator:
    """Runs from its creation until `stop`, `kill` or the end of its `with` block."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.settings = NotifySettings(folder=folder)
        defaults = {"port": 0, "emulator_tls_port": 0, "emulator_proxy_port": 0}
        given = {"folder": folder, **defaults, **settings}
        self._environment = os.environ | {
            f"ANSWERBOOK_NOTIFY_{name.upper()}": str(value) for name, value in given.items()
        }
        self.start()

    def start(self) -> None:
        (self.folder / "address.json").unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "answerbook", "notify", "emulator"],
            env=self._environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.address = self._address()
        token = (self.folder / "control.token").read_text().strip()
        self.plain = httpx.Client(base_url=self.address.url, headers=OWNER, timeout=SECONDS)
        self.control = httpx.Client(
            base_url=f"{self.address.url}/control",
            headers={"Authorization": f"Bearer {token}"},
            timeout=SECONDS,
        )

    def listen_again(self, address: Address) -> None:
        """Start it at the ports that it had."""
        self._environment |= {
            "ANSWERBOOK_NOTIFY_PORT": str(address.port),
            "ANSWERBOOK_NOTIFY_EMULATOR_TLS_PORT": str(address.tls_port),
            "ANSWERBOOK_NOTIFY_EMULATOR_PROXY_PORT": str(address.proxy_port),
        }
        self.start()

    def _address(self) -> Address:
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends and self.process.poll() is None:
            address = find(self.folder)
            if address is not None:
                return address
            time.sleep(0.02)
        self.process.kill()
        raise AssertionError(f"the emulator did not start: {self.process.communicate()[1]}")

    def stop(self) -> int:
        """End it as an operator does; returns its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        self.plain.close()
        self.control.close()
        self.process.send_signal(number)
        self.process.communicate(timeout=SECONDS)
        return self.process.returncode

    def __enter__(self) -> "Emulator":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()

    # -- what tests ask --------------------------------------------------------------------------

    def send(self, message: dict[str, Any], **more: Any) -> httpx.Response:
        return self.plain.post(SEND, json={"message": message, **more})

    def faults(self, **faults: Any) -> None:
        self.control.put("/faults", json=faults).raise_for_status()

    def counts(self) -> dict[str, Any]:
        counts: dict[str, Any] = self.control.get("/counts").raise_for_status().json()
        return counts

    def accepted(self, notification_id: str) -> list[dict[str, str]]:
        answer = self.control.get("/accepted", params={"notification_id": notification_id})
        lines: list[dict[str, str]] = answer.raise_for_status().json()["accepted"]
        return lines

    def client_environment(self) -> dict[str, str]:
        """Of a client's process that is led here."""
        return os.environ | environment(self.settings)


def error_code(answer: httpx.Response) -> str | None:
    """FCM's own error code in an answer."""
    for detail in answer.json()["error"].get("details", []):
        if detail["@type"].endswith("FcmError"):
            code: str = detail["errorCode"]
            return code
    return None
