"""The currency desk as a SOAP 1.1 service: its contract at `/rates?wsdl`, calls POSTed to `/rates`.

Used by the notebook on RPC. The handler is ours because we found no maintained library for SOAP
servers: spyne 2.14, its last release, does not import on Python 3.12. It stays thin: lxml validates
a request against the schema in the WSDL, and zeep turns XML into Python values and back.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import Any

import zeep
from cheroot.wsgi import Server
from lxml import etree  # type: ignore[import-untyped]

from answerbook.protocols import peer
from answerbook.protocols.rates import exchange

NAMESPACE = "urn:answerbook:rates"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
WSDL: dict[exchange.Contract, Path] = {
    "old": Path(__file__).parent / "contract" / "rates.wsdl",
    "new": Path(__file__).parent / "contract" / "rates_next.wsdl",
}
"""The contract of each release."""

THREADS = 20
"""Requests answered at the same moment."""


def serve(port: int = 0, *, contract: exchange.Contract = "old", pause: float = 0.0) -> peer.Peer:
    """Serve on loopback, by default on a free port; add `/rates?wsdl` to its `url`.

    `pause` is what each rate takes to be found, in seconds. Raises peer.PeerFailed when `port` is
    taken.
    """
    return peer.start(__name__, str(port), contract, str(pause))


class Fault(Exception):
    """What the caller is told in place of a response: whose mistake it is, and which."""

    def __init__(self, code: str, message: str, **detail: dict[str, str]) -> None:
        """`code` is one of SOAP 1.1's: VersionMismatch, MustUnderstand, Client or Server.

        `detail` has at most one element of the contract, with its values.
        """
        super().__init__(message)
        self.code = code
        self.detail = detail


class Desk:
    """The operations: each takes a request as zeep parsed it, and returns a response's values."""

    def __init__(self, pause: float) -> None:
        self._pause = pause

    def quote(self, request: Any) -> dict[str, Any]:
        with _faults():
            time.sleep(self._pause)
            return asdict(exchange.quote(request.base, request.counter))

    def convert(self, request: Any) -> dict[str, Any]:
        with _faults():
            time.sleep(self._pause)
            done = exchange.convert(str(request.amount), request.base, request.counter)
            return {"amount": done.amount, "currency": done.currency}

    def rates(self, request: Any) -> dict[str, Any]:
        with _faults():
            found = []
            for quote in exchange.quotes(request.base):
                time.sleep(self._pause)
                found.append(asdict(quote))
            return {"rate": found}


class NextDesk(Desk):
    """A release later: Convert takes a rounding, and names the rate."""

    def convert(self, request: Any) -> dict[str, Any]:
        rounding = request.rounding or exchange.DEFAULT_ROUNDING
        with _faults():
            time.sleep(self._pause)
            amount = str(request.amount)
            return asdict(exchange.convert(amount, request.base, request.counter, rounding))


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except exchange.UnknownCurrency as refused:
        detail = {"currency": refused.currency}
        raise Fault("Client", str(refused), UnknownCurrency=detail) from None
    except exchange.Refused as refused:
        raise Fault("Client", str(refused)) from None


class Application:
    """WSGI: GET has the contract, POST an envelope."""

    def __init__(self, desk: Desk, contract: exchange.Contract) -> None:
        self._wsdl = WSDL[contract].read_text()
        self._types = zeep.Client(str(WSDL[contract])).wsdl.types  # type: ignore[no-untyped-call]
        schema = etree.parse(WSDL[contract]).find(".//{http://www.w3.org/2001/XMLSchema}schema")
        self._schema = etree.XMLSchema(schema)
        self._operations = {"Quote": desk.quote, "Convert": desk.convert, "Rates": desk.rates}

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/rates":
            status, body = "404 Not Found", b""
        elif environ["REQUEST_METHOD"] == "POST":
            status, body = self._answer(environ["wsgi.input"].read())
        else:
            address = f'location="http://{environ["HTTP_HOST"]}/rates"'
            wsdl = self._wsdl.replace('location="http://127.0.0.1/rates"', address)
            status, body = "200 OK", wsdl.encode()
        headers = [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(body)))]
        start_response(status, headers)
        return [body]

    def _answer(self, sent: bytes) -> tuple[str, bytes]:
        """SOAP 1.1 over HTTP has one status for all faults, whoever is to blame: 500."""
        try:
            request = _request(sent)
            name = etree.QName(request).localname
            if name not in self._operations or not self._schema.validate(request):
                problem = self._schema.error_log.last_error
                raise Fault("Client", problem.message if problem else f"no operation {name}")
            values = self._element(name).parse(request, self._types)
            response = self._operations[name](values)
            return "200 OK", self._envelope(self._filled(f"{name}Response", response))
        except Fault as fault:
            return "500 Internal Server Error", self._envelope(self._told(fault))

    def _told(self, fault: Fault) -> Any:
        told = etree.Element(f"{{{ENVELOPE}}}Fault")
        code, text = etree.SubElement(told, "faultcode"), etree.SubElement(told, "faultstring")
        code.text, text.text = f"soap:{fault.code}", str(fault)
        if fault.detail:
            detail = etree.SubElement(told, "detail")
            detail.extend(self._filled(name, values) for name, values in fault.detail.items())
        return told

    def _filled(self, name: str, values: dict[str, Any]) -> Any:
        """The contract's element of that name."""
        element, holder = self._element(name), etree.Element("holder")
        element.render(holder, element(**values))
        return holder[0]

    def _element(self, name: str) -> Any:
        return self._types.get_element(f"{{{NAMESPACE}}}{name}")

    def _envelope(self, content: Any) -> bytes:
        envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"soap": ENVELOPE})
        etree.SubElement(envelope, f"{{{ENVELOPE}}}Body").append(content)
        etree.cleanup_namespaces(envelope, keep_ns_prefixes=["soap"])
        return bytes(etree.tostring(envelope, xml_declaration=True, encoding="utf-8"))


def _request(sent: bytes) -> Any:
    """The element in the envelope's body. Raises Fault for what is no SOAP 1.1 envelope.

    A document type is refused, as SOAP demands; nothing is fetched or expanded before that.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        envelope = etree.fromstring(sent, parser)
    except etree.XMLSyntaxError as error:
        raise Fault("Client", f"this is not XML: {error}") from None
    if envelope.getroottree().docinfo.doctype:
        raise Fault("Client", "an envelope has no document type")
    if etree.QName(envelope).localname == "Envelope" and envelope.tag != f"{{{ENVELOPE}}}Envelope":
        raise Fault("VersionMismatch", "this is a service of SOAP 1.1")
    if envelope.find(f"{{{ENVELOPE}}}Header/*[@{{{ENVELOPE}}}mustUnderstand='1']") is not None:
        raise Fault("MustUnderstand", "no header is understood here")
    request = envelope.find(f"{{{ENVELOPE}}}Body/*")
    if request is None:
        raise Fault("Client", "no SOAP envelope with a request in its body")
    return request


def _run(port: int, contract: exchange.Contract, pause: float) -> None:
    desk = Desk(pause) if contract == "old" else NextDesk(pause)
    server = Server(("127.0.0.1", port), Application(desk, contract), numthreads=THREADS)
    try:
        server.prepare()
    except OSError as error:
        peer.refuse(port, error)
    Thread(target=server.serve, daemon=True).start()
    peer.serve_until_told(f"http://127.0.0.1:{server.bind_addr[1]}")


if __name__ == "__main__":
    release: Any = sys.argv[2]
    _run(int(sys.argv[1]), release, float(sys.argv[3]))
