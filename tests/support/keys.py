# SPDX-License-Identifier: Apache-2.0
"""Keys and JWTs, by openssl's program."""

import base64
import json
import re
import subprocess
import tempfile


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def openssl(*arguments, stdin=b""):
    return subprocess.run(["openssl", *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def key_pair(alg):
    """(private key in PEM, PKCS #8; its public half as a JWK)."""
    if alg == "ES256":
        pem = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        point = openssl("pkey", "-pubout", "-outform", "DER", stdin=pem)[-64:]  # after its 0x04
        jwk = {"kty": "EC", "crv": "P-256", "x": base64url(point[:32]), "y": base64url(point[32:])}
    else:
        pem = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        modulus = re.search(rb"Modulus=([0-9A-F]+)", openssl("rsa", "-modulus", "-noout", stdin=pem))[1]
        jwk = {"kty": "RSA", "n": base64url(bytes.fromhex(modulus.decode())), "e": "AQAB"}
    return pem.decode(), {**jwk, "kid": "k1", "use": "sig", "alg": alg}


def jwt(pem, claims):
    """Signed with RS256 by a key of key_pair()."""
    text = ".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT", "kid": "k1"}, claims))
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(pem)
        file.flush()
        return f"{text}.{base64url(openssl('dgst', '-sha256', '-sign', file.name, stdin=text.encode()))}"
