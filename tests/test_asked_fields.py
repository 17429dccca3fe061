# SPDX-License-Identifier: Apache-2.0
"""Fields that many a public bootstrap has: what each does to a request, in Inlay and in Envoy."""

import socket
import ssl
import unittest

from support import config
from support.both import in_envoy_too
from support.certificates import Authority, server_context
from support.http2_client import Http2Client
from support.http2_origin import Http2Origin
from support.origins import Echo, PythonServer, echoed
from support.processes import PATIENCE, TestCase
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


if __name__ == "__main__":
    unittest.main()
