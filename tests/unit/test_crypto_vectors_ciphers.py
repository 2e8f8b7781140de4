"""The ciphers of question 3 do what Wycheproof, NIST and the RFCs say, in both libraries."""

from collections.abc import Callable
from typing import Any

import pytest
from Crypto.Cipher import AES, ChaCha20_Poly1305
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV, ChaCha20Poly1305

from tests.unit.conftest import Tally
from tests.unit.vectors import Block, Case, blocks, unhex, wycheproof

EAX = wycheproof("Cipher/aes_eax")
GCM = wycheproof("Cipher/aes_gcm")
GCM_SIV = wycheproof("Cipher/aes_gcm_siv")
CHACHA = wycheproof("Cipher/chacha20_poly1305")
XCHACHA = wycheproof("Cipher/xchacha20_poly1305")

MakeCipher = Callable[[bytes, bytes], Any]
"""Key and nonce → a cipher of pycryptodome, or one of `cryptography` behind the same methods."""


def eax(key: bytes, nonce: bytes) -> Any:
    return AES.new(key, AES.MODE_EAX, nonce=nonce)


def gcm(key: bytes, nonce: bytes) -> Any:
    return AES.new(key, AES.MODE_GCM, nonce=nonce)


def chacha20_poly1305(key: bytes, nonce: bytes) -> Any:
    return ChaCha20_Poly1305.new(key=key, nonce=nonce)


class Sealed:
    """`cryptography`'s AEADs, called as pycryptodome's are."""

    def __init__(self, aead: AESGCM | ChaCha20Poly1305, nonce: bytes) -> None:
        self.aead, self.nonce, self.data = aead, nonce, b""

    def update(self, data: bytes) -> None:
        self.data = data

    def encrypt_and_digest(self, plaintext: bytes) -> tuple[bytes, bytes]:
        sealed = self.aead.encrypt(self.nonce, plaintext, self.data)
        return sealed[:-16], sealed[-16:]

    def decrypt_and_verify(self, ciphertext: bytes, tag: bytes) -> bytes:
        return self.aead.decrypt(self.nonce, ciphertext + tag, self.data)


def cryptography_gcm(key: bytes, nonce: bytes) -> Any:
    return Sealed(AESGCM(key), nonce)


def cryptography_chacha20_poly1305(key: bytes, nonce: bytes) -> Any:
    return Sealed(ChaCha20Poly1305(key), nonce)


def library(make: MakeCipher) -> str:
    return "cryptography" if make.__name__.startswith("cryptography") else "pycryptodome"


def hold(make: MakeCipher, case: Case) -> None:
    """A valid case gives its ciphertext, its tag and its message; an invalid one is refused."""
    if case.valid:
        cipher = make(case["key"], case["iv"])
        cipher.update(case["aad"])
        assert (case["ct"], case["tag"]) == cipher.encrypt_and_digest(case["msg"]), str(case)
        assert case["msg"] == opened(make, case), str(case)
    else:
        with pytest.raises((ValueError, InvalidTag)) as refused:
            opened(make, case)
        assert is_forgery(refused.value), f"{case}: {refused.value!r}"


def is_forgery(error: Exception) -> bool:
    return isinstance(error, InvalidTag) or "MAC check failed" == str(error)


def opened(make: MakeCipher, case: Case) -> bytes:
    cipher = make(case["key"], case["iv"])
    cipher.update(case["aad"])
    message: bytes = cipher.decrypt_and_verify(case["ct"], case["tag"])
    return message


def hold_all(make: MakeCipher, cases: list[Case]) -> int:
    for case in cases:
        hold(make, case)
    assert {True, False} == {case.valid for case in cases}, "both kinds are there"
    return len(cases)


# -- with a tag -----------------------------------------------------------------------------------


def test_aes_eax_of_pycryptodome_holds_every_vector_that_has_a_nonce(tally: Tally) -> None:
    tally("AES-EAX, pycryptodome", hold_all(eax, [case for case in EAX if case["iv"]]), 234)


def test_pycryptodome_refuses_eax_with_an_empty_nonce(tally: Tally) -> None:
    # EAX is defined for it, and the vectors are valid; a nonce that is always the same is none.
    refused = [case for case in EAX if not case["iv"]]
    assert all(case.valid for case in refused)
    assert [226, 227, 228, 229, 230, 231] == [case.test["tcId"] for case in refused]
    for case in refused:
        with pytest.raises(ValueError, match="Nonce cannot be empty in EAX mode"):
            eax(case["key"], case["iv"])
    tally("AES-EAX with an empty nonce, pycryptodome refuses", len(refused), 6)


