"""Who is sent to, FCM or the emulator, and the bytes of a request to it.

Used by sender.py and topics.py. With a service account's key the target is FCM; with none, the
emulator, which takes anyone for `owner`.
"""

from urllib.parse import quote

import msgspec

from answerbook.config import NotifySettings
from answerbook.notify.deliver.fcm.address import Address
from answerbook.notify.deliver.fcm.credentials import Owner, ServiceAccount


class Target:
    """An address, a project and a token. Raises ValueError for a key that cannot be read."""

    def __init__(self, settings: NotifySettings) -> None:
        key = settings.fcm_credentials
        self.credentials = ServiceAccount(key) if key else Owner()
        self.url = settings.fcm_url if key else settings.emulator_url
        self.address = Address(self.url)
        self._project = quote(settings.fcm_project, safe="")
        self._token = ""
        self._before = b""

    def send(self, message: bytes | msgspec.Raw) -> bytes:
        """The request that sends a message; `message` is FCM's object as JSON."""
        if self._token != self.credentials.token:
            self._token = self.credentials.token
            self._before = self._head("POST", f"projects/{self._project}/messages:send")
        size = len(memoryview(message)) + 12
        return b'%b%d\r\n\r\n{"message":%b}' % (self._before, size, message)

    def subscribe(self, token: str, topic: str) -> bytes:
        """As firebase-admin 7.7 does it: one request a token."""
        path = f"{self._registration(token)}?topic_name={quote(topic, safe='')}"
        return self._head("POST", path) + b"2\r\n\r\n{}"

    def unsubscribe(self, token: str, topic: str) -> bytes:
        path = f"{self._registration(token)}/{quote(topic, safe='')}?allow_missing=true"
        return self._head("DELETE", path) + b"0\r\n\r\n"

    def _registration(self, token: str) -> str:
        device = quote(token, safe="")
        return f"projects/{self._project}/registrations/{device}/topicSubscriptions"

    def _head(self, method: str, path: str) -> bytes:
        return (
            f"{method} {self.address.path}/v1/{path} HTTP/1.1\r\n"
            f"Host: {self.address.authority}\r\n"
            f"Authorization: Bearer {self.credentials.token}\r\n"
            "User-Agent: answerbook\r\n"
            "Content-Type: application/json; charset=UTF-8\r\n"
            "Content-Length: "
        ).encode("latin-1")
