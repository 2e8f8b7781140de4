"""The bare loop that benchmarks/crypto.py holds the commands against: `crypto_bare.py IN OUT`.

It reads, seals 64 KiB with AES-256-GCM, writes and fsyncs, and does nothing else: no header, no
derived key, no last chunk, no target that is replaced.
"""

import os
import sys
from io import FileIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

source, target = sys.argv[1:]
cipher = AESGCM(os.urandom(32))
index = 0
with FileIO(source) as reader, FileIO(target, "w") as writer:
    while chunk := reader.read(65_536):
        writer.write(cipher.encrypt(index.to_bytes(12), chunk, None))
        index += 1
    os.fsync(writer.fileno())
