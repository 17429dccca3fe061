# SPDX-License-Identifier: Apache-2.0
"""Fields that many a public bootstrap has: what each does to a request, in Inlay and in Envoy."""

import json
import os
import socket
import ssl
import subprocess
import unittest

from support import config
from support.both import in_envoy_too, inlay_only
from support.certificates import Authority, server_context
from support.http2_client import Http2Client
from support.http2_origin import Http2Origin
from support.origins import Echo, PythonServer, echoed
from support.processes import INLAY, PATIENCE, TestCase
from support.wire import Wire, request

OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


class Fields(TestCase):
    def http2(self, tls=None, cluster=None, **manager):
        self.origin = Http2Origin(tls=tls)
        self.addCleanup(self.origin.close)
        fields = config.speaks_http2() if cluster is None else cluster
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", self.origin.port, **fields)], **manager))

    def http1(self, cluster=None, **manager):
        echo = self.start(Echo(self.directory))
        made = config.bootstrap([config.cluster("origin", echo.port, **(cluster or {}))], **manager)
        self.proxy = self.start_proxy(made)
        return made


@in_envoy_too
class Scheme(Fields):
    def scheme(self, headers=()):
        self.assertEqual(request(self.proxy.port, headers=dict(headers)).status, 200)
        return self.origin.requests[0].get(":scheme"), self.origin.requests[0].get("x-forwarded-proto")

    def test_is_overwritten(self):
        self.http2(scheme_header_transformation={"scheme_to_overwrite": "https"})
        self.assertEqual(self.scheme(), ("https", "https"))

    def test_is_overwritten_whatever_a_client_says(self):
        for edge in (False, True):
            self.http2(scheme_header_transformation={"scheme_to_overwrite": "https"}, use_remote_address=edge)
            self.assertEqual(self.scheme({"x-forwarded-proto": "http"}), ("https", "https"))
            with Http2Client(self.proxy.port) as client:
                self.assertEqual(client.request("/").status, 200)
            self.assertEqual(self.origin.requests[1].get(":scheme"), "https")

    def test_is_that_of_the_connection_where_nothing_is_said(self):
        self.http2()
        self.assertEqual(self.scheme(), ("http", "http"))

    def test_matches_an_upstream_with_tls(self):
        authority = Authority(self.directory, "authority")
        context = server_context(*authority.issue("origin.test", "DNS:origin.test"))
        context.set_alpn_protocols(["h2"])
        self.http2(context, {**config.speaks_http2(), "transport_socket": config.upstream_tls(sni="origin.test")},
                   scheme_header_transformation={"match_upstream": True})
        self.assertEqual(self.scheme(), ("https", "http"))

    def test_the_one_to_overwrite_counts_more_than_the_upstreams(self):
        self.http2(scheme_header_transformation={"scheme_to_overwrite": "https", "match_upstream": True})
        self.assertEqual(self.scheme(), ("https", "https"))


