"""How programs are watched and ended."""

import signal
import subprocess
import sys

import pytest
import requests

from answerbook.notify.running import Watch


@pytest.mark.parametrize(("why", "status"), [(None, 200), ("no partition is assigned", 503)])
def test_readiness_is_answered_with_its_reason(why: str | None, status: int) -> None:
    watch = Watch("127.0.0.1", 0, ready=lambda: why)
    try:
        address = f"http://127.0.0.1:{watch.port}"
        ready = requests.get(f"{address}/readyz", timeout=5)
        assert (status, why or "ok") == (ready.status_code, ready.text.strip())
        assert 200 == requests.get(f"{address}/healthz", timeout=5).status_code
        assert 404 == requests.get(f"{address}/else", timeout=5).status_code
        assert "python_info" in requests.get(f"{address}/metrics", timeout=5).text
    finally:
        watch.stop()


def test_port_is_free_after_the_end() -> None:
    first = Watch("127.0.0.1", 0, ready=lambda: None)
    first.stop()
    second = Watch("127.0.0.1", first.port, ready=lambda: None)
    second.stop()


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_signal_asks_for_an_orderly_end(asked: signal.Signals) -> None:
    program = (
        "from answerbook.notify.running import log, until_terminated\n"
        "ended = until_terminated()\n"
        "print('up', flush=True)\n"
        "ended.wait()\n"
        "log().info('drained', left=0)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert "up\n" == process.stdout.readline()
    process.send_signal(asked)
    _, logged = process.communicate(timeout=30)
    assert 0 == process.returncode
    assert '"event": "drained"' in logged
    assert '"level": "info"' in logged