def test_aes_gcm_of_pycryptodome_holds_every_vector_that_has_a_nonce(tally: Tally) -> None:
    tally("AES-GCM, pycryptodome", hold_all(gcm, [case for case in GCM if case["iv"]]), 310)


def test_pycryptodome_refuses_gcm_with_an_empty_nonce(tally: Tally) -> None:
    refused = [case for case in GCM if not case["iv"]]
    for case in refused:
        assert case.invalid
        with pytest.raises(ValueError, match="Nonce cannot be empty"):
            gcm(case["key"], case["iv"])
    tally("AES-GCM with an empty nonce, pycryptodome refuses", len(refused), 6)


def test_aes_gcm_of_cryptography_holds_every_vector_with_a_usual_nonce(tally: Tally) -> None:
    usual = [case for case in GCM if 8 <= len(case["iv"]) <= 128]
    tally("AES-GCM, cryptography", hold_all(cryptography_gcm, usual), 283)


def test_cryptography_refuses_gcm_with_a_nonce_outside_8_to_128_bytes(tally: Tally) -> None:
    # NIST SP 800-38D allows any length from one bit on; all but 96 bits are hashed first.
    refused = [case for case in GCM if not 8 <= len(case["iv"]) <= 128]
    assert {0, 1, 2, 4, 6, 257} == {len(case["iv"]) for case in refused}
    for case in refused:
        with pytest.raises(ValueError, match="Nonce must be between 8 and 128 bytes"):
            opened(cryptography_gcm, case)
    tally("AES-GCM with a nonce of another length, cryptography refuses", len(refused), 33)


@pytest.mark.parametrize("make", [gcm, cryptography_gcm])
def test_aes_256_gcm_holds_nists_vectors(make: MakeCipher, tally: Tally) -> None:
    # Those of the sizes that are used: a nonce of 96 bits and a tag of 128.
    held = 0
    for block in blocks("ciphers/AES/GCM/gcmDecrypt256.rsp"):
        if (block["ivlen"], block["taglen"]) != ("96", "128"):
            continue
        key, nonce, sealed, data, tag = unhex(block, "key", "iv", "ct", "aad", "tag")
        cipher = make(key, nonce)
        cipher.update(data)
        if "fail" in block:
            with pytest.raises((ValueError, InvalidTag)) as refused:
                cipher.decrypt_and_verify(sealed, tag)
            assert is_forgery(refused.value)
        else:
            assert unhex(block, "pt") == [cipher.decrypt_and_verify(sealed, tag)], block["count"]
        held += 1
    tally(f"AES-256-GCM by NIST, {library(make)}", held, 375)


@pytest.mark.parametrize("make", [chacha20_poly1305, cryptography_chacha20_poly1305])
def test_chacha20_poly1305_holds_every_vector_with_a_nonce_of_12_bytes(
    make: MakeCipher, tally: Tally
) -> None:
    cases = [case for case in CHACHA if len(case["iv"]) == 12]
    tally(f"ChaCha20-Poly1305, {library(make)}", hold_all(make, cases), 316)


def test_other_nonces_than_12_bytes_are_invalid_and_cryptography_refuses_all(tally: Tally) -> None:
    refused = [case for case in CHACHA if len(case["iv"]) != 12]
    assert all(case.invalid for case in refused)
    for case in refused:
        with pytest.raises(ValueError, match="Nonce must be 12 bytes"):
            opened(cryptography_chacha20_poly1305, case)
    tally("ChaCha20-Poly1305, nonces that cryptography refuses", len(refused), 9)


def test_pycryptodome_takes_nonces_of_8_12_and_24_bytes_and_refuses_others(tally: Tally) -> None:
    # 8 bytes is Bernstein's first ChaCha20, 24 XChaCha20: with pycryptodome it is the nonce's
    # length that chooses the cipher.
    others = {len(case["iv"]): case for case in CHACHA if len(case["iv"]) not in (8, 12, 24)}
    assert {0, 11, 13, 14, 16, 20, 32} == others.keys()
    for case in others.values():
        with pytest.raises(ValueError, match="Nonce must be 8, 12 or 24 bytes"):
            chacha20_poly1305(case["key"], case["iv"])
    assert [8, 12, 24] == [
        len(chacha20_poly1305(bytes(32), bytes(length)).nonce) for length in (8, 12, 24)
    ]
    tally("ChaCha20-Poly1305, nonces that pycryptodome refuses", len(others), 7)


