"""Attacks that question 3's notebooks carry out live, and the broken designs that they break.

One module for each attack: what the attacker sees, what he computes, what he gets. What is broken
on purpose has `broken` or `textbook` in its name, and nothing outside the notebooks may import it.
Each attack is also a test, which fails when it stops recovering the secret.
"""
