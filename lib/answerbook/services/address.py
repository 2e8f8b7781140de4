"""Addresses with a password in them, for the services that have one."""


class MaskedURL(str):
    """An address with a password in it. `repr`, which a cell shows, masks it; `str` has it."""

    def __repr__(self) -> str:
        scheme, _, rest = self.partition("://")
        user, _, host = rest.rpartition("@")
        return repr(f"{scheme}://{user.partition(':')[0]}:***@{host}")
