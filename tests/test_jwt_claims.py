# SPDX-License-Identifier: Apache-2.0
"""What jwt_authn tells those behind it of a token: services by headers, guests, logs and headers by dynamic metadata."""

import base64
import json
import os
import unittest

from support import config
from support.both import in_envoy_too
from support.guests import assemble, guest, import_proxy
from support.jwts import BAD, FAILS, MISSING, Jwt, bearer, jwt_authn, named, provider, rule, token
from support.origins import Echo, echoed
from support.wire import request


def payload_of(text):
    part = text.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@in_envoy_too
class Claims(Jwt):
    HEADERS = [{"header_name": "X-Sub", "claim_name": "sub"}, {"header_name": "x-n", "claim_name": "n"}, {"header_name": "x-f", "claim_name": "f"},
               {"header_name": "x-on", "claim_name": "on"}, {"header_name": "x-deep", "claim_name": "d.e"}, {"header_name": "x-list", "claim_name": "l"},
               {"header_name": "x-path", "claim_path": [{"key": "a.b"}, {"key": "c"}]}]

    def test_in_headers(self):
        self.serve(jwt_authn({"p": provider(claim_to_headers=self.HEADERS, forward_payload_header="X-Payload")}))
        text = token(sub="who", n=7, f=1.5, on=True, d={"e": "deep"}, l=[1, "x"], **{"a.b": {"c": "path"}})
        seen = self.seen(headers={**bearer(text), "x-sub": "root"})
        self.assertEqual({name: seen.get(name) for name in ("x-sub", "x-n", "x-f", "x-on", "x-deep", "x-list", "x-path")},
                         {"x-sub": "who", "x-n": "7", "x-f": "1.500000", "x-on": "true", "x-deep": "deep",
                          "x-list": base64.b64encode(b'[1,"x"]').decode(), "x-path": "path"})
        self.assertEqual(seen["x-payload"], text.split(".")[1])

    def test_nobody_else_sets_them(self):
        self.serve(jwt_authn({"p": provider(claim_to_headers=self.HEADERS, forward_payload_header="x-payload")}, [rule("/open"), rule("/", {"allow_missing": {}})]))
        for path in ("/open", "/", "/elsewhere"):
            seen = self.seen(path, {"x-sub": "root", "x-payload": "root", "x-other": "kept"})
            self.assertEqual([seen.get(name) for name in ("x-sub", "x-payload", "x-other")], [None, None, "kept"])

    def test_padded(self):
        self.serve(jwt_authn({"p": provider(forward_payload_header="x-payload", pad_forward_payload_header=True)}))
        for subject in ("a", "ab", "abc", "abcd"):
            self.assertEqual(json.loads(base64.urlsafe_b64decode(self.seen(headers=bearer(token(sub=subject)))["x-payload"]))["sub"], subject)

    def test_choose_a_route(self):
        """Only where the provider says so."""
        headers = [{"header_name": "x-sub", "claim_name": "sub"}]
        for clear in (False, True):
            routes = [{"match": {"prefix": "/", "headers": [{"name": "x-sub", "string_match": {"exact": "who"}}]}, "direct_response": {"status": 204}}, config.route()]
            self.serve(jwt_authn({"p": provider(claim_to_headers=headers, clear_route_cache=clear)}), routes=routes)
            self.assertEqual(self.ask(headers=bearer(token(sub="who"))).status, 204 if clear else 200)
            self.assertEqual(self.ask(headers=bearer(token(sub="other"))).status, 200)

    def serve_guest(self, path, **fields):
        """With a guest behind the filter that shows a property as a header of the request."""
        joined = "\\00".join(("metadata", "filter_metadata", "envoy.filters.http.jwt_authn", *path))
        text = f"""(data (i32.const 100) "{joined}")
          (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
            (if (i32.eqz (call $get_property (i32.const 100) (i32.const {len(joined) - 2 * joined.count(chr(92))}) (i32.const 20) (i32.const 24)))
              (then (call $add_header (i32.load (i32.const 20)) (i32.load (i32.const 24)))))
            (i32.const 0))"""
        module = assemble(self.directory, "shows", guest(text, import_proxy("get_property", 4)))
        self.serve(jwt_authn({"p": provider(**fields)}, [rule("/open"), rule("/", {"requires_any": {"requirements": [named("p"), {"allow_missing_or_failed": {}}]}})]),
                   config.wasm(module))

    def test_for_guests(self):
        self.serve_guest(["claims", "sub"], payload_in_metadata="claims")
        self.assertEqual(self.seen(headers=bearer(token(sub="who")))["x-guest"], "who")
        self.assertNotIn("x-guest", self.seen(headers=bearer(BAD)))
        self.assertNotIn("x-guest", self.seen("/open", bearer(token(sub="who"))))

    def test_the_header_for_guests(self):
        self.serve_guest(["head", "kid"], header_in_metadata="head", payload_in_metadata="claims")
        self.assertEqual(self.seen(headers=bearer(token(header={"kid": "k"})))["x-guest"], "k")

    def test_the_failure_for_guests(self):
        self.serve_guest(["why", "message"], failed_status_in_metadata="why")
        self.assertEqual(self.seen(headers=bearer(BAD))["x-guest"], FAILS)
        self.assertEqual(self.seen()["x-guest"], MISSING)

    def test_scopes_for_guests(self):
        """A list of words, of which one is asked for by its place."""
        self.serve_guest(["claims", "scope", "1"], payload_in_metadata="claims", normalize_payload_in_metadata={"space_delimited_claims": ["scope", "sub"]})
        self.assertEqual(self.seen(headers=bearer(token(scope="read  write")))["x-guest"], "write")

    def test_for_logs_and_headers(self):
        """A text as it is, all else as JSON; what is not there as a value that is not there."""
        paths = ("claims:sub", "claims:n", "claims:list", "claims:deep", "claims:deep:a", "claims:no", "claims:sub:x", "claims:list:0", "no")
        shown = {path: f"%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:{path})%" for path in paths}
        shown["cut"] = "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:claims:sub):3%"
        shown["cut number"] = "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:claims:n):1%"
        shown["cut list"] = "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:claims:list):4%"
        shown["two"] = shown["claims:n"] * 2
        text, lines = os.path.join(self.directory, "text.log"), os.path.join(self.directory, "lines.log")
        logs = [config.file_log(text, ";".join(shown.values()) + "\n"), config.file_log(lines, {"json_format": shown})]
        added = [{"header": {"key": "x-sub", "value": shown["claims:sub"]}}, {"header": {"key": "x-list", "value": shown["claims:list"]}},
                 {"header": {"key": "x-no", "value": shown["claims:no"]}}]
        echo = self.start(Echo(self.directory))
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", echo.port)], [jwt_authn({"p": provider(payload_in_metadata="claims")})],
                                                  access_log=logs, routes=[{**config.route(), "request_headers_to_add": added}]))
        claims = {"sub": 'who "she" is', "n": 12.5, "list": [1, "two", None, True], "deep": {"a": "b"}}
        seen = echoed(proxy.port, headers=bearer(token(claims)))["headers"]
        self.assertEqual((seen["x-sub"], seen["x-list"], seen.get("x-no")), ('who "she" is', '[1,"two",null,true]', None))
        self.assertEqual(request(proxy.port, headers=bearer(BAD)).status, 401)
        proxy.end()
        with open(text) as file:
            good, bad = file.read().splitlines()
        self.assertEqual(good, 'who "she" is;12.5;[1,"two",null,true];{"a":"b"};b;-;-;-;-;who;1;[1,";12.512.5')
        self.assertEqual(set(bad.split(";")), {"-", "--"})
        with open(lines) as file:
            good, bad = (json.loads(line) for line in file)
        self.assertEqual(good, {"claims:sub": 'who "she" is', "claims:n": 12.5, "claims:list": [1, "two", None, True], "claims:deep": {"a": "b"}, "claims:deep:a": "b",
                                "claims:no": None, "claims:sub:x": None, "claims:list:0": None, "no": None, "cut": "who", "cut number": 12.5,
                                "cut list": [1, "two", None, True], "two": "12.512.5"})
        self.assertEqual({value for name, value in bad.items() if name != "two"}, {None})


if __name__ == "__main__":
    unittest.main()