@in_envoy_too
class InternalOnlyHeaders(Fields):
    def headers(self, **fields):
        return echoed(self.proxy.port, headers={"x-internal": "1", "X-Token": "2", "x-other": "3", **fields})["headers"]

    def start_with(self, **manager):
        made = config.bootstrap([config.cluster("origin", self.start(Echo(self.directory)).port)], **manager)
        filters = made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
        filters[0]["typed_config"]["route_config"]["internal_only_headers"] = ["x-internal", "x-token"]
        self.proxy = self.start_proxy(made)

    def test_are_taken_from_strangers(self):
        self.start_with(use_remote_address=True)
        seen = self.headers()
        self.assertEqual([name in seen for name in ("x-internal", "x-token", "x-other")], [False, False, True])

    def test_are_left_to_our_own(self):
        self.start_with(internal_address_config={"cidr_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}]})
        seen = self.headers(**{"x-forwarded-for": "10.1.2.3"})
        self.assertEqual([name in seen for name in ("x-internal", "x-token")], [True, True])


@in_envoy_too
class DownstreamProtocol(Fields):
    """Requests that go out as they came in."""
    OWN = {"protocol_selection": "USE_DOWNSTREAM_PROTOCOL"}
    TYPED = {"typed_extension_protocol_options": {OPTIONS: {"@type": config.TYPE + OPTIONS, "use_downstream_protocol_config": {"http2_protocol_options": {}}}}}

    def stat(self, name):
        return self.proxy.stats().get("cluster.origin." + name, 0)

    def test_http1_stays_http1(self):
        self.http1(self.OWN)
        self.assertEqual(request(self.proxy.port).status, 200)
        self.assertEqual((self.stat("upstream_cx_http1_total"), self.stat("upstream_cx_http2_total")), (1, 0))

    def test_http2_stays_http2(self):
        for fields in (self.OWN, self.TYPED):
            self.http2(cluster=fields)
            with Http2Client(self.proxy.port) as client:
                self.assertEqual(client.request("/a").status, 200)
            self.assertEqual(self.origin.requests[0].path, "/a")
            self.assertEqual((self.stat("upstream_cx_http1_total"), self.stat("upstream_cx_http2_total")), (0, 1))

    def test_both_on_one_listener(self):
        self.http1(self.TYPED)
        with Http2Client(self.proxy.port) as client:  # whom this origin does not understand
            self.assertIn(client.request("/").status, (502, 503))
        self.assertEqual(request(self.proxy.port).status, 200)
        self.assertEqual((self.stat("upstream_cx_http1_total"), self.stat("upstream_cx_http2_total")), (1, 1))


@in_envoy_too
class Nothing(Fields):
    def test_a_chain_without_filters_closes(self):
        made = config.bootstrap([config.cluster("origin", 1)])
        made["static_resources"]["listeners"][0]["filter_chains"] = [{}]
        with Wire(self.start_proxy(made).port) as wire:
            self.assertTrue(wire.ended())

    def test_a_manager_without_filters_answers_when_nobody_did(self):
        made = config.bootstrap([config.cluster("origin", 1)], http_filters=[], stream_idle_timeout="0.2s")
        self.assertEqual(request(self.start_proxy(made).port).status, 504)


@in_envoy_too
class Forms(Fields):
    """What protobuf's reader of JSON takes beside the usual forms."""

    def test_durations_wrappers_and_quoted_booleans(self):
        made = config.bootstrap([config.cluster("origin", self.start(Echo(self.directory)).port, connect_timeout={"seconds": 5}, lb_policy="1")],
                                use_remote_address={"value": True}, stream_idle_timeout={"seconds": "5", "nanos": 5}, generate_request_id="false")
        seen = echoed(self.start_proxy(made).port)["headers"]
        self.assertIn("x-envoy-external-address", seen)
        self.assertNotIn("x-request-id", seen)


@in_envoy_too
class Tags(Fields):
    def test_a_regex_that_looks_ahead(self):
        made = config.bootstrap([config.cluster("origin", self.start(Echo(self.directory)).port)])
        made["stats_config"] = {"stats_tags": [{"tag_name": "part", "regex": r"^cluster(?=\.)\.((origin)\.)"}]}
        page = self.start_proxy(made).admin("/stats/prometheus")[1]
        found = [line for line in page.splitlines() if line.startswith("envoy_cluster_upstream_cx_total{")]
        self.assertEqual(len(found), 1)
        self.assertIn('part="origin"', found[0])


@in_envoy_too
class Cors(Fields):
    POLICY = {"allow_origin_string_match": [{"exact": "https://a.test"}, {"suffix": ".b.test"}], "allow_methods": "GET, PUT", "allow_headers": "*",
              "expose_headers": "x-seen", "max_age": "60", "allow_credentials": True}
    TYPED = config.TYPE + "envoy.extensions.filters.http.cors.v3.CorsPolicy"

    def start_with(self, host=None, action=None, route=None, name="cors"):
        echo = self.start(Echo(self.directory))
        filters = [{"name": name, "typed_config": {"@type": config.TYPE + "envoy.extensions.filters.http.cors.v3.Cors"}}]
        hosts = [{"name": "all", "domains": ["*"], "routes": [{**config.route(**(action or {})), **(route or {})}], **(host or {})}]
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", echo.port)], filters, virtual_hosts=hosts))

    def preflight(self, origin="https://a.test", **headers):
        return request(self.proxy.port, "/", "OPTIONS", headers={"origin": origin, "access-control-request-method": "PUT",
                                                                 "access-control-request-headers": "x-mine", **headers})

    def said(self, response):
        return {name.removeprefix("access-control-"): value for name, value in response.headers if name.startswith("access-control-")}

    ANSWER = {"allow-origin": "https://a.test", "allow-credentials": "true", "allow-methods": "GET, PUT", "allow-headers": "x-mine", "max-age": "60",
              "expose-headers": "x-seen"}

    def test_a_preflight_request_is_answered(self):
        for place in ({"host": {"cors": self.POLICY}}, {"action": {"cors": self.POLICY}},
                      {"host": {"typed_per_filter_config": {"cors": {"@type": self.TYPED, **self.POLICY}}}}):
            with self.subTest(place=list(place)):
                self.start_with(**place)
                response = self.preflight()
                self.assertEqual((response.status, response.body, self.said(response)), (200, b"", self.ANSWER))

    def test_the_answer_of_a_script_that_may_read_it_says_so(self):
        self.start_with({"cors": self.POLICY})
        response = request(self.proxy.port, headers={"origin": "https://c.b.test"})
        self.assertEqual((response.status, self.said(response)),
                         (200, {"allow-origin": "https://c.b.test", "allow-credentials": "true", "expose-headers": "x-seen"}))

    def test_other_origins_get_their_answer_and_no_leave_to_read_it(self):
        self.start_with({"cors": self.POLICY})
        for response in (request(self.proxy.port, headers={"origin": "https://evil.test"}), self.preflight("https://evil.test"), request(self.proxy.port)):
            self.assertEqual((response.status, self.said(response)), (200, {}))
            self.assertNotEqual(response.body, b"")  # the origin's

    def test_a_preflight_of_another_origin_may_be_answered_here(self):
        self.start_with({"cors": {**self.POLICY, "forward_not_matching_preflights": False}})
        response = self.preflight("https://evil.test")
        self.assertEqual((response.status, response.body), (200, b""))
        self.assertNotIn("allow-origin", self.said(response))

    def test_the_routes_policy_counts_more_than_the_hosts(self):
        self.start_with({"cors": self.POLICY}, {"cors": {"allow_methods": "PATCH", "filter_enabled": {"default_value": {"numerator": 100}}}})
        self.assertEqual(self.said(self.preflight())["allow-methods"], "PATCH")
        self.start_with({"cors": self.POLICY}, {"cors": {"filter_enabled": {"default_value": {"numerator": 0}}}})
        self.assertEqual(self.said(self.preflight()), {})

    def test_typed_settings_are_of_the_filter_of_that_name(self):
        typed = {"typed_per_filter_config": {"second": {"@type": self.TYPED, **self.POLICY}}}
        self.start_with(typed)
        self.assertEqual(self.said(self.preflight()), {})
        self.start_with(typed, name="second")
        self.assertEqual(self.said(self.preflight()), self.ANSWER)

    def test_a_route_may_turn_it_off(self):
        off = {"typed_per_filter_config": {"cors": {"@type": config.TYPE + "envoy.config.route.v3.FilterConfig", "disabled": True}}}
        self.start_with({"cors": self.POLICY}, route=off)
        self.assertEqual(self.said(self.preflight()), {})

    def test_origins_are_counted(self):
        self.start_with({"cors": self.POLICY})
        for origin in ("https://a.test", "https://evil.test", "https://evil.test"):
            request(self.proxy.port, headers={"origin": origin})
        stats = self.proxy.stats()
        self.assertEqual((stats["http.ingress.cors.origin_valid"], stats["http.ingress.cors.origin_invalid"]), (1, 2))


@in_envoy_too
class WeightedClusters(Fields):
    def start_with(self, **weights):
        """Clusters by name, each of which says its name, with these weights."""
        self.origins = {}
        for name in weights:
            self.origins[name] = PythonServer(lambda made, name=name: (200, {"x-from": name, "x-got": made.headers.get("x-to", "")}, b""))
            self.addCleanup(self.origins[name].close)
        clusters = [{"name": name, "weight": weight, "request_headers_to_add": [{"header": {"key": "x-to", "value": name}}],
                     "response_headers_to_add": [{"header": {"key": "x-of", "value": name}}]} for name, weight in weights.items()]
        routes = [{"match": {"prefix": "/"}, "route": {"weighted_clusters": {"clusters": clusters}}}]
        made = config.bootstrap([config.cluster(name, origin.port) for name, origin in self.origins.items()], routes=routes)
        self.proxy = self.start_proxy(made)

    def test_each_gets_its_part(self):
        self.start_with(one=1, three=3, none=0)
        came = {"one": 0, "three": 0, "none": 0}
        for _ in range(400):
            response = request(self.proxy.port)
            name = response.get("x-from")
            self.assertEqual([response.get("x-got"), response.get("x-of")], [name, name])
            came[name] += 1
        self.assertEqual(came["none"], 0)
        self.assertTrue(50 <= came["one"] <= 160, came)  # 100, but for one run in 10^8

    def test_all_of_one(self):
        self.start_with(none=0, all=7)
        self.assertEqual({request(self.proxy.port).get("x-from") for _ in range(10)}, {"all"})


@in_envoy_too
class StaticSecrets(Fields):
    def test_of_a_listener_and_of_a_cluster(self):
        authority = Authority(self.directory, "authority")
        origin = authority.issue("origin.test", "DNS:origin.test")
        echo = PythonServer(lambda made: (200, {}, b"from behind"), tls=server_context(*origin))
        self.addCleanup(echo.close)
        own = authority.issue("own.test", "DNS:own.test")
        upstream = config.upstream_tls(sni="origin.test", common_tls_context={"combined_validation_context": {
            "default_validation_context": {"match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "origin.test"}}]},
            "validation_context_sds_secret_config": {"name": "authority"}}})
        made = config.bootstrap([config.cluster("origin", echo.port, transport_socket=upstream)])
        made["static_resources"]["listeners"][0]["filter_chains"][0]["transport_socket"] = {"name": "tls", "typed_config": {
            "@type": config.TYPE + "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {"tls_certificate_sds_secret_configs": [{"name": "own"}]}}}
        made["static_resources"]["secrets"] = [
            {"name": "own", "tls_certificate": {"certificate_chain": {"filename": own[0]}, "private_key": {"filename": own[1]}}},
            {"name": "authority", "validation_context": {"trusted_ca": {"filename": authority.certificate}}}]
        port = self.start_proxy(made).port
        context = ssl.create_default_context(cafile=authority.certificate)
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain, context.wrap_socket(plain, server_hostname="own.test") as wire:
            wire.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            answer = b""
            while data := wire.recv(4096):
                answer += data
        self.assertIn(b"from behind", answer)


@in_envoy_too
class FilterChains(Fields):
    """Chains by what the client's first bytes say; each answers with its name."""

    def chain(self, name, server_names=(), protocol="", tls=True):
        direct = [{"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": name}}}]
        made = config.listener(routes=direct)["filter_chains"][0]
        made["name"] = name
        if server_names or protocol:
            made["filter_chain_match"] = {"server_names": list(server_names), "transport_protocol": protocol}
        if tls:
            made["transport_socket"] = config.downstream_tls(*self.authority.issue(name, "DNS:a.test,DNS:*.b.test,DNS:c.test,DNS:x.y.b.test"))
        return made

    def start_with(self, *chains, default=None, **listener):
        made = config.bootstrap([])
        made["static_resources"]["listeners"][0].update(filter_chains=list(chains), listener_filters=[config.tls_inspector()], **listener)
        if default:
            made["static_resources"]["listeners"][0]["default_filter_chain"] = default
        self.proxy = self.start_proxy(made)

    def setUp(self):
        super().setUp()
        self.authority = Authority(self.directory, "authority")

    def ask(self, name):
        """The chain that answers a client of this server name, and the certificate's own name; (None, None) where it is closed."""
        context = ssl.create_default_context(cafile=self.authority.certificate)
        context.check_hostname = name is not None
        try:
            with socket.create_connection(("127.0.0.1", self.proxy.port), PATIENCE) as plain, context.wrap_socket(plain, server_hostname=name) as wire:
                wire.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                answer = b""
                while data := wire.recv(4096):
                    answer += data
                return answer.partition(b"\r\n\r\n")[2].decode(), dict(part[0] for part in wire.getpeercert()["subject"])["commonName"]
        except (ssl.SSLEOFError, ConnectionResetError):
            return None, None

    def test_by_server_name(self):
        self.start_with(self.chain("exact", ["a.test"]), self.chain("wild", ["*.b.test"]), self.chain("rest"))
        for name, chain in (("a.test", "exact"), ("A.TEST", "exact"), ("z.b.test", "wild"), ("x.y.b.test", "wild"), ("c.test", "rest"), (None, "rest")):
            with self.subTest(name):
                self.assertEqual(self.ask(name), (chain, chain))

    def test_a_name_that_nobody_has(self):
        self.start_with(self.chain("exact", ["a.test"]))
        self.assertEqual(self.ask("a.test")[0], "exact")
        self.assertEqual(self.ask("c.test"), (None, None))
        port = self.proxy.port
        self.assertEqual(self.proxy.stats()[f"listener.127.0.0.1_{port}.no_filter_chain_match"], 1)

    def test_the_default_chain(self):
        self.start_with(self.chain("exact", ["a.test"]), default=self.chain("other", tls=False))
        self.assertEqual(self.ask("a.test")[0], "exact")
        self.assertEqual(request(self.proxy.port).body, b"other")

    def test_by_protocol(self):
        self.start_with(self.chain("secure", protocol="tls"), self.chain("plain", protocol="raw_buffer", tls=False))
        self.assertEqual(self.ask("a.test")[0], "secure")
        self.assertEqual(request(self.proxy.port).body, b"plain")

    def test_a_client_that_says_it_byte_by_byte(self):
        self.start_with(self.chain("secure", protocol="tls"), self.chain("plain", protocol="raw_buffer", tls=False))
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cafile=self.authority.certificate)
        tls = context.wrap_bio(incoming, outgoing, server_hostname="a.test")
        with self.assertRaises(ssl.SSLWantReadError):
            tls.do_handshake()
        with Wire(self.proxy.port) as wire:
            for byte in outgoing.read():
                wire.send(bytes([byte]))
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    incoming.write(wire.socket.recv(4096))
            self.assertEqual(dict(part[0] for part in tls.getpeercert()["subject"])["commonName"], "secure")

    def test_a_client_that_says_nothing_is_closed_in_time(self):
        self.start_with(self.chain("secure", protocol="tls"), listener_filters_timeout="0.2s")
        with Wire(self.proxy.port) as wire:
            self.assertTrue(wire.ended())


@inlay_only("Envoy has no such flag")
class LeaveOut(Fields):
    LUA = {"name": "script", "typed_config": {"@type": config.TYPE + "envoy.extensions.filters.http.lua.v3.Lua", "inline_code": "x"}}
    COUNTS = {"name": "counts", "typed_config": {"@type": config.TYPE + "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig"}}

    def made(self, *filters):
        return config.bootstrap([config.cluster("origin", self.start(Echo(self.directory)).port)], filters)

    def validate(self, made, *flags):
        path = os.path.join(self.directory, "bootstrap.json")
        with open(path, "w") as file:
            json.dump(made, file)
        done = subprocess.run([INLAY, "validate", "-c", path, *flags], capture_output=True, text=True, timeout=600, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_what_is_not_named_is_refused(self):
        status, _, errors = self.validate(self.made(self.LUA))
        self.assertEqual(status, 1)
        self.assertIn("--leave-out", errors)
        self.assertEqual(self.validate(self.made(self.LUA), "--leave-out", "safe")[0], 1)

    def test_validate_tells_what_it_leaves_out(self):
        status, said, warnings = self.validate(self.made(self.LUA, self.COUNTS), "--leave-out", "safe", "--leave-out", "script")
        self.assertEqual(status, 0, warnings)
        self.assertIn("without 2 that --leave-out names", said)
        for name in ("script", "counts"):
            self.assertIn(f": {name} (envoy.", said)
            self.assertIn(f"`{name}`", warnings)

    def test_requests_pass_and_the_admin_page_tells(self):
        proxy = self.start_proxy(self.made(self.LUA), flags=["--leave-out", "script"])
        self.assertEqual(request(proxy.port).status, 200)
        self.assertIn("is left out", proxy.log())
        left_out = json.loads(proxy.admin("/server_info")[1])["left_out"]
        self.assertEqual(len(left_out), 1)
        self.assertIn("script (envoy.extensions.filters.http.lua.v3.Lua)", left_out[0])

    def test_a_whole_run_says_nothing_of_it(self):
        self.assertNotIn("left_out", json.loads(self.start_proxy(self.made()).admin("/server_info")[1]))


if __name__ == "__main__":
    unittest.main()
