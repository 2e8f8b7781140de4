"""Question 3: what is worth keeping outside a cell.

    files       a file of any size, encrypted in chunks that cannot be changed, swapped or cut off
    envelope    a data key for each file under a key that changes; shredding
    passwords   Argon2id: hash, verify, hash again when parameters rise, wrap an old table

`answerbook encrypt` and `answerbook decrypt` (`commands`) are the first of these as programs.
Primitives come from `cryptography` and argon2-cffi; none is written here.
"""
