"""What can go wrong with a service. Every message is one paragraph that ends in what to do."""


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
    """A service refuses the password in the environment: its data was made with another one."""


class CommandFailed(ServiceError):
    """A program of a service's own (rabbitmqctl) did not do what it was told."""


class NotRunning(ServiceError):
    """An operation needs a running service."""
