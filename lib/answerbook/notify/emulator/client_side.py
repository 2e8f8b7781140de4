"""What an unmodified client of FCM needs to reach the emulator in Google's place.

Most clients obey the environment: `environment()` has the proxy, the CA and the credentials, and
`answerbook notify emulator-env` prints it for a shell. A client that takes no proxy from the
environment (firebase-admin's asynchronous one: the transports that it mounts displace those httpx
would make of HTTPS_PROXY) is led by the names of Google's hosts instead:

- elsewhere: let the names resolve to a machine or container whose port 443 is the emulator's TLS
  port (a network alias in compose, hostAliases in Kubernetes, /etc/hosts);
- in one Python process: `with led_to_emulator(settings):`, or for a whole script that is not to be
  changed, `python -m answerbook.notify.emulator.client_side SCRIPT [ARGUMENT]…`.
"""

import os
import runpy
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from answerbook.config import NotifySettings
from answerbook.notify import records
from answerbook.notify.emulator.address import Address, find
from answerbook.notify.emulator.certificates import HOSTS
from answerbook.notify.emulator.service_account import service_account_file

STAND_IN: Final = "127.70.67.77"
"""An address that no one listens on: what the names resolve to on their way to the emulator."""


def address(settings: NotifySettings) -> Address:
    """Where the emulator listens: as it says itself while it runs, else as the settings say."""
    port = records.PORTS["emulator"] if settings.port is None else settings.port
    told = Address(settings.host, port, settings.emulator_tls_port, settings.emulator_proxy_port)
    return find(settings.folder) or told


def environment(settings: NotifySettings) -> dict[str, str]:
    """The variables that lead requests, google-auth, httpx and firebase-admin to the emulator.

    The CA bundle holds this machine's roots too; but the proxy leads to the three hosts alone.
    """
    folder = settings.folder.absolute()
    ca = str(folder / "ca-bundle.pem")
    return {
        "HTTPS_PROXY": address(settings).proxy,
        "https_proxy": address(settings).proxy,
        "SSL_CERT_FILE": ca,
        "REQUESTS_CA_BUNDLE": ca,
        "GOOGLE_APPLICATION_CREDENTIALS": str(service_account_file(folder)),
    }


@contextmanager
def names_lead_to(emulator: Address) -> Iterator[None]:
    """Within this block, Google's three hosts are the emulator's TLS port, in the whole process.

    It holds for what connects by Python's sockets: blocking clients and asyncio's own event loop,
    not uvloop. The emulator listens on IPv4.
    """
    resolve = socket.getaddrinfo
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        ours = isinstance(name, str) and name.lower() in HOSTS
        return resolve(STAND_IN if ours else host, *rest, **named)

    def led(place: Any) -> Any:
        ours = isinstance(place, tuple) and place[0] == STAND_IN
        return (emulator.reached, emulator.tls_port) if ours else place

    def connect_there(client: socket.socket, place: Any) -> None:
        connect(client, led(place))

    def connect_there_ex(client: socket.socket, place: Any) -> int:
        return connect_ex(client, led(place))

    with ExitStack() as restored:
        for owner, name, function in (
            (socket, "getaddrinfo", getaddrinfo),
            (socket.socket, "connect", connect_there),
            (socket.socket, "connect_ex", connect_there_ex),
        ):
            restored.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, function)
        yield


@contextmanager
def led_to_emulator(settings: NotifySettings) -> Iterator[None]:
    """Within this block this process is such a client: its environment and names lead there.

    A client takes in what it needs of the environment when it is made, so it is made in here.
    """
    before = os.environ.copy()
    os.environ.update(environment(settings))
    try:
        with names_lead_to(address(settings)):
            yield
    finally:
        for name in environment(settings):
            os.environ.pop(name, None)
            os.environ.update({name: before[name]} if name in before else {})


def main(arguments: list[str]) -> None:
    """Run a script as `python SCRIPT` would, with its calls to FCM led to the emulator."""
    if not arguments:
        sys.exit("Usage: python -m answerbook.notify.emulator.client_side SCRIPT [ARGUMENT]…")
    sys.argv = arguments
    sys.path[0] = str(Path(arguments[0]).absolute().parent)
    with led_to_emulator(NotifySettings.load()):
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
