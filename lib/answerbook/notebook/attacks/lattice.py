"""Short vectors of a lattice by the algorithm of Lenstra, Lenstra and Lovász (LLL).

`ecdsa_nonce` calls this with a dozen rows at most. All is done in integers: algorithm 2.6.7 of
Cohen, A Course in Computational Algebraic Number Theory, with Lovász's factor 3/4.
"""

from collections.abc import Sequence


def reduced(basis: Sequence[Sequence[int]]) -> list[list[int]]:
    """Another basis of the same lattice, of short rows, the first of them the shortest or nearly.

    The first is at most 2^((m-1)/2) times as long as the shortest vector, m being the number of
    rows. The rows of `basis` have to be linearly independent.
    """
    reduction = _Reduction(basis)
    position = 1
    while position < len(reduction.rows):
        reduction.shorten(position, position - 1)
        if reduction.in_order(position):
            for other in range(position - 2, -1, -1):
                reduction.shorten(position, other)
            position += 1
        else:
            reduction.swap(position)
            position = max(1, position - 1)
    return reduction.rows


class _Reduction:
    """The rows and their Gram-Schmidt coefficients, times what makes integers of them.

    `below[k][j]` / `minors[j + 1]` is how much of row j's orthogonal part row k has; `minors[k]`
    is the determinant of the inner products of the first k rows.
    """

    def __init__(self, basis: Sequence[Sequence[int]]) -> None:
        self.rows = [list(row) for row in basis]
        self.minors = [1]
        self.below: list[list[int]] = []
        for k, row in enumerate(self.rows):
            self.below.append([])
            for j in range(k + 1):
                value = sum(a * b for a, b in zip(row, self.rows[j], strict=True))
                for i in range(j):
                    value = self.minors[i + 1] * value - self.below[k][i] * self.below[j][i]
                    value //= self.minors[i]
                self.below[k].append(value)
            self.minors.append(self.below[k].pop())

    def shorten(self, k: int, by: int) -> None:
        """Take as often row `by` from row k as makes it shortest."""
        factor = (2 * self.below[k][by] + self.minors[by + 1]) // (2 * self.minors[by + 1])
        if factor:
            pairs = zip(self.rows[k], self.rows[by], strict=True)
            self.rows[k] = [a - factor * b for a, b in pairs]
            self.below[k][by] -= factor * self.minors[by + 1]
            for i in range(by):
                self.below[k][i] -= factor * self.below[by][i]

    def in_order(self, k: int) -> bool:
        """Whether row k and the one before stand in the order of their lengths, or nearly."""
        product = self.minors[k + 1] * self.minors[k - 1] + self.below[k][k - 1] ** 2
        return 4 * product >= 3 * self.minors[k] ** 2

    def swap(self, k: int) -> None:
        """Swap row k with the one before."""
        rows, below, minors = self.rows, self.below, self.minors
        rows[k], rows[k - 1] = rows[k - 1], rows[k]
        shared = below[k][k - 1]
        below[k][: k - 1], below[k - 1][: k - 1] = below[k - 1][: k - 1], below[k][: k - 1]
        minor = (minors[k - 1] * minors[k + 1] + shared**2) // minors[k]
        for i in range(k + 1, len(rows)):
            before = below[i][k]
            below[i][k] = (minors[k + 1] * below[i][k - 1] - shared * before) // minors[k]
            below[i][k - 1] = (minor * before + shared * below[i][k]) // minors[k + 1]
        minors[k] = minor
