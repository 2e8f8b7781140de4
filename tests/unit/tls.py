"""Certificates and contexts for the tests of question 3's TLS helpers."""

import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from answerbook.notebook.certificates import Holder, chain_file, draft, pem, usage


def authority(name: str = "Root", issuer: Holder | None = None) -> Holder:
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (constraints, True),
        (usage("key_cert_sign", "crl_sign"), True),
    ]
    return _issued(name, extensions, issuer, (-1, 30))


def server(issuer: Holder, name: str = "localhost", days: tuple[float, float] = (-1, 30)) -> Holder:
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (usage("digital_signature"), True),
        (x509.SubjectAlternativeName([x509.DNSName(name)]), False),
    ]
    return _issued(name, extensions, issuer, days)


def _issued(
    name: str,
    extensions: list[tuple[x509.ExtensionType, bool]],
    issuer: Holder | None,
    days: tuple[float, float],
) -> Holder:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = draft(name, key, issuer, days)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return Holder(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


class Contexts:
    """Of one authority, whose files are in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = authority()
        self.holder = server(self.root)

    def server(self, *chain: Holder) -> ssl.SSLContext:
        """For `chain`, or a certificate for localhost."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(chain_file(self.folder, *(chain or (self.holder,))))
        return context

    def client(self, *chain: Holder) -> ssl.SSLContext:
        """Strict, and trusting the authority alone; with `chain` as its own certificate."""
        context = ssl.create_default_context(cadata=pem(self.root))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        if chain:
            context.load_cert_chain(chain_file(self.folder, *chain))
        return context


def versions(context: ssl.SSLContext, only: ssl.TLSVersion) -> ssl.SSLContext:
    context.minimum_version = context.maximum_version = only
    return context
