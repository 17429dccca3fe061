# SPDX-License-Identifier: Apache-2.0
"""JSON Web Tokens by HS256, the filter jwt_authn as a dict, and what its tests ask of it."""

import hashlib
import hmac
import json
import os
import time

from . import config
from .keys import base64url
from .origins import Echo, echoed
from .processes import TestCase
from .wire import request

SECRET = b"a key of these tests, and of nothing else"
JWT_AUTHN = config.TYPE + "envoy.extensions.filters.http.jwt_authn.v3."


def key_set(*kids, secret=SECRET):
    """A key set's text."""
    return json.dumps({"keys": [{"kty": "oct", "k": base64url(secret), "alg": "HS256", **({"kid": kid} if kid else {})} for kid in kids or [None]]})


def signed(text, secret=SECRET):
    """A header and a payload, whatever they are, with their signature."""
    return text + "." + base64url(hmac.new(secret, text.encode(), hashlib.sha256).digest())


def token(claims=None, header=None, secret=SECRET, payload=None, **more):
    """Of issuer "i" unless it says otherwise; payload: its text, in the place of claims."""
    claims = {"iss": "i", **(claims or {}), **more}
    text = payload if payload is not None else json.dumps(claims)
    return signed(base64url(json.dumps({"alg": "HS256", **(header or {})}).encode()) + "." + base64url(text.encode()), secret)


def soon(seconds=100):
    return int(time.time()) + seconds


def bearer(text):
    return {"authorization": "Bearer " + text}


def provider(issuer="i", **fields):
    """With the key of token()."""
    if "remote_jwks" not in fields:
        fields = {"local_jwks": {"inline_string": key_set()}, **fields}
    return {"issuer": issuer, **fields}


def named(name):
    return {"provider_name": name}


def rule(begin, requires=None, **match):
    """Of paths that begin with `begin`, or of a match's own fields."""
    return {"match": match or {"prefix": begin}, **({"requires": requires} if requires is not None else {})}


def jwt_authn(providers=None, rules=None, name="jwt", **fields):
    """Without providers one, "p", that all requests need."""
    if providers is None:
        providers = {"p": provider()}
    if rules is None:
        rules = [rule("/", named(next(iter(providers))))]
    return {"name": name, "typed_config": {"@type": JWT_AUTHN + "JwtAuthentication", "providers": providers, "rules": rules, **fields}}


def per_route(**fields):
    """For typed_per_filter_config."""
    return {"jwt": {"@type": JWT_AUTHN + "PerRouteConfig", **fields}}


MISSING, FAILS, UNKNOWN = "Jwt is missing", "Jwt verification fails", "Jwt issuer is not configured"
BAD = token(secret=b"another")


class Jwt(TestCase):
    def serve(self, *filters, clusters=(), **fields):
        self.echo = self.start(Echo(self.directory))
        self.log = os.path.join(self.directory, "access.log")
        log = config.file_log(self.log, "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n")
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", self.echo.port), *clusters], list(filters), access_log=[log], **fields))

    def seen(self, path="/", headers=(), method="GET"):
        """The headers that the service gets."""
        return echoed(self.proxy.port, path, headers=dict(headers), method=method)["headers"]

    def ask(self, path="/", headers=(), method="GET"):
        return request(self.proxy.port, path, method, headers=dict(headers))

    def assert_passes(self, path="/", headers=(), method="GET"):
        response = self.ask(path, headers, method)
        self.assertEqual(response.status, 200, response)

    def assert_denied(self, why, path="/", headers=(), status=401):
        response = self.ask(path, headers)
        self.assertEqual((response.status, response.body.decode()), (status, why))
        challenge = f'Bearer realm="http://inlay.test{path}"' + ("" if why == MISSING else ', error="invalid_token"')
        self.assertEqual((response.all("www-authenticate"), response.get("content-type")), ([challenge], "text/plain"))

    def stats(self, prefix="http.ingress.jwt_authn."):
        return {name[len(prefix):]: value for name, value in self.proxy.stats().items() if name.startswith(prefix)}
