"""A key file's protection is read as the libraries wrote it, without its passphrase."""

import pytest
from Crypto.PublicKey import RSA
from cryptography.hazmat.primitives import serialization

from answerbook.notebook.key_files import IN_THE_CLEAR, Protection, protection


@pytest.fixture(scope="module")
def key() -> RSA.RsaKey:
    return RSA.generate(1024)


def test_scrypt_and_its_costs_are_read(key: RSA.RsaKey) -> None:
    pem = key.export_key(
        passphrase="x",
        pkcs=8,
        protection="scryptAndAES256-CBC",
        prot_params={"iteration_count": 2**10, "block_size": 4, "parallelization": 2},
    )
    assert Protection("scrypt, N = 2^10, r = 4, p = 2", "AES-256-CBC") == protection(pem)


def test_gcm_is_told_from_cbc(key: RSA.RsaKey) -> None:
    pem = key.export_key(
        passphrase="x",
        pkcs=8,
        protection="scryptAndAES256-GCM",
        prot_params={"iteration_count": 2**10},
    )
    assert "AES-256-GCM" == protection(pem).cipher


@pytest.mark.parametrize(
    ("algorithm", "name"), [("SHA1", "HMAC-SHA-1"), ("SHA256", "HMAC-SHA-256")]
)
def test_pbkdf2_its_hash_and_its_count_are_read(algorithm: str, name: str, key: RSA.RsaKey) -> None:
    pem = key.export_key(
        passphrase="x",
        pkcs=8,
        protection=f"PBKDF2WithHMAC-{algorithm}AndAES128-CBC",
        prot_params={"iteration_count": 1_234},
    )
    assert Protection(f"PBKDF2, {name}, 1,234 times", "AES-128-CBC") == protection(pem)


def test_what_cryptography_writes_is_read(key: RSA.RsaKey) -> None:
    theirs = serialization.load_pem_private_key(key.export_key(), None)
    pem = theirs.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"x"),
    )
    assert protection(pem).derivation.startswith("PBKDF2, HMAC-SHA-256, ")
    assert "AES-256-CBC" == protection(pem).cipher


def test_traditional_pem_is_known_for_one_round_of_md5(key: RSA.RsaKey) -> None:
    pem = key.export_key(passphrase="x", pkcs=1)
    assert Protection("MD5, once", "DES-EDE3-CBC") == protection(pem)


@pytest.mark.parametrize("pkcs", [1, 8])
def test_key_in_the_clear_is_said_to_be_so(pkcs: int, key: RSA.RsaKey) -> None:
    assert IN_THE_CLEAR == protection(key.export_key(pkcs=pkcs))


def test_public_key_is_no_private_key(key: RSA.RsaKey) -> None:
    with pytest.raises(ValueError, match="No private key"):
        protection(key.public_key().export_key())
