"""A handshake as a wiretap sees it."""

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from answerbook.notebook.certificates import pem
from answerbook.notebook.flights import GROUPS, handshake
from tests.unit import tls


@pytest.fixture
def contexts(tmp_path: Path) -> tls.Contexts:
    return tls.Contexts(tmp_path)


def test_tls_1_3_takes_one_round_trip_and_hides_the_certificate(contexts: tls.Contexts) -> None:
    seen = handshake(contexts.client(), contexts.server(), "localhost")
    assert ("TLSv1.3", 1) == (seen.version, seen.round_trips)
    assert seen.group in GROUPS.values()
    assert contexts.holder.certificate.public_bytes(Encoding.DER) not in seen.clear
    assert b"localhost" in seen.clear


def test_tls_1_2_takes_two_and_shows_the_certificate(contexts: tls.Contexts) -> None:
    client = tls.versions(contexts.client(), ssl.TLSVersion.TLSv1_2)
    seen = handshake(client, contexts.server(), "localhost")
    assert ("TLSv1.2", 2) == (seen.version, seen.round_trips)
    assert seen.group in GROUPS.values()
    assert contexts.holder.certificate.public_bytes(Encoding.DER) in seen.clear


def test_in_tls_1_2_a_clients_certificate_is_readable_and_in_1_3_it_is_not(
    contexts: tls.Contexts,
) -> None:
    server = contexts.server()
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(cadata=pem(contexts.root))
    me = tls.server(contexts.root, "billing.test")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        client = tls.versions(contexts.client(me), version)
        seen = handshake(client, server, "localhost")
        readable = me.certificate.public_bytes(Encoding.DER) in seen.clear
        assert (version == ssl.TLSVersion.TLSv1_2) == readable


def test_group_that_the_client_did_not_guess_costs_a_round_trip(contexts: tls.Contexts) -> None:
    picky = contexts.server()
    picky.set_ecdh_curve("secp521r1")
    seen = handshake(contexts.client(), picky, "localhost")
    assert ("secp521r1", 2) == (seen.group, seen.round_trips)


def test_every_byte_is_in_a_record_that_is_clear_or_encrypted(contexts: tls.Contexts) -> None:
    seen = handshake(contexts.client(), contexts.server(), "localhost")
    assert len(seen.clear) + len(seen.encrypted) == sum(len(it.content) for it in seen.records)
    assert {"client", "server"} == {record.sender for record in seen.records}


def test_refusal_of_either_side_is_raised(contexts: tls.Contexts) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(contexts.client(), contexts.server(), "bank.test")
    asking = contexts.server()
    asking.verify_mode = ssl.CERT_REQUIRED
    with pytest.raises(ssl.SSLError, match="did not return a certificate"):
        handshake(contexts.client(), asking, "localhost")
