"""Strings that a cell must not show: addresses with a password in them, and keys."""


class MaskedURL(str):
    """An address with a password in it. `repr`, which a cell shows, masks it; `str` has it."""

    def __repr__(self) -> str:
        scheme, _, rest = self.partition("://")
        user, _, host = rest.rpartition("@")
        return repr(f"{scheme}://{user.partition(':')[0]}:***@{host}")


class Secret(str):
    """A password, key or token. `repr`, which a cell shows, masks it; `str` has it."""

    def __repr__(self) -> str:
        return repr("***")
