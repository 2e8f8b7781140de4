"""What can be wrong with an encrypted file or a wrapped key.

Every message is one paragraph that ends in what to do. What is wrong with a disk or a path stays
the OSError that it is.
"""


class CryptoError(Exception):
    """Base of every error of `answerbook.crypto`."""


class WrongKey(CryptoError):
    """The key or passphrase is not the one that this was made with."""


class Tampered(CryptoError):
    """Not what was encrypted: bytes were changed, added, removed or moved."""


class Truncated(Tampered):
    """The end is missing."""


class UnknownFormat(CryptoError):
    """Not made by this program, or by a version that this one does not know."""
