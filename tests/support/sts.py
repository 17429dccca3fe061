# SPDX-License-Identifier: Apache-2.0
"""A strict authorization server for exchanges (RFC 8693, RFC 7523), an issuer of users' tokens, and an upstream that judges what it is sent.
Keys are RSA, made by openssl's program; signing and verifying is RS256, in Python's own numbers."""

import base64
import collections
import hashlib
import json
import re
import subprocess
import threading
import time
import urllib.parse

from .origins import PythonServer

TOKEN_TYPE = "urn:ietf:params:oauth:token-type:"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")  # of its DigestInfo (RFC 8017 section 9.2)


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Key:
    """An RSA key by name."""

    def __init__(self, kid):
        self.kid = kid
        pem = subprocess.run(["openssl", "genrsa", "1024"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
        text = subprocess.run(["openssl", "rsa", "-noout", "-text"], input=pem, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=True).stdout.decode()
        self.modulus, self.secret = (int(re.search(name + r":\s+((?:[0-9a-f]{2}[:\s]*)+)", text)[1].replace(":", "").replace(" ", "")
                                         .replace("\n", ""), 16) for name in ("modulus", "privateExponent"))
        self.size = (self.modulus.bit_length() + 7) // 8

    def _padded(self, text):
        tail = _SHA256 + hashlib.sha256(text).digest()
        return int.from_bytes(b"\0\1" + b"\xff" * (self.size - len(tail) - 3) + b"\0" + tail, "big")

    def sign(self, text):
        return pow(self._padded(text), self.secret, self.modulus).to_bytes(self.size, "big")

    def is_signature(self, text, signature):
        return len(signature) == self.size and pow(int.from_bytes(signature, "big"), 65537, self.modulus) == self._padded(text)


class Issuer:
    """Signs JWTs with the newest of its keys, and knows those of its keys that still count."""

    def __init__(self, name):
        self.name = name
        self.keys = []
        self.count = 0
        self.lock = threading.Lock()
        self.rotate()

    def rotate(self, keep=0):
        """A new key; `keep` of the old ones still count."""
        with self.lock:
            self.keys = [Key(f"{self.name}-{time.monotonic_ns()}"), *self.keys[:keep]]

    def token(self, subject, lifetime=600, **claims):
        with self.lock:
            self.count += 1
            key, number = self.keys[0], self.count
        now = time.time()
        head = {"alg": "RS256", "typ": "JWT", "kid": key.kid}
        body = {"iss": self.name, "sub": subject, "iat": now, "exp": now + lifetime, "jti": f"{self.name}-s3cr3t-{number}", **claims}
        text = ".".join(base64url(json.dumps(part).encode()) for part in (head, body))
        return f"{text}.{base64url(key.sign(text.encode()))}"

    def claims(self, token, audience):
        """What a token of this issuer's says; ValueError, with the reason, if it is none that counts now and for that audience."""
        parts = token.split(".")
        if len(parts) != 3:
            raise ValueError("no JWT")
        try:
            head, body = (json.loads(from_base64url(part)) for part in parts[:2])
            signature = from_base64url(parts[2])
        except ValueError:
            raise ValueError("no JWT") from None
        with self.lock:
            key = next((one for one in self.keys if one.kid == head.get("kid")), None)
        if head.get("alg") != "RS256" or key is None or not key.is_signature(".".join(parts[:2]).encode(), signature):
            raise ValueError("no signature of a key that counts")
        if body["exp"] <= time.time():
            raise ValueError("it is over")
        if audience not in (body["aud"] if isinstance(body["aud"], list) else [body["aud"]]):
            raise ValueError("another audience")
        return body


class AuthorizationServer(PythonServer):
    """The token endpoint of the client gw. What it is sent has to be just right: `wrong` has what was not. `asked` counts, by the
    subject's jti, how often a token was asked for; an assertion counts once."""

    URL = "https://login.example.com/token"

    def __init__(self, lifetime=600, audiences=("orders", "stock")):
        self.users = Issuer("users")  # whose tokens are exchanged
        self.issuer = Issuer("sts")   # of what comes of it
        self.lifetime = lifetime
        self.audiences = audiences
        self.secret = "s3cr3t+of the/gateway"
        self.delay = 0
        self.fault = None  # (status, body) that every request is answered with
        self.asked = collections.Counter()
        self.bodies = []
        self.wrong = []
        self.used = set()
        self.jti_lock = threading.Lock()
        self.spent = []   # refresh tokens
        self.reused = 0   # how often one came again, or one that is none
        self.begin_anew()
        super().__init__(self.answer)

    def user_token(self, user, **claims):
        return self.users.token(user, **{"aud": "gw", **claims})

    def assertion(self, user, **claims):
        return self.users.token(user, **{"aud": self.URL, **claims})

    def answer(self, handler):
        if self.fault:
            return self.fault[0], {"content-type": "application/json"}, self.fault[1]
        time.sleep(self.delay)
        status, answer = self.judge(handler)
        return status, {"content-type": "application/json", "cache-control": "no-store"}, json.dumps(answer).encode()

    def judge(self, handler):
        form = urllib.parse.parse_qs(handler.body.decode(), keep_blank_values=True, strict_parsing=True)
        self.bodies.append(handler.body.decode())
        one = {name: values[0] for name, values in form.items()}
        if (handler.command, handler.path, handler.headers["content-type"]) != ("POST", "/token", "application/x-www-form-urlencoded") or \
                handler.headers["host"] != "login.example.com" or any(len(values) != 1 for values in form.values()):
            self.wrong.append((form, dict(handler.headers)))
        login = "Basic " + base64.b64encode(":".join(map(urllib.parse.quote_plus, ("gw", self.secret))).encode()).decode()
        if handler.headers["authorization"] != login:
            return 401, {"error": "invalid_client", "error_description": "no such secret"}
        known = {EXCHANGE: self.exchange, JWT_BEARER: self.grant, "refresh_token": self.refresh}.get(one.pop("grant_type", None))
        if known is None:
            return 400, {"error": "unsupported_grant_type"}
        return known(one)

    def issue(self, subject, audience, **more):
        token = self.issuer.token(subject, self.lifetime, aud=audience, act={"sub": "gw"})
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime, **more}

    def exchange(self, form):
        if set(form) - {"subject_token", "subject_token_type", "audience", "scope", "requested_token_type"} or \
                form.get("subject_token_type") != TOKEN_TYPE + "access_token":
            self.wrong.append(form)
            return 400, {"error": "invalid_request"}
        try:
            claims = self.users.claims(form["subject_token"], "gw")
        except ValueError as error:
            return 400, {"error": "invalid_request", "error_description": f"{form['subject_token']}: {error}"}
        self.asked[claims["jti"]] += 1
        if form.get("audience") not in self.audiences:
            return 400, {"error": "invalid_target"}
        return self.issue(claims["sub"], form["audience"], issued_token_type=TOKEN_TYPE + "access_token")

    def grant(self, form):
        if set(form) - {"assertion", "scope"}:
            self.wrong.append(form)
        try:
            claims = self.users.claims(form["assertion"], self.URL)
        except ValueError as error:
            return 400, {"error": "invalid_grant", "error_description": str(error)}
        with self.jti_lock:
            self.asked[claims["jti"]] += 1
            if claims["jti"] in self.used:
                return 400, {"error": "invalid_grant", "error_description": "Token reuse detected"}
            self.used.add(claims["jti"])
        return self.issue(claims["sub"], form.get("scope", "orders"))

    def begin_anew(self):
        """The first of new refresh tokens, as after a login; it counts alone."""
        self.refresh_token = f"s3cr3t refresh+{time.monotonic_ns()}/="
        return self.refresh_token

    def refresh(self, form):
        if set(form) - {"refresh_token", "scope"}:
            self.wrong.append(form)
        with self.jti_lock:
            if form["refresh_token"] != self.refresh_token:
                self.refresh_token = None
                self.reused += 1
                return 400, {"error": "invalid_grant", "error_description": f"{form['refresh_token']} was used before"}
            self.spent.append(self.refresh_token)
            return self.issue("robot", "orders", refresh_token=self.begin_anew())


class Judge(PythonServer):
    """An upstream: 200 with the subject's name for a token of the issuer's that is for `audience`, 401 for any other; `seen` has
    (path, subject, or why it was refused) of each request, `heads` its header fields."""

    def __init__(self, issuer, audience="orders"):
        self.issuer = issuer
        self.audience = audience
        self.seen = []
        self.heads = []
        super().__init__(self.answer)

    def answer(self, handler):
        self.heads.append(handler.headers)
        scheme, _, token = handler.headers.get("authorization", "").partition(" ")
        try:
            if scheme != "Bearer":
                raise ValueError("no bearer token")
            audience = handler.path.split("/")[1] or self.audience
            claims = self.issuer.claims(token, audience)
        except ValueError as error:
            self.seen.append((handler.path, str(error)))
            return 401, {}, str(error).encode()
        self.seen.append((handler.path, claims["sub"]))
        return 200, {}, claims["sub"].encode()