def test_xchacha20_poly1305_of_pycryptodome_holds_every_vector(tally: Tally) -> None:
    cases = [case for case in XCHACHA if len(case["iv"]) == 24]
    tally("XChaCha20-Poly1305, pycryptodome", hold_all(chacha20_poly1305, cases), 306)
    others = [case for case in XCHACHA if case not in cases]
    assert {0, 8, 11, 12, 13, 14, 16, 20, 32} == {len(case["iv"]) for case in others}
    for case in others:
        with pytest.raises(ValueError, match="MAC check failed" if takes(case) else "Nonce must"):
            chacha20_poly1305(case["key"], case["iv"]).decrypt_and_verify(case["ct"], case["tag"])
    tally("XChaCha20-Poly1305, nonces that pycryptodome refuses", len(others), 9)


def takes(case: Case) -> bool:
    """With a nonce of these lengths it is another cipher, whose tag is another."""
    return len(case["iv"]) in (8, 12)


# -- without a tag, which the notebooks use to show why there should be one -----------------------

KATS = ("GFSbox", "KeySbox", "VarKey", "VarTxt", "MMT")


@pytest.mark.parametrize(("mode", "known"), [("ECB", 2138), ("CBC", 2138)])
def test_aes_without_a_tag_holds_nists_vectors_in_both_libraries(
    mode: str, known: int, tally: Tally
) -> None:
    held = 0
    for kat in KATS:
        for bits in (128, 192, 256):
            for block in blocks(f"ciphers/AES/{mode}/{mode}{kat}{bits}.rsp"):
                held += both_ways(mode, block)
    tally(f"AES-{mode} by NIST, both libraries", held, known)


def test_aes_ctr_holds_rfc_3686_in_both_libraries(tally: Tally) -> None:
    vectors = [
        each for bits in (128, 192, 256) for each in blocks(f"ciphers/AES/CTR/aes-{bits}-ctr.txt")
    ]
    tally("AES-CTR of RFC 3686, both libraries", sum(both_ways("CTR", each) for each in vectors), 9)


def both_ways(mode: str, block: Block) -> int:
    key, plaintext, ciphertext = unhex(block, "key", "plaintext", "ciphertext")
    start = bytes.fromhex(block.get("iv", ""))
    theirs: Any = Cipher(algorithms.AES(key), cryptography_mode(mode, start))
    sealed = theirs.encryptor().update(plaintext)
    assert ciphertext == sealed == pycryptodome(mode, key, start).encrypt(plaintext)
    message = theirs.decryptor().update(ciphertext)
    assert plaintext == message == pycryptodome(mode, key, start).decrypt(ciphertext)
    return 1


def cryptography_mode(mode: str, start: bytes) -> modes.ECB | modes.CBC | modes.CTR:
    match mode:
        case "ECB":
            return modes.ECB()
        case "CBC":
            return modes.CBC(start)
    return modes.CTR(start)


def pycryptodome(mode: str, key: bytes, start: bytes) -> Any:
    match mode:
        case "ECB":
            return AES.new(key, AES.MODE_ECB)
        case "CBC":
            return AES.new(key, AES.MODE_CBC, iv=start)
    return AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=start)


def test_aes_gcm_siv_holds_every_vector_and_refuses_every_tag_that_was_changed(
    tally: Tally,
) -> None:
    # RFC 8452; `cryptography` alone has it.
    for case in GCM_SIV:
        aead, sealed = AESGCMSIV(case["key"]), case["ct"] + case["tag"]
        if case.valid:
            assert sealed == aead.encrypt(case["iv"], case["msg"], case["aad"]), str(case)
            assert case["msg"] == aead.decrypt(case["iv"], sealed, case["aad"]), str(case)
        else:
            assert {"ModifiedTag"} == case.flags
            with pytest.raises(InvalidTag):
                aead.decrypt(case["iv"], sealed, case["aad"])
    tally("AES-GCM-SIV, cryptography", len(GCM_SIV), 202)
