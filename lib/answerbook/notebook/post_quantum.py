"""ML-KEM and ML-DSA of `cryptography`, where the installed build has them. Notebook 3.5 asks here.

`cryptography` brings the modules from some version on, and they work when the library that it was
built against has the algorithms: OpenSSL from 3.5 on, BoringSSL or AWS-LC. A wheel brings its own
OpenSSL; a distribution's package uses that of the distribution, which can be older.
"""

from importlib import import_module
from importlib.metadata import version
from types import ModuleType

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.backends.openssl.backend import backend


def _module(name: str) -> ModuleType | None:
    try:
        return import_module(f"cryptography.hazmat.primitives.asymmetric.{name}")
    except ImportError:
        return None


mlkem = _module("mlkem")
"""FIPS 203: `cryptography.hazmat.primitives.asymmetric.mlkem`, or None."""
mldsa = _module("mldsa")
"""FIPS 204: `cryptography.hazmat.primitives.asymmetric.mldsa`, or None."""


def missing() -> str | None:
    """Why ML-KEM-768 and ML-DSA-65 cannot be had here, as a sentence; None when they can.

    A key of each is made, since a module can be there and its algorithm not.
    """
    if mlkem is None or mldsa is None:
        return _sentence("has no module for them", "a newer cryptography")
    try:
        mlkem.MLKEM768PrivateKey.generate()
        mldsa.MLDSA65PrivateKey.generate()
    except UnsupportedAlgorithm:
        needed = "one built with OpenSSL 3.5 or later, as the wheels are"
        return _sentence("was built without them", needed)
    return None


def built_with() -> str:
    """Versions of `cryptography` and of the library that computes for it."""
    return f"cryptography {version('cryptography')}, {backend.openssl_version_text()}"


def _sentence(what: str, needed: str) -> str:
    return (
        f"No ML-KEM-768 and ML-DSA-65 here: this build ({built_with()}) {what}. What needs them is "
        f"left out below; {needed}, runs it."
    )
