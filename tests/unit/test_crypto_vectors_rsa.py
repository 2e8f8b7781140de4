"""RSA of question 3 holds Wycheproof's vectors, in both libraries."""

from typing import Any

import pytest
from Crypto.Cipher import PKCS1_OAEP
from Crypto.Hash import SHA1, SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15, pss
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from tests.unit.conftest import Tally
from tests.unit.vectors import Case, wycheproof

OURS = {"SHA-1": SHA1, "SHA-256": SHA256}
THEIRS: dict[str, hashes.HashAlgorithm] = {"SHA-1": hashes.SHA1(), "SHA-256": hashes.SHA256()}


# -- OAEP -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("rsa_oaep_2048_sha256_mgf1sha256", 37),
        ("rsa_oaep_3072_sha256_mgf1sha256", 37),
        ("rsa_oaep_2048_sha1_mgf1sha1", 36),  # what pycryptodome takes where no hash is given
    ],
)
def test_oaep_holds_every_vector_in_both_libraries(name: str, known: int, tally: Tally) -> None:
    cases = wycheproof(f"Cipher/{name}")
    pem = cases[0].group["privateKeyPem"]
    assert all(pem == case.group["privateKeyPem"] for case in cases)
    ours, theirs = RSA.import_key(pem), load_pem_private_key(pem.encode(), None)
    assert {True, False} == {case.valid for case in cases}
    for case in cases:
        if case.valid:
            assert case["msg"] == oaep_pycryptodome(ours, case), str(case)
            assert case["msg"] == oaep_cryptography(theirs, case), str(case)
            continue
        assert case.invalid
        with pytest.raises(ValueError, match=r"Incorrect decryption|incorrect length|too large"):
            oaep_pycryptodome(ours, case)
        with pytest.raises(ValueError, match=r"Decryption failed|must be equal to key size"):
            oaep_cryptography(theirs, case)
    tally(f"RSA-OAEP, {name.removeprefix('rsa_oaep_')}, both libraries", len(cases), known)


def oaep_pycryptodome(key: RSA.RsaKey, case: Case) -> bytes:
    cipher = PKCS1_OAEP.new(key, hashAlgo=OURS[case.group["sha"]], label=case["label"])
    return cipher.decrypt(case["ct"])


def oaep_cryptography(key: Any, case: Case) -> bytes:
    algorithm = THEIRS[case.group["sha"]]
    scheme = padding.OAEP(padding.MGF1(algorithm), algorithm, case["label"])
    message: bytes = key.decrypt(case["ct"], scheme)
    return message


# -- signatures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("rsa_pss_2048_sha256_mgf1_32", 108),
        ("rsa_pss_3072_sha256_mgf1_32", 108),
        ("rsa_pss_2048_sha256_mgf1_0", 103),
    ],
)
def test_pss_holds_every_vector_in_both_libraries(name: str, known: int, tally: Tally) -> None:
    cases = wycheproof(f"Signature/{name}")
    for case in cases:
        salt = case.group["sLen"]
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
        check_signature(case, scheme, pss.new(RSA.import_key(pem_of(case)), salt_bytes=salt))
    assert {True, False} == {case.valid for case in cases}
    tally(f"RSA-PSS, {name.removeprefix('rsa_pss_')}, both libraries", len(cases), known)


def test_pkcs1_v1_5_signatures_hold_every_vector_in_both_libraries(tally: Tally) -> None:
    cases = wycheproof("Signature/rsa_signature_3072_sha256")
    decided = [case for case in cases if case.valid or case.invalid]
    for case in decided:
        check_signature(case, padding.PKCS1v15(), pkcs1_15.new(RSA.import_key(pem_of(case))))
    tally("RSA PKCS#1 v1.5 signatures, 3072_sha256, both libraries", len(decided), 258)


def test_the_libraries_differ_about_a_pkcs1_v1_5_signature_that_lacks_a_null() -> None:
    # RFC 8017, appendix A.2.4: the parameters are NULL, and implementations should accept their
    # absence too. pycryptodome does; OpenSSL, under `cryptography`, does not.
    (case,) = [
        case
        for case in wycheproof("Signature/rsa_signature_3072_sha256")
        if not case.valid and not case.invalid
    ]
    assert {"MissingNull"} == case.flags
    pkcs1_15.new(RSA.import_key(pem_of(case))).verify(SHA256.new(case["msg"]), case["sig"])
    with pytest.raises(InvalidSignature):
        verify_cryptography(case, padding.PKCS1v15())


def check_signature(case: Case, scheme: padding.PSS | padding.PKCS1v15, ours: Any) -> None:
    if case.valid:
        verify_cryptography(case, scheme)
        ours.verify(SHA256.new(case["msg"]), case["sig"])
        return
    assert case.invalid
    with pytest.raises(InvalidSignature):
        verify_cryptography(case, scheme)
    with pytest.raises(ValueError, match=r"(Incorrect|Invalid) signature|Plaintext too large"):
        ours.verify(SHA256.new(case["msg"]), case["sig"])


def verify_cryptography(case: Case, scheme: padding.PSS | padding.PKCS1v15) -> None:
    key: Any = load_pem_public_key(pem_of(case).encode())
    key.verify(case["sig"], case["msg"], scheme, hashes.SHA256())


def pem_of(case: Case) -> str:
    return str(case.group["publicKeyPem"])
