"""An ECDSA private key from its signatures: a nonce used twice, or nonces that are too short.

Notebook 3.5 calls this. A signature of the hash z is r, which depends on the nonce k alone, and
s = (z + r·d) / k modulo the order n of the curve, where d is the private key. An attacker knows r,
s and z: one equation with two unknowns, k and d.

- `from_repeated` has two equations for the same k, and solves them.
- `from_short` has more equations than unknown bits: each k is known to be small. Which small
  numbers fit all equations is a shortest vector of a lattice (Howgrave-Graham and Smart, 2001).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from Crypto.PublicKey.ECC import EccKey, construct

from answerbook.notebook.attacks.lattice import reduced

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""How many points P-256 has: NIST SP 800-186, section 3.2.1.3."""


@dataclass(frozen=True)
class Signed:
    """What an attacker sees of a signature on P-256 with SHA-256."""

    z: int
    """The message's SHA-256, as a number."""
    r: int
    s: int

    @classmethod
    def read(cls, message: bytes, signature: bytes) -> "Signed":
        """Of a message and its signature as 64 bytes, r and then s (IEEE P1363)."""
        hashed = int.from_bytes(sha256(message).digest())
        return cls(hashed, int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))

    def key_for(self, nonce: int) -> int:
        """The private key, if `nonce` is what this was signed with."""
        return (self.s * nonce - self.z) * pow(self.r, -1, P256_ORDER) % P256_ORDER


class NotRecovered(Exception):
    """The signatures do not give the key away."""


def from_repeated(first: Signed, second: Signed, public: EccKey) -> EccKey:
    """The private key of `public`, from two messages that were signed with the same nonce.

    Raises NotRecovered when r differs, since then the nonces did.
    """
    if first.r != second.r or first.s == second.s:
        raise NotRecovered("No nonce was used twice: r differs, or the message is the same.")
    # A signer may give n - s in place of s, so the nonces are the same but for their sign.
    for s in (second.s, P256_ORDER - second.s):
        between = (first.s - s) % P256_ORDER
        if between:
            nonce = (first.z - second.z) * pow(between, -1, P256_ORDER) % P256_ORDER
            if found := _checked(first.key_for(nonce), public):
                return found
    raise NotRecovered("The signatures are not of this public key.")


def from_short(signatures: Sequence[Signed], public: EccKey, bits: int) -> EccKey:
    """The private key of `public`, when each nonce is below 2 to the power of `bits`.

    Each signature tells 256 - `bits` bits of the 256 that are wanted, so `signatures` have to be
    somewhat more than 256 / (256 - `bits`). Raises NotRecovered when they give no key.
    """
    bound = 1 << bits
    for row in reduced(_lattice(signatures, bound)):
        nonce = abs(row[0]) // P256_ORDER
        for candidate in (nonce, P256_ORDER - nonce):
            if nonce and (found := _checked(signatures[0].key_for(candidate), public)):
                return found
    raise NotRecovered(f"No nonces below 2^{bits} fit these {len(signatures)} signatures.")


def _lattice(signatures: Sequence[Signed], bound: int) -> list[list[int]]:
    """Rows that, added with the right factors, give (k_1·n, …, k_m·n, d·bound, bound·n).

    k_i = u_i + t_i·d modulo n, with t_i = r_i / s_i and u_i = z_i / s_i. All is multiplied by n, so
    that the entry of d, which is as long as n, weighs as much as a nonce and stays an integer.
    """
    order, count = P256_ORDER, len(signatures)
    inverses = [pow(one.s, -1, order) for one in signatures]
    t = [one.r * inverse % order for one, inverse in zip(signatures, inverses, strict=True)]
    u = [one.z * inverse % order for one, inverse in zip(signatures, inverses, strict=True)]
    rows = [[order**2 * (i == j) for j in range(count)] + [0, 0] for i in range(count)]
    rows.append([order * each for each in t] + [bound, 0])
    rows.append([order * each for each in u] + [0, bound * order])
    return rows


def _checked(private: int, public: EccKey) -> EccKey | None:
    """The key, if it is the one that `public` belongs to: an attacker can tell."""
    if not 0 < private < P256_ORDER:
        return None
    key = construct(curve="P-256", d=private)
    return key if key.public_key() == public.public_key() else None
