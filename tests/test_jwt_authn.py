# SPDX-License-Identifier: Apache-2.0
"""The filter jwt_authn: whom it lets through, and what it answers to others, in Inlay and in Envoy."""

import base64
import json
import os
import subprocess
import unittest

from support import config
from support.both import in_envoy_too, inlay_only
from support.certificates import openssl
from support.http2_client import Http2Client
from support.jwts import BAD, FAILS, MISSING, UNKNOWN, Jwt, bearer, jwt_authn, key_set, named, per_route, provider, rule, signed, soon, token
from support.keys import base64url
from support.origins import Echo, echoed
from support.processes import ROOT
from support.wire import request


@in_envoy_too
class Tokens(Jwt):
    def test_what_is_good_passes_and_what_is_not_is_answered(self):
        self.serve(jwt_authn())
        good = token(exp=soon())
        self.assert_passes(headers=bearer(good))
        self.assert_denied(MISSING)
        self.assert_denied(MISSING, "/a?b=c")
        self.assert_denied(FAILS, headers=bearer(BAD))
        self.assert_denied(UNKNOWN, headers=bearer(token(iss="j")))
        self.assert_denied("Jwt is expired", headers=bearer(token(exp=soon(-100))))
        self.assert_denied("Jwt not yet valid", headers=bearer(token(nbf=soon())))
        self.assertEqual(self.stats(), {"allowed": 1, "denied": 6, "cors_preflight_bypassed": 0, "jwks_fetch_success": 0, "jwks_fetch_failed": 0,
                                        "jwt_cache_hit": 0, "jwt_cache_miss": 5})

    def test_a_public_key_is_no_secret(self):
        """Whoever knows it, as everybody may, signs nothing with it by HS256."""
        key, public = os.path.join(self.directory, "key.pem"), os.path.join(self.directory, "public.pem")
        openssl("genrsa", "-out", key, "2048")
        openssl("rsa", "-in", key, "-pubout", "-out", public)
        said = subprocess.run(["openssl", "rsa", "-in", key, "-modulus", "-noout"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
        modulus = bytes.fromhex(said.decode().strip().partition("=")[2])
        keys = json.dumps({"keys": [{"kty": "RSA", "n": base64url(modulus), "e": "AQAB"}]})
        self.serve(jwt_authn({"p": provider(local_jwks={"inline_string": keys})}))
        with open(public, "rb") as file:
            pem = file.read()
        for secret in (pem, pem.strip(), modulus, b""):
            self.assert_denied(FAILS, headers=bearer(token(secret=secret)))

    def test_of_two_in_one_header_none_is_taken(self):
        self.serve(jwt_authn())
        response = request(self.proxy.port, headers=[("authorization", "Bearer " + BAD), ("authorization", "Bearer " + token())])
        self.assertEqual((response.status, response.body.decode()),
                         (401, "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections"))

    def test_what_is_no_token(self):
        self.serve(jwt_authn())
        header = token().split(".")[0]
        rows = {"a.b": "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
                "a!.b.c": "Jwt header is an invalid Base64url encoded",
                "AAAA.b.c": "Jwt header is an invalid JSON",
                token(header={"alg": 1}): "Jwt header [alg] field is required and must be a string",
                token(header={"alg": "none"}): "Jwt header [alg] is not supported",
                token(header={"kid": 1}): "Jwt header [kid] field is not a string",
                header + ".!.c": "Jwt payload is an invalid Base64url encoded",
                token(payload="[]"): "Jwt payload is an invalid JSON",
                token(payload='{"iss": "i", "iss": "i"}'): "Jwt payload is an invalid JSON",
                token(iss=1): "Jwt payload [iss] field is not a string",
                token(sub=1): "Jwt payload [sub] field is not a string",
                token(iat="x"): "Jwt payload [iat] field is not an integer",
                token(nbf=-1): "Jwt payload [nbf] field is not a positive 64 bit integer",
                token(exp="x"): "Jwt payload [exp] field is not an integer",
                token(jti=1): "Jwt payload [jti] field is not a string",
                token(aud=[1]): "Jwt payload [aud] field is not a string or string list",
                ".".join(token().split(".")[:2]) + ".a": "Jwt signature is an invalid Base64url encoded"}
        for text, why in rows.items():
            self.assert_denied(why, headers=bearer(text))

    def test_its_form_is_strict(self):
        """What RFC 7515 does not have is no token, where Envoy is lenient."""
        self.serve(jwt_authn())
        self.assert_passes(headers=bearer(token() + "="))
        parts = token().split(".")
        either = self.either(inlay=401, envoy=200, why="Envoy takes empty sections, and skips white space in base64")
        for text in ("..".join(parts), signed(f"{parts[0]} .{parts[1]}")):
            self.assertEqual(self.ask(headers=bearer(text)).status, either, text)

    def test_each_algorithm(self):
        with open(os.path.join(ROOT, "jwt/testdata/signed.txt")) as file:
            rows = [line.split(" ", 1) for line in file.read().splitlines() if not line.startswith("#")]
        rows = [(alg, *rest.replace("N_C", "N C").replace("D_C", "D C").rsplit(" ", 1)) for alg, rest in rows]
        self.assertEqual(len(rows), 14)
        providers = {f"p{at}": provider(local_jwks={"inline_string": keys}) for at, (_, keys, _) in enumerate(rows)}
        self.serve(jwt_authn(providers, [rule(f"/{at}/", named(f"p{at}")) for at in range(len(rows))]))
        for at, (alg, _, text) in enumerate(rows):
            with self.subTest(alg=alg):
                self.assert_passes(f"/{at}/", bearer(text))
                cut = text.rsplit(".", 1)[0] + "." + text.rsplit(".", 1)[1][::-1]
                self.assertEqual(self.ask(f"/{at}/", bearer(cut)).status, 401)

    def test_the_kid_chooses_the_key(self):
        self.serve(jwt_authn({"p": provider(local_jwks={"inline_string": key_set("a", "b")})}))
        self.assert_passes(headers=bearer(token(header={"kid": "b"})))
        self.assert_passes(headers=bearer(token()))
        self.assert_denied("Jwks doesn't have key to match kid or alg from Jwt", headers=bearer(token(header={"kid": "c"})))

    def test_audiences(self):
        either = {"provider_and_audiences": {"provider_name": "p", "audiences": ["other"]}}
        self.serve(jwt_authn({"p": provider(audiences=["https://one.test/", "two"])}, [rule("/other", either), rule("/", named("p"))]))
        denied = "Audiences in Jwt are not allowed"
        for audience in ("one.test", "http://one.test", ["x", "two"]):
            self.assert_passes(headers=bearer(token(aud=audience)))
        for audience in ("three", [], "TWO"):
            self.assert_denied(denied, headers=bearer(token(aud=audience)), status=403)
        self.assert_denied(denied, headers=bearer(token()), status=403)
        self.assert_passes("/other", bearer(token(aud="other")))
        self.assert_denied(denied, "/other", bearer(token(aud="two")), status=403)

    def test_subjects_and_lifetimes(self):
        self.serve(jwt_authn({"s": provider(subjects={"prefix": "spiffe://a/"}), "e": provider(require_expiration=True), "m": provider(max_lifetime="600s"),
                              "k": provider(clock_skew_seconds=1000)}, [rule("/" + name, named(name)) for name in "semk"]))
        self.assert_passes("/s", bearer(token(sub="spiffe://a/b")))
        self.assert_denied(FAILS, "/s", bearer(token(sub="spiffe://b/b")))
        self.assert_denied(FAILS, "/s", bearer(token()))
        self.assert_passes("/e", bearer(token(exp=soon())))
        self.assert_denied(FAILS, "/e", bearer(token()))
        self.assert_passes("/m", bearer(token(exp=soon(500))))
        self.assert_denied(FAILS, "/m", bearer(token(exp=soon(700))))
        self.assert_denied(FAILS, "/m", bearer(token()))
        self.assert_passes("/k", bearer(token(exp=soon(-900))))
        self.assert_denied("Jwt is expired", "/k", bearer(token(exp=soon(-1100))))

    def test_any_issuer(self):
        self.serve(jwt_authn({"p": {"local_jwks": {"inline_string": key_set()}}}))
        self.assert_passes(headers=bearer(token(iss="whoever")))

    def test_no_keys(self):
        self.serve(jwt_authn({"p": provider(local_jwks={"inline_string": ""})}))
        self.assert_denied("Jwks doesn't have any valid public key", headers=bearer(token()))


@in_envoy_too
class Places(Jwt):
    def setUp(self):
        super().setUp()
        self.serve(jwt_authn({"h": provider(from_headers=[{"name": "X-Token", "value_prefix": "JWT="}, {"name": "x-plain"}]),
                              "q": provider(from_params=["t"]), "c": provider(from_cookies=["c"]), "f": provider(forward=True), "d": provider()},
                             [rule("/" + name, named(name)) for name in "hqcfd"]))

    def test_headers(self):
        for value in ("JWT=" + token(), "who JWT=  " + token()):
            self.assertNotIn("x-token", self.seen("/h", {"x-token": value}))
        self.assertNotIn("x-plain", self.seen("/h", {"x-plain": token()}))
        self.assert_denied(MISSING, "/h", {"x-token": token()})
        self.assert_denied(MISSING, "/h", bearer(token()))

    def test_all_tokens_have_to_be_good(self):
        self.assert_passes("/h", {"x-token": "JWT=" + token(), "x-plain": token()})
        for other in ("x-token", "x-plain"):
            headers = {"x-token": "JWT=" + token(), "x-plain": token()}
            headers[other] = "JWT=" + BAD
            self.assertEqual(self.ask("/h", headers).status, 401)

    def test_parameters(self):
        answer = self.proxy.port, "/q?t=" + token()
        self.assertEqual(echoed(*answer)["path"], "/q")
        self.assertEqual(echoed(self.proxy.port, f"/q?t={token()}&u=1")["path"], "/q?u=1")
        self.assertEqual(echoed(self.proxy.port, f"/q?t={token().replace('.', '%2E')}")["path"], "/q")
        self.assert_denied(MISSING, "/q?u=1")
        self.assert_denied(MISSING, "/q")

    def test_other_parameters_stay_as_they_came(self):
        expected = self.either(inlay="/q?z=1&a=%2B&b", envoy="/q?a=+&b=&z=1", why="Envoy decodes and sorts them, which makes others of them")
        self.assertEqual(echoed(self.proxy.port, f"/q?z=1&t={token()}&a=%2B&b")["path"], expected)

    def test_cookies(self):
        for text in (f"a=b; c={token()}; d=e", f'c="{token()}"', f"c={token()}"):
            self.assertEqual(self.seen("/c", {"cookie": text})["cookie"], text)
        self.assert_denied(MISSING, "/c", {"cookie": "a=b"})

    def test_default_places(self):
        self.assertNotIn("authorization", self.seen("/d", bearer(token())))
        self.assertEqual(echoed(self.proxy.port, "/d?access_token=" + token())["path"], "/d")
        self.assert_denied(MISSING, "/d", {"authorization": "Basic abc"})

    def test_forward(self):
        good = bearer(token())
        self.assertEqual(self.seen("/f", good)["authorization"], good["authorization"])
        path = "/f?access_token=" + token()
        self.assertEqual(echoed(self.proxy.port, path)["path"], path)


@in_envoy_too
class Requirements(Jwt):
    def setUp(self):
        super().setUp()
        providers = {"a": provider("a"), "b": provider("b", from_headers=[{"name": "x-b"}])}
        both = [named("a"), named("b")]
        self.serve(jwt_authn(providers, [
            rule("/any", {"requires_any": {"requirements": both}}), rule("/all", {"requires_all": {"requirements": both}}),
            rule("/optional", {"requires_any": {"requirements": [named("a"), {"allow_missing": {}}]}}),
            rule("/try", {"requires_any": {"requirements": [named("a"), {"allow_missing_or_failed": {}}]}}),
            rule("/missing", {"allow_missing": {}}), rule("/failed", {"allow_missing_or_failed": {}}),
            rule("/nested", {"requires_all": {"requirements": [named("b"), {"requires_any": {"requirements": [named("a"), {"allow_missing": {}}]}}]}}),
            rule("/none", {}), rule("/open")]))
        self.a, self.b = bearer(token(iss="a")), {"x-b": token(iss="b")}
        self.bad = bearer(token(iss="a", secret=b"x"))

    def test_any(self):
        for headers in (self.a, self.b, {**self.a, **self.b}, {**self.bad, **self.b}):
            self.assert_passes("/any", headers)
        self.assert_denied(MISSING, "/any")
        self.assert_denied(FAILS, "/any", self.bad)
        self.assert_denied(UNKNOWN, "/any", bearer(token(iss="c")))
        self.assert_denied("Jwt is expired", "/any", {**bearer(token(iss="a", exp=1)), "x-b": token(iss="c")})

    def test_all(self):
        self.assert_passes("/all", {**self.a, **self.b})
        for headers in ({}, self.a, self.b):
            self.assert_denied(MISSING, "/all", headers)
        self.assert_denied(FAILS, "/all", {**self.bad, **self.b})

    def test_optional(self):
        self.assert_passes("/optional")
        self.assert_passes("/optional", self.a)
        self.assert_denied(FAILS, "/optional", self.bad)
        self.assert_denied(UNKNOWN, "/optional", bearer(token(iss="c")))
        for headers in ({}, self.a, self.bad, bearer("x"), bearer(token(iss="c"))):
            self.assert_passes("/try", headers)

    def test_missing_and_failed(self):
        for headers in ({}, self.a, self.b):
            self.assert_passes("/missing", headers)
        self.assert_denied(FAILS, "/missing", self.bad)
        self.assert_denied(UNKNOWN, "/missing", bearer(token(iss="c")))
        self.assert_denied(UNKNOWN, "/missing", {"x-b": token(iss="a")})
        for headers in ({}, self.a, self.bad, bearer("x"), {**self.a, "x-b": "x"}):
            self.assert_passes("/failed", headers)
        self.assertNotIn("authorization", self.seen("/failed", self.a))
        self.assertEqual(self.seen("/failed", self.bad)["authorization"], self.bad["authorization"])

    def test_nested(self):
        self.assert_passes("/nested", self.b)
        self.assert_passes("/nested", {**self.a, **self.b})
        self.assert_denied(FAILS, "/nested", {**self.bad, **self.b})
        self.assert_denied(MISSING, "/nested", self.a)

    def test_none(self):
        for path in ("/none", "/open", "/elsewhere"):
            self.assert_passes(path)


@in_envoy_too
class Rules(Jwt):
    def test_the_first_that_matches_counts(self):
        needs = named("p")
        self.serve(jwt_authn(rules=[
            rule("", needs, path="/exact"), rule("", needs, path="/Lower", case_sensitive=False), rule("", needs, safe_regex={"regex": "/re[0-9]"}),
            rule("", needs, path_separated_prefix="/part"), rule("", needs, prefix="/head", headers=[{"name": "x-a", "string_match": {"exact": "b"}}]),
            rule("", needs, prefix="/query", query_parameters=[{"name": "q", "string_match": {"exact": "1"}}]), rule("", needs, prefix="/with?q"),
            rule("", needs, prefix="/grpc", grpc={}), rule("/open"), rule("/o", needs)]))
        for path in ("/exact", "/exact?a", "/lower", "/re1", "/re1?a", "/part", "/part/a", "/query?a=b&q=1", "/o", "/grpc"):
            self.assert_denied(MISSING, path)
        self.assert_denied(MISSING, "/head", {"x-a": "b"})
        for path in ("/exact/", "/re12", "/parts", "/head", "/query?q=2", "/with?q=1", "/open"):
            self.assert_passes(path)

    def test_of_routes(self):
        def to(prefix, **fields):
            return {**config.route(match={"prefix": prefix}), **fields}

        requirements = {"needs": named("p"), "free": {}, "b": named("p")}
        self.serve(jwt_authn(rules=[rule("/ruled", named("p"))], requirement_map=requirements), virtual_hosts=[
            {"name": "a", "domains": ["a.test"], "typed_per_filter_config": per_route(requirement_name="needs"), "routes": [
                to("/off", typed_per_filter_config=per_route(disabled=True)), to("/free", typed_per_filter_config=per_route(requirement_name="free")),
                to("/wrong", typed_per_filter_config=per_route(requirement_name="none such")),
                to("/without", typed_per_filter_config={"jwt": {"@type": config.TYPE + "envoy.config.route.v3.FilterConfig", "disabled": True}}), to("/")]},
            {"name": "b", "domains": ["*"], "routes": [to("/")]}])

        def status(path, headers=(), host="a.test"):
            return request(self.proxy.port, path, headers=dict(headers), host=host).status

        for path in ("/off", "/free", "/without"):
            self.assertEqual(status(path), 200, path)
        self.assertEqual((status("/"), status("/", bearer(token()))), (401, 200))
        self.assertEqual((status("/", host="b.test"), status("/ruled", host="b.test")), (200, 401))
        wrong = request(self.proxy.port, "/wrong", headers=bearer(token()), host="a.test")
        self.assertEqual((wrong.status, wrong.body.decode(), wrong.get("www-authenticate")),
                         (403, "Failed JWT authentication: Wrong requirement_name: none such. It should be one of [b,free,needs]", None))

    def test_named_in_a_rule(self):
        self.serve(jwt_authn(rules=[{"match": {"prefix": "/"}, "requirement_name": "n"}], requirement_map={"n": named("p")}))
        self.assert_denied(MISSING)
        self.assert_passes(headers=bearer(token()))

    def test_disabled_but_for_a_route(self):
        on = {"jwt": {"@type": config.TYPE + "envoy.config.route.v3.FilterConfig", "config": {}}}
        filters = {**jwt_authn(requirement_map={"needs": named("p")}), "disabled": True}
        self.serve(filters, routes=[{**config.route(match={"prefix": "/on"}), "typed_per_filter_config": on},
                                    {**config.route(match={"prefix": "/named"}), "typed_per_filter_config": per_route(requirement_name="needs")}, config.route()])
        self.assert_denied(MISSING, "/on")
        self.assert_denied(MISSING, "/named")
        self.assert_passes("/")

    def test_preflights(self):
        self.serve(jwt_authn(bypass_cors_preflight=True))
        ask = {"origin": "https://a.test", "access-control-request-method": "PUT"}
        self.assert_passes(headers=ask, method="OPTIONS")
        for headers, method in ((ask, "GET"), ({**ask, "origin": ""}, "OPTIONS"), ({"origin": "https://a.test"}, "OPTIONS")):
            self.assertEqual(self.ask(headers=headers, method=method).status, 401)
        self.assertEqual(self.stats()["cors_preflight_bypassed"], 1)


@in_envoy_too
class Answers(Jwt):
    def test_stripped(self):
        self.serve(jwt_authn(strip_failure_response=True, stat_prefix="own"))
        response = self.ask()
        self.assertEqual((response.status, response.body, response.get("www-authenticate")), (401, b"", None))
        self.assertEqual(self.stats("http.ingress.jwt_authn.own.")["denied"], 1)

    def test_a_long_path_is_cut(self):
        self.serve(jwt_authn())
        self.assertEqual(self.ask("/" + "a" * 300).get("www-authenticate"), f'Bearer realm="http://inlay.test/{"a" * 255}"')

    def test_the_log_says_why(self):
        self.serve(jwt_authn({"p": provider(audiences=["a"])}))
        self.ask()
        self.ask(headers=bearer(token()))

        def lines():
            with open(self.log) as file:
                return file.read().splitlines()
        self.proxy.wait_for(lambda: len(lines()) == 2, "its access log")
        self.assertEqual(lines(), ["401 - jwt_authn_access_denied{Jwt_is_missing}", "403 - jwt_authn_access_denied{Audiences_in_Jwt_are_not_allowed}"])

    def test_grpc(self):
        self.serve(jwt_authn())
        with Http2Client(self.proxy.port) as client:
            response = client.request("/s/m", "POST", [("content-type", "application/grpc"), ("te", "trailers")], b"\0\0\0\0\0")
        self.assertEqual((response.status, response.get("grpc-status"), response.get("grpc-message")), (200, "16", MISSING))

    def test_a_body_waits_and_passes(self):
        self.serve(jwt_authn())
        response = request(self.proxy.port, "/", "POST", headers={**bearer(token()), "accept": "application/json"}, body=b"hello")
        self.assertEqual((response.status, json.loads(response.body)["body_bytes"]), (200, 5))
        self.assertEqual(request(self.proxy.port, "/", "POST", body=b"x" * 100_000).status, 401)


@in_envoy_too
class Cache(Jwt):
    def test_a_token_is_verified_once(self):
        self.serve(jwt_authn({"p": provider(jwt_cache_config={"jwt_cache_size": 2})}))
        first, second, third = (token(sub=name) for name in "abc")
        for text in (first, first, second, first, third, second):
            self.assert_passes(headers=bearer(text))
        self.assertEqual([self.stats()["jwt_cache_" + what] for what in ("hit", "miss")], [2, 4])
        self.assert_denied(FAILS, headers=bearer(BAD))
        self.assert_denied(FAILS, headers=bearer(BAD))

    def test_large_tokens_are_not_kept(self):
        self.serve(jwt_authn({"p": provider(jwt_cache_config={"jwt_max_token_size": 100})}))
        for _ in range(2):
            self.assert_passes(headers=bearer(token(sub="a" * 100)))
        self.assertEqual(self.stats()["jwt_cache_hit"], 0)


@inlay_only("its log, and its config dump")
class Secrets(Jwt):
    def test_nothing_of_a_token_or_a_key_is_shown(self):
        self.echo = self.start(Echo(self.directory))
        made = config.bootstrap([config.cluster("origin", self.echo.port)], [jwt_authn({"p": provider(failed_status_in_metadata="why", jwt_cache_config={})})])
        self.proxy = self.start_proxy(made, level="trace")
        texts = [token(sub="a-secret-subject"), token(sub="a-secret-subject", secret=b"x"), "a-secret-subject.b.c"]
        for text in texts:
            self.ask(headers=bearer(text))
        shown = self.proxy.log() + self.proxy.admin("/config_dump")[1] + self.proxy.admin("/stats")[1]
        for secret in ("a-secret-subject", json.loads(key_set())["keys"][0]["k"], texts[0].split(".")[1], texts[0].split(".")[2]):
            self.assertNotIn(secret, shown)


if __name__ == "__main__":
    unittest.main()
