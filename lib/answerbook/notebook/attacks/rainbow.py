"""A rainbow table: a space of passwords is hashed once, and any unsalted MD5 of it is looked up.

Notebook 3.2 makes one and cracks a login table with it. The attacker sees MD5s in hexadecimal.

A *chain* goes from a password to its hash, from there by a *reduction* to another password, and so
on. Only where it starts and ends is kept. A hash is looked up by following it as if it stood in
each column in turn: where a known end is reached, the chain is made again from its start, and the
password stands before the hash. Each column has a reduction of its own, so that two chains that
meet in different columns part again: Oechslin, *Making a Faster Cryptanalytic Time-Memory
Trade-Off*, CRYPTO 2003.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import md5
from itertools import product
from string import ascii_lowercase


class RainbowTable:
    """All passwords of `length` letters of `alphabet`, as chains of `steps` hashes.

    `chains` are begun, one for each of the first passwords; of those that end in the same password
    one is kept. With `chains * steps` four times the passwords there are, three of four are found
    (a second table, with other reductions, would find three of four of the rest). `watched` is
    given the starts to go through: a progress bar.
    """

    def __init__(
        self,
        chains: int,
        steps: int,
        *,
        length: int = 4,
        alphabet: str = ascii_lowercase,
        watched: Callable[[range], Iterable[int]] = iter,
    ) -> None:
        self.steps = steps
        # A password is put together of two halves that are made already.
        self._left = _words(alphabet, length // 2)
        self._right = _words(alphabet, length - length // 2)
        self.passwords = len(self._left) * len(self._right)
        self.hashes = chains * steps
        """How many it took to make."""
        self._starts: dict[int, int] = {}
        """Where a chain ends → where it starts."""
        for start in watched(range(chains)):
            self._starts.setdefault(self._end(start, 0), start)

    def __len__(self) -> int:
        """Chains that are kept."""
        return len(self._starts)

    def crack(self, digest: str) -> str | None:
        """The password whose MD5 is `digest`, in hexadecimal, or None when it is on no chain."""
        wanted = bytes.fromhex(digest)
        for column in reversed(range(self.steps)):
            end = self._end(self._reduced(wanted, column), column + 1)
            if end in self._starts:
                found = self._on_chain(self._starts[end], wanted)
                if found is not None:
                    return found
        return None

    def at(self, chain: int, column: int) -> str:
        """The password in a column of the chain that begins with password number `chain`."""
        number = chain
        for step in range(column):
            number = self._reduced(md5(self._password(number)).digest(), step)
        return self._password(number).decode()

    def starts(self) -> list[int]:
        """Of the chains that are kept: the numbers of their first passwords."""
        return list(self._starts.values())

    def _end(self, number: int, column: int) -> int:
        """Where a chain ends that has password `number` in a column."""
        left, right, passwords = self._left, self._right, self.passwords
        split = len(right)
        for step in range(column, self.steps):
            digest = md5(left[number // split] + right[number % split]).digest()
            number = (int.from_bytes(digest[:8], "big") + step) % passwords
        return number

    def _on_chain(self, start: int, wanted: bytes) -> str | None:
        """None for a false alarm: a chain that ends where the hash leads, and does not have it."""
        number = start
        for step in range(self.steps):
            digest = md5(self._password(number)).digest()
            if digest == wanted:
                return self._password(number).decode()
            number = self._reduced(digest, step)
        return None

    def _reduced(self, digest: bytes, column: int) -> int:
        """A password's number for a hash. It undoes nothing: it only leads on."""
        return (int.from_bytes(digest[:8], "big") + column) % self.passwords

    def _password(self, number: int) -> bytes:
        return self._left[number // len(self._right)] + self._right[number % len(self._right)]


def _words(alphabet: str, length: int) -> list[bytes]:
    return ["".join(letters).encode() for letters in product(alphabet, repeat=length)]
