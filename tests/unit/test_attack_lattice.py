"""LLL: the same lattice, and short rows."""

import math
import secrets
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from answerbook.notebook.attacks.lattice import reduced

Rows = list[list[int]]

squares = st.integers(2, 5).flatmap(
    lambda size: st.lists(
        st.lists(st.integers(-10_000, 10_000), min_size=size, max_size=size),
        min_size=size,
        max_size=size,
    )
)


def determinant(rows: Rows) -> Fraction:
    matrix = [[Fraction(value) for value in row] for row in rows]
    product = Fraction(1)
    for index in range(len(matrix)):
        pivot = next((i for i in range(index, len(matrix)) if matrix[i][index]), None)
        if pivot is None:
            return Fraction(0)
        if pivot != index:
            matrix[index], matrix[pivot] = matrix[pivot], matrix[index]
            product = -product
        product *= matrix[index][index]
        for row in matrix[index + 1 :]:
            factor = row[index] / matrix[index][index]
            row[:] = [a - factor * b for a, b in zip(row, matrix[index], strict=True)]
    return product


def coordinates(vector: list[int], basis: Rows) -> list[Fraction]:
    """By Cramer's rule: what `vector` is made of."""
    whole = determinant(basis)
    return [determinant([*basis[:i], vector, *basis[i + 1 :]]) / whole for i in range(len(basis))]


@given(squares)
def test_reduced_basis_is_of_the_same_lattice_and_its_first_row_is_short(rows: Rows) -> None:
    volume = abs(determinant(rows))
    assume(volume > 0)
    found = reduced(rows)
    assert volume == abs(determinant(found))
    for row in found:
        assert all(each.denominator == 1 for each in coordinates(row, rows))
    # Lenstra, Lenstra and Lovász 1982, proposition 1.9, raised to a power that keeps integers.
    size = len(rows)
    squared = sum(value * value for value in found[0])
    assert squared ** (2 * size) <= 2 ** (size * (size - 1)) * volume**4


def test_fraction_that_was_hidden_in_a_residue_is_found() -> None:
    modulus = (1 << 127) - 1  # a prime
    above, below = secrets.randbelow(1 << 55) + 1, secrets.randbelow(1 << 55) + 1
    common = math.gcd(above, below)
    residue = above * pow(below, -1, modulus) % modulus
    first, _ = reduced([[modulus, 0], [residue, 1]])
    assert (above // common, below // common) == (abs(first[0]), abs(first[1]))
