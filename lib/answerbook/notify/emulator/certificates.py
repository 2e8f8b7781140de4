"""The emulator's certificates: its own CA, and one certificate for the three Google hosts.

The CA's key is thrown away once that certificate is made, so that nothing on disk could sign for
any other host. `ca.pem` is what a client trusts; `ca-bundle.pem` is that together with the roots
this machine trusts anyway.
"""

import ssl
from pathlib import Path
from typing import Final

import requests.utils
import trustme

from answerbook.notify.emulator.secrets_kept import keep

HOSTS: Final = ("fcm.googleapis.com", "iid.googleapis.com", "oauth2.googleapis.com")
"""Those that the Firebase Admin SDK calls to send messages."""


def server_context(folder: Path) -> ssl.SSLContext:
    """TLS for the server, with h2 and http/1.1; makes what is not in the folder, or unusable."""
    try:
        return _context(folder)
    except (OSError, ssl.SSLError):
        _make(folder)
        return _context(folder)


def bundle(folder: Path) -> Path:
    """`ca-bundle.pem`, written anew: this machine's roots, and the emulator's CA last."""
    path = folder / "ca-bundle.pem"
    path.write_text(_roots(path) + "\n" + (folder / "ca.pem").read_text())
    return path


def _context(folder: Path) -> ssl.SSLContext:
    if not (folder / "ca.pem").is_file():
        raise FileNotFoundError(folder / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / "server.pem")
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="Answerbook's FCM emulator")
    certificate = authority.issue_cert(*HOSTS, organization_name="Answerbook's FCM emulator")
    keep(folder / "server.pem", certificate.private_key_and_cert_chain_pem.bytes().decode())
    (folder / "ca.pem").write_bytes(authority.cert_pem.bytes())


def _roots(ours: Path) -> str:
    """The roots that this machine trusts; those that `requests` brings where it names none."""
    named = ssl.get_default_verify_paths().cafile
    if named and Path(named).is_file() and Path(named).resolve() != ours.resolve():
        return Path(named).read_text()
    return Path(requests.utils.DEFAULT_CA_BUNDLE_PATH).read_text()
