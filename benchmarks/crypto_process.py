"""What one process took, for benchmarks/crypto.py: `crypto_process.py ANSWER PROGRAM WORD…`.

Prints seconds, seconds of CPU and peak memory in bytes. A process of its own, which imports next to
nothing: what Linux calls the peak of a program begins with the memory of whoever started it. The
program runs on a terminal of its own; where ANSWER is not empty, every prompt there gets it.
"""

import os
import pty
import sys
import time

answer, *program = sys.argv[1:]
start = time.perf_counter()
pid, terminal = pty.fork()
if not pid:
    os.execv(program[0], program)
shown = b""
while True:
    try:
        piece = os.read(terminal, 4_096)
    except OSError:  # how Linux says that the program has ended
        break
    if not piece:
        break
    shown += piece
    if answer and piece.endswith(b": "):
        os.write(terminal, answer.encode() + b"\n")
_, status, used = os.wait4(pid, 0)
seconds = time.perf_counter() - start
if status:
    sys.exit(shown.decode())
print(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)
