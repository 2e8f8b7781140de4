"""Whether ML-KEM and ML-DSA are told to be there when they are, and only then."""

import sys
from importlib import reload

import pytest
from cryptography.hazmat.backends.openssl.backend import backend

from answerbook.notebook import post_quantum

MODULES = "cryptography.hazmat.primitives.asymmetric"


def test_this_build_has_both_and_they_work() -> None:
    assert post_quantum.missing() is None
    assert post_quantum.mlkem is not None
    key = post_quantum.mlkem.MLKEM768PrivateKey.generate()
    secret, ciphertext = key.public_key().encapsulate()
    assert secret == key.decapsulate(ciphertext)


@pytest.mark.parametrize("algorithm", ["mlkem", "mldsa"])
def test_build_on_an_older_openssl_is_told_by_its_refusal(
    algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, f"{algorithm}_supported", lambda: False)
    sentence = post_quantum.missing()
    assert sentence is not None
    assert "was built without them" in sentence
    assert post_quantum.built_with() in sentence


@pytest.mark.parametrize("algorithm", ["mlkem", "mldsa"])
def test_cryptography_without_the_module_is_told_too(
    algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, f"{MODULES}.{algorithm}", None)
        without = reload(post_quantum)
        sentence = without.missing()
    assert reload(post_quantum).missing() is None
    assert sentence is not None
    assert "has no module for them" in sentence
