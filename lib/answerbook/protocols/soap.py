"""SOAP 1.1 for a server: a WSGI application that offers a WSDL and answers what is POSTed.

Used by `rates.soap_rates` and `choosing.soap_call`. The handler is ours because we found no
maintained library for SOAP servers: spyne 2.14, its last release, does not import on Python 3.12.
It stays thin: lxml validates a request against the schema in the WSDL, and zeep turns XML into
Python values and back.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import zeep
from lxml import etree  # type: ignore[import-untyped]

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"

log = logging.getLogger(__name__)

Operation = Callable[[Any], dict[str, Any]]


class Fault(Exception):
    """What the caller is told in place of a response: whose mistake it is, and which."""

    def __init__(self, code: str, message: str, **detail: dict[str, str]) -> None:
        """`code` is one of SOAP 1.1's: VersionMismatch, MustUnderstand, Client or Server.

        `detail` has at most one element of the contract, with its values.
        """
        super().__init__(message)
        self.code = code
        self.detail = detail


class Application:
    """WSGI: GET has the contract, POST an envelope."""

    def __init__(self, path: str, wsdl: Path, operations: Mapping[str, Operation]) -> None:
        """Offer `wsdl` at `path`, which its own `location` names as `http://127.0.0.1/path`.

        Each of its operations is a function of the request's element as zeep parsed it, and returns
        the values of the response's, whose name is the request's and `Response`.
        """
        self._path = path
        self._wsdl = wsdl.read_text()
        self._types = zeep.Client(str(wsdl)).wsdl.types  # type: ignore[no-untyped-call]
        schema = etree.parse(wsdl).find(".//{http://www.w3.org/2001/XMLSchema}schema")
        self._namespace = schema.get("targetNamespace")
        self._schema = etree.XMLSchema(schema)
        self._validating = Lock()
        self._operations = operations

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if environ["PATH_INFO"] != self._path:
            status, body = "404 Not Found", b""
        elif environ["REQUEST_METHOD"] == "POST":
            status, body = self._answer(environ["wsgi.input"].read())
        else:
            address = f'location="http://{environ["HTTP_HOST"]}{self._path}"'
            wsdl = self._wsdl.replace(f'location="http://127.0.0.1{self._path}"', address)
            status, body = "200 OK", wsdl.encode()
        headers = [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(body)))]
        start_response(status, headers)
        return [body]

    def _answer(self, sent: bytes) -> tuple[str, bytes]:
        """SOAP 1.1 over HTTP has one status for all faults, whoever is to blame: 500."""
        try:
            return "200 OK", self._envelope(self._response(_request(sent)))
        except Fault as fault:
            told = fault
        except Exception:  # an operation may raise anything, and its caller understands faults only
            log.exception("A SOAP operation failed.")
            told = Fault("Server", "the operation failed, and may have been done in part")
        return "500 Internal Server Error", self._envelope(self._told(told))

    def _response(self, request: Any) -> Any:
        name = etree.QName(request).localname
        if name not in self._operations:
            raise Fault("Client", f"no operation {name}")
        self._check(request)
        values = self._element(name).parse(request, self._types)
        return self._filled(f"{name}Response", self._operations[name](values))

    def _check(self, request: Any) -> None:
        """Raises Fault for what is not as the contract has it."""
        with self._validating:  # its log is that of the last request that anyone had validated
            if not self._schema.validate(request):
                raise Fault("Client", self._schema.error_log.last_error.message)

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
        return self._types.get_element(f"{{{self._namespace}}}{name}")

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
