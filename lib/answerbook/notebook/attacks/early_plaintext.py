"""Plaintext before its tag: what a streaming decryption hands out, and how an attacker chooses it.

`decrypt()` of an authenticated mode returns plaintext at once; only `verify()`, at the end, says
whether it was genuine. Under EAX, GCM and ChaCha20-Poly1305 lies a key stream, so who knows a part
of the message turns it into what he likes (`rewrite`), without a key. Notebook 3_3_aes decrypts
such a file piece by piece. RFC 5116, 2.2, allows an AEAD one output: the plaintext, or that it
failed.
"""

from Crypto.Util.strxor import strxor


def rewrite(ciphertext: bytes, place: int, known: bytes, wanted: bytes) -> bytes:
    """`ciphertext`, changed so that `wanted` is read at `place`, where `known` stood.

    Raises ValueError when the two differ in length or do not fit.
    """
    end = place + len(known)
    if len(known) != len(wanted) or not 0 <= place <= end <= len(ciphertext):
        raise ValueError("What is wanted has to be as long as what is known, and within the text.")
    changed = strxor(ciphertext[place:end], strxor(known, wanted)) if known else b""
    return ciphertext[:place] + changed + ciphertext[end:]
