"""What every X.509 certificate has, so that a cell shows only what is particular to one.

    draft("shop", key, authority, (-1, 30))     # names, dates, serial number, key identifiers
    usage("digital_signature")                  # the eight other bits of key usage unset
    chain_file(folder, shop, authority)         # for ssl, which reads a private key from a file

For notebook 3_7_tls_and_tokens, whose cells add the extensions that decide, and sign.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BITS = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
"""Of key usage, RFC 5280 section 4.2.1.3, by `cryptography`'s names."""


class Holder(NamedTuple):
    """A certificate, and the private key that belongs to it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def name(self) -> str:
        """The common name in its subject."""
        (found,) = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(found.value)


def usage(*bits: str) -> x509.KeyUsage:
    """Key usage with these of BITS set. Raises ValueError for what is none of them."""
    unknown = set(bits) - set(BITS)
    if unknown:
        raise ValueError(f"Key usage knows {', '.join(BITS)}, and not {', '.join(unknown)}.")
    return x509.KeyUsage(**{bit: bit in bits for bit in BITS})


def draft(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: Holder | None = None,
    days: tuple[float, float] = (-1, 30),
) -> x509.CertificateBuilder:
    """An unsigned certificate for `key`; `days` from now are when it begins and ends to be valid.

    Without an issuer it names itself as its own. It has the identifiers of both keys, by which a
    chain is found: RFC 5280 section 4.2.1.1 demands them.
    """
    now, (first, last) = datetime.now(UTC), days
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signing = issuer.key if issuer else key
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    above = x509.SubjectKeyIdentifier.from_public_key(signing.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=first))
        .not_valid_after(now + timedelta(days=last))
        .add_extension(own, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above), critical=False
        )
    )


def pem(*holders: Holder) -> str:
    """Their certificates, one after the other."""
    form = serialization.Encoding.PEM
    return "".join(holder.certificate.public_bytes(form).decode() for holder in holders)


def chain_file(folder: Path, holder: Holder, *above: Holder) -> Path:
    """A file of mode 0600 with the holder's private key and certificate, and those above it.

    What was written for the same certificate before is overwritten.
    """
    path = folder / f"{holder.certificate.serial_number}.pem"
    path.touch(mode=0o600)
    secret = holder.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_text(secret.decode() + pem(holder, *above))
    return path


def revocation_list(issuer: Holder, *revoked: Holder) -> str:
    """The issuer's first list of what it has revoked, in PEM; it is good for a day.

    RFC 5280 section 5.2 demands its two extensions.
    """
    now, day = datetime.now(UTC), timedelta(days=1)
    own = x509.SubjectKeyIdentifier.from_public_key(issuer.key.public_key())
    by = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now - day)
        .next_update(now + day)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(by, critical=False)
    )
    for holder in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(holder.certificate.serial_number)
            .revocation_date(now)
            .build()
        )
    signed = builder.sign(issuer.key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()
