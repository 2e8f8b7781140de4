"""Where a running emulator listens: `address.json` in its folder, written and removed by it."""

from pathlib import Path

import msgspec

FILE = "address.json"


class Address(msgspec.Struct, frozen=True):
    """Its host and three ports."""

    host: str
    port: int
    tls_port: int
    proxy_port: int

    @property
    def reached(self) -> str:
        """The host as a client on this machine reaches it."""
        return "127.0.0.1" if self.host in ("", "0.0.0.0") else self.host

    @property
    def url(self) -> str:
        """Of plain HTTP."""
        return f"http://{self.reached}:{self.port}"

    @property
    def proxy(self) -> str:
        return f"http://{self.reached}:{self.proxy_port}"


def publish(folder: Path, address: Address) -> None:
    new = folder / f"{FILE}.new"
    new.write_bytes(msgspec.json.encode(address) + b"\n")
    new.replace(folder / FILE)


def forget(folder: Path) -> None:
    (folder / FILE).unlink(missing_ok=True)


def find(folder: Path) -> Address | None:
    """Where the emulator of this folder listens; None when it does not run (or was killed)."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Address)
    except (OSError, msgspec.DecodeError):
        return None
