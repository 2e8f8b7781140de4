"""Makes the Python modules of the .proto files: `python -m …contract.generate`, for who edits one.

The result is committed, so that a reader needs no compiler; a test makes it again and compares. It
needs grpcio-tools, which `make test` installs.
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = Path(__file__).parents[4]
"""Where the package `answerbook` is, so that the modules import each other by their full names."""

UNCHECKED = """\
# ruff: noqa: D200, E501, ERA001, F401, I001, ISC003, N802, RUF100, UP009, UP045
# fmt: off
# mypy: ignore-errors
"""
"""Written by a program for a program: nobody mends its style."""


def generate(target: Path = ROOT) -> list[Path]:
    """Write the modules under `target`, as the package lies under its root; returns their paths.

    Raises RuntimeError when the compiler finds a mistake, which it prints.
    rates_next has messages only, and needs no stub.
    """
    kinds = {"rates": ("python", "pyi", "grpc_python"), "rates_next": ("python", "pyi")}
    for name, outputs in kinds.items():
        _compile(FOLDER / f"{name}.proto", [f"--{kind}_out={target}" for kind in outputs])
    written = sorted((target / FOLDER.relative_to(ROOT)).glob("*_pb2*.py*"))
    for path in written:
        path.write_text(UNCHECKED + path.read_text())
    return written


def _compile(source: Path, outputs: list[str]) -> None:
    from grpc_tools import protoc  # type: ignore[import-untyped]

    if status := protoc.main(["protoc", f"-I{ROOT}", *outputs, str(source)]):
        raise RuntimeError(f"protoc refused {source.name} with status {status}")


if __name__ == "__main__":
    for path in generate():
        sys.stdout.write(f"{path.name}\n")
