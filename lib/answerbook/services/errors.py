"""What can go wrong with a service. Every message is one paragraph that ends in what to do."""

from typing import Self

PORT_LOST = ("address already in use", "eaddrinuse", "port is already allocated")
"""As brokers, Erlang and Docker say it, in lower case."""


class ServiceError(Exception):
    """Base of every error of `answerbook.services`."""


class StateFolderError(ServiceError):
    """The state folder cannot be written, is full, or cannot be reached by the service's user."""


class MissingProgram(ServiceError):
    """A program that a service needs is not there and cannot be fetched."""


class FetchFailed(ServiceError):
    """A program could not be downloaded: no network, no room, a registry that refuses."""


class Tampered(FetchFailed):
    """A file's sha256 is not the pinned one. It was removed and will not be run."""


class StartFailed(ServiceError):
    """A service died or did not answer in time; the message carries its last log lines."""


class WrongPassword(ServiceError):
    """A service refuses our password: its data was made with another one."""

    @classmethod
    def of(cls, name: str, title: str, *, from_environment: bool) -> Self:
        """For the service `name`, whose makers call it `title`."""
        variable = f"ANSWERBOOK_{name.upper()}_PASSWORD"
        where = f"in {variable}" if from_environment else "in the state folder"
        begin = f"Unset {variable}, or begin" if from_environment else "Begin"
        return cls(
            f"{title} refuses the password {where}: its data was made with another one. {begin} "
            f"anew with `answerbook down --delete-data {name}`."
        )


class CommandFailed(ServiceError):
    """A program of a service's own (rabbitmqctl) did not do what it was told."""


class NotRunning(ServiceError):
    """An operation needs a running service."""
