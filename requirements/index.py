"""Which package index, certificates and cache the reader chose for pip, told to uv as well.

environment.py starts both installers with what `installers_environment` gives.
"""

import ast
import re
import ssl
from collections.abc import Mapping
from pathlib import Path

UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_EXTRA_INDEX_URL",
    "cert": "SSL_CERT_FILE",
}
"""pip's name of a setting → uv's variable for it."""
ELSEWHERE = (
    *("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV"),
    *("UV_SYSTEM_PYTHON", "UV_REQUIRE_HASHES", "PYTHONHOME"),
)
"""Variables that would send packages elsewhere than into `.venv`, or stop them."""


def installers_environment(variables: Mapping[str, str], pip_config: str) -> dict[str, str]:
    """The environment for pip and uv: `variables`, and what uv has to know of pip's settings.

    `pip_config` is what `pip config list` prints: files and PIP_ variables. A variable that is
    set for uv itself wins.
    """
    environment = {name: value for name, value in variables.items() if name not in ELSEWHERE}
    environment.setdefault("PIP_RETRIES", "2")
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    if "UV_INDEX_URL" in environment:
        environment.setdefault("UV_DEFAULT_INDEX", environment["UV_INDEX_URL"])
    for name, value in pip_settings(pip_config).items():
        environment.setdefault(UV_NAMES[name], value)
    # uv brings its own list of authorities. A company adds its own to the system's.
    if not environment.keys() & {"SSL_CERT_FILE", "SSL_CERT_DIR"} and _system_has_certificates():
        environment.setdefault("UV_SYSTEM_CERTS", "1")
    return environment


def _system_has_certificates() -> bool:
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())))


def pip_settings(pip_config: str) -> dict[str, str]:
    """Of `pip config list`, the settings that uv has a name for; PIP_ variables before files."""
    pattern = rf"^(global|install|:env:)\.({'|'.join(UV_NAMES)})=(.*)$"
    found = re.findall(pattern, pip_config, re.MULTILINE)
    order = ("global", "install", ":env:")
    return {
        # Several values stand on lines of their own in pip's setting, and in one line in uv's.
        name: " ".join(ast.literal_eval(value).split())
        for _, name, value in sorted(found, key=lambda line: order.index(line[0]))
    }


def cache_folder(variables: Mapping[str, str]) -> Path:
    """Where uv keeps what it downloads."""
    if "UV_CACHE_DIR" in variables:
        return Path(variables["UV_CACHE_DIR"])
    home = variables.get("XDG_CACHE_HOME") or Path(variables.get("HOME", "/"), ".cache")
    return Path(home, "uv")
