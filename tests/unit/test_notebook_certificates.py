"""Drafts of certificates, the files that `ssl` reads, and lists of the revoked."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from answerbook.notebook.certificates import BITS, chain_file, pem, revocation_list, usage
from answerbook.notebook.flights import handshake
from tests.unit import tls


def test_usage_sets_the_bits_that_are_named_and_no_other() -> None:
    found = usage("key_cert_sign", "crl_sign")
    # The last two mean something beside key agreement only, and cannot be asked for without it.
    assert ["key_cert_sign", "crl_sign"] == [bit for bit in BITS[:-2] if getattr(found, bit)]


def test_usage_refuses_a_bit_that_is_none() -> None:
    with pytest.raises(ValueError, match="and not sign"):
        usage("sign")


def test_chain_of_drafts_is_accepted_by_two_verifiers(tmp_path: Path) -> None:
    contexts = tls.Contexts(tmp_path)
    middle = tls.authority("Issuing", contexts.root)
    holder = tls.server(middle)

    store = Store([contexts.root.certificate])
    verifier = PolicyBuilder().store(store).build_server_verifier(x509.DNSName("localhost"))
    chain = verifier.verify(holder.certificate, [middle.certificate])
    assert [holder.certificate, middle.certificate, contexts.root.certificate] == chain
    assert handshake(contexts.client(), contexts.server(holder, middle), "localhost").version


def test_draft_without_an_issuer_names_itself_and_is_trusted_by_nobody(tmp_path: Path) -> None:
    contexts, alone = tls.Contexts(tmp_path), tls.authority("Alone")
    assert alone.certificate.issuer == alone.certificate.subject
    assert "Alone" == alone.name
    store = Store([contexts.root.certificate])
    verifier = PolicyBuilder().store(store).build_server_verifier(x509.DNSName("Alone"))
    with pytest.raises(VerificationError):
        verifier.verify(tls.server(alone, "Alone").certificate, [])


def test_file_with_a_private_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    contexts = tls.Contexts(tmp_path)
    path = chain_file(tmp_path, contexts.holder, contexts.root)
    assert 0o600 == path.stat().st_mode & 0o777
    assert path.read_text().endswith(pem(contexts.holder, contexts.root))


def test_revoked_certificate_is_refused_by_who_has_the_list_and_looks(tmp_path: Path) -> None:
    contexts = tls.Contexts(tmp_path)
    path, other = tmp_path / "crl.pem", tls.server(contexts.root)
    path.write_text(revocation_list(contexts.root, contexts.holder))
    looking = contexts.client()
    looking.load_verify_locations(path)
    looking.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF

    assert handshake(looking, contexts.server(other), "localhost").version
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate revoked"):
        handshake(looking, contexts.server(), "localhost")
