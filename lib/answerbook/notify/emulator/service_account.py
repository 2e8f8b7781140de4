"""The emulator's own service account: a key file as Google gives it, for the real OAuth flow.

`service-account.json` in the emulator's folder. google-auth signs with its private key and the
token endpoint (`oauth.py`) verifies with the public one, as Google does.
"""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from answerbook.notify.emulator.secrets_kept import keep

TOKEN_URI: Final = "https://oauth2.googleapis.com/token"


@dataclass(frozen=True)
class ServiceAccount:
    """What the token endpoint knows of it."""

    project: str
    email: str
    key_id: str
    public_key: rsa.RSAPublicKey


def service_account_file(folder: Path) -> Path:
    return folder / "service-account.json"


def service_account(folder: Path, project: str) -> ServiceAccount:
    """The account of the folder's key file; a new one where there is none for this project."""
    path = service_account_file(folder)
    try:
        account = _read(path)
    except (OSError, ValueError, KeyError):
        account = None
    if account is None or account.project != project:
        keep(path, _new(project))
        account = _read(path)
    return account


def _read(path: Path) -> ServiceAccount:
    """Raises OSError, ValueError or KeyError when it is no key file."""
    content = json.loads(path.read_text())
    private = serialization.load_pem_private_key(content["private_key"].encode(), None)
    if not isinstance(private, rsa.RSAPrivateKey):
        raise ValueError("the key is not of RSA")
    return ServiceAccount(
        project=content["project_id"],
        email=content["client_email"],
        key_id=content["private_key_id"],
        public_key=private.public_key(),
    )


def _new(project: str) -> str:
    private = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    content = {
        "type": "service_account",
        "project_id": project,
        "private_key_id": secrets.token_hex(20),
        "private_key": pem.decode(),
        "client_email": f"emulator@{project}.iam.gserviceaccount.com",
        "client_id": str(10**20 + secrets.randbelow(10**20)),
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": TOKEN_URI,
        "universe_domain": "googleapis.com",
    }
    return json.dumps(content, indent=2) + "\n"
