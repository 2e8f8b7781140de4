"""ML-KEM-768 and ML-DSA-65 hold published vectors, as far as `cryptography` shows its inside."""

from typing import Any

import pytest
from Crypto.PublicKey import MLDSA
from Crypto.Signature import mldsa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey

from tests.unit.conftest import Tally
from tests.unit.vectors import Case, blocks, unhex, wycheproof

# -- ML-KEM-768, FIPS 203 -------------------------------------------------------------------------


def test_ml_kem_768_decapsulates_every_vector(tally: Tally) -> None:
    # Among them are ciphertexts that were changed, which FIPS 203 answers with another secret and
    # not with an error ("implicit rejection").
    cases = wycheproof("Protocol/mlkem_768")
    for case in cases:
        if case.valid:
            key = MLKEM768PrivateKey.from_seed_bytes(case["seed"])
            assert case["ek"] == key.public_key().public_bytes_raw(), str(case)
            assert case["K"] == key.decapsulate(case["c"]), str(case)
            continue
        with pytest.raises(ValueError, match=r"seed is 64 bytes|Invalid ML-KEM-768 ciphertext"):
            MLKEM768PrivateKey.from_seed_bytes(case["seed"]).decapsulate(case["c"])
    tally("ML-KEM-768, cryptography, decapsulates", len(cases), 201)


def test_ml_kem_768_makes_the_key_of_every_seed(tally: Tally) -> None:
    cases = wycheproof("Protocol/mlkem_768_keygen_seed")
    for case in cases:
        key = MLKEM768PrivateKey.from_seed_bytes(case["seed"])
        assert case["ek"] == key.public_key().public_bytes_raw(), str(case)
    tally("ML-KEM-768, cryptography, makes keys", len(cases), 100)


def test_ml_kem_768_encapsulates_to_good_public_keys_and_refuses_bad_ones(tally: Tally) -> None:
    # What it encapsulates is random, so no secret can be compared: the refusals are what is held.
    cases = wycheproof("Protocol/mlkem_768_encaps")
    for case in cases:
        if case.valid:
            both = MLKEM768PublicKey.from_public_bytes(case["ek"]).encapsulate()
            assert [32, 1_088] == [len(part) for part in both]
            continue
        # Of another length, or with a number that is not below the modulus (FIPS 203, section 7.2).
        with pytest.raises(ValueError, match="ML-KEM-768 public key"):
            MLKEM768PublicKey.from_public_bytes(case["ek"]).encapsulate()
    tally("ML-KEM-768, cryptography, takes or refuses public keys", len(cases), 265)


def test_ml_kem_768_gives_the_known_answers(tally: Tally) -> None:
    vectors = blocks("asymmetric/MLKEM/kat_MLKEM_768.rsp")[:200]
    for block in vectors:
        d, z, public, *sealed = unhex(block, "d", "z", "pk", "ct", "ss", "ct_n", "ss_n")
        key = MLKEM768PrivateKey.from_seed_bytes(d + z)
        ciphertext, secret, changed, rejected = sealed
        assert public == key.public_key().public_bytes_raw()
        assert secret == key.decapsulate(ciphertext)
        assert rejected == key.decapsulate(changed)
    tally("ML-KEM-768, cryptography, known answers", len(vectors), 200)


# -- ML-DSA-65, FIPS 204 --------------------------------------------------------------------------


def test_ml_dsa_65_verifies_and_refuses_every_vector(tally: Tally) -> None:
    cases = wycheproof("Signature/mldsa_65_verify")
    for case in cases:
        if case.valid:
            verify(case)
        else:
            with pytest.raises((InvalidSignature, ValueError)) as refused:
                verify(case)
            assert type(refused.value) in refusals(case), f"{case}: {refused.value!r}"
    tally("ML-DSA-65, cryptography, verifies", len(cases), 210)


def verify(case: Case) -> None:
    key = MLDSA65PublicKey.from_public_bytes(bytes.fromhex(case.group["publicKey"]))
    key.verify(case["sig"], case["msg"], case["ctx"])


def refusals(case: Case) -> tuple[type[Exception], ...]:
    if case.flags & {"InvalidContext", "IncorrectPublicKeyLength"}:
        return (ValueError,)
    return (InvalidSignature,)


def test_ml_dsa_65_gives_the_known_keys_and_signatures(tally: Tally) -> None:
    # `cryptography` signs with fresh randomness (FIPS 204 calls it hedged), so its signatures
    # cannot be compared: it verifies the printed ones. pycryptodome makes them again.
    vectors = blocks("asymmetric/MLDSA/kat_MLDSA_65_det_pure.rsp")
    for block in vectors:
        seed, public, message, signed, context = unhex(block, "xi", "pk", "msg", "sm", "ctx")
        signature = signed[: -len(message)]
        key = MLDSA65PrivateKey.from_seed_bytes(seed)
        assert public == key.public_key().public_bytes_raw()
        key.public_key().verify(signature, message, context)
        key.public_key().verify(key.sign(message, context), message, context)
        ours = MLDSA.construct(param_set=MLDSA.ML_DSA_65, seed=seed)
        assert signature == mldsa.new(ours, context, deterministic=True).sign(message)
    tally("ML-DSA-65, both libraries, known answers", len(vectors), 100)


def test_ml_dsa_65_makes_the_key_of_every_seed_and_refuses_others(tally: Tally) -> None:
    cases = wycheproof("Signature/mldsa_65_sign_seed")
    for case in cases:
        seed = bytes.fromhex(case.group["privateSeed"])
        if case.valid:
            key = MLDSA65PrivateKey.from_seed_bytes(seed)
            assert case.group["publicKey"] == key.public_key().public_bytes_raw().hex()
            verify_signed(key.public_key(), case)
            continue
        with pytest.raises(ValueError, match=r"seed is 32 bytes|at most 255 bytes"):
            MLDSA65PrivateKey.from_seed_bytes(seed).sign(case["msg"], case["ctx"])
    tally("ML-DSA-65, cryptography, from a seed", len(cases), 105)


def verify_signed(key: Any, case: Case) -> None:
    if "msg" in case.test:
        key.verify(case["sig"], case["msg"], case["ctx"])
    else:
        key.verify_mu(case["sig"], case["mu"])
