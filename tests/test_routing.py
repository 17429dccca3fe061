# SPDX-License-Identifier: Apache-2.0
"""Routes, clusters, and the local replies of a request that reaches no origin: as Envoy gives them."""

import os
import socket
import struct
import threading
import unittest

from support import config
from support.both import in_envoy_too
from support.config import cluster, route
from support.origins import Echo, ScriptedOrigin, echoed, read_request
from support.processes import TestCase, free_port, wait_until
from support.wire import Wire, request


class Routing(TestCase):
    def setUp(self):
        super().setUp()
        self.echo = self.start(Echo(self.directory))

    def proxy_of(self, routes=None, clusters=None, **options):
        made = config.bootstrap(clusters or [cluster("origin", self.echo.port)], routes=routes, **options)
        return self.start_proxy(made).port

    def scripted(self, script):
        origin = ScriptedOrigin(script)
        self.addCleanup(origin.close)
        return origin.port


@in_envoy_too
class LocalReplies(Routing):
    def check(self, response, status, body=b""):
        self.assertEqual((response.status, response.body), (status, body))
        self.assertEqual(response.get("server"), "envoy")
        self.assertIsNotNone(response.get("date"))
        if body:
            self.assertEqual(response.get("content-type"), "text/plain")
            self.assertEqual(response.get("content-length"), str(len(body)))
        else:
            self.assertIsNone(response.get("content-type"))

    def test_no_route(self):
        port = self.proxy_of([route(match={"prefix": "/only"})])
        self.check(request(port, "/other"), 404)
        self.assertEqual(request(port, "/only/this").status, 200)

    def test_no_virtual_host(self):
        port = self.proxy_of(virtual_hosts=[{"name": "one", "domains": ["one.test"], "routes": [route()]}])
        self.check(request(port, host="two.test"), 404)

    def test_connection_refused(self):
        response = request(self.proxy_of(clusters=[cluster("origin", free_port())]))
        self.assertEqual(response.status, 503)
        self.assertEqual(response.get("content-type"), "text/plain")
        self.assertTrue(response.body.startswith(
            b"upstream connect error or disconnect/reset before headers. reset reason: "), response.body)

    def test_no_endpoint(self):
        self.check(request(self.proxy_of(clusters=[cluster("origin")])), 503, b"no healthy upstream")

    def test_the_upstream_closes_without_an_answer(self):
        def script(wire):
            read_request(wire)
            wire.socket.close()
        response = request(self.proxy_of(clusters=[cluster("origin", self.scripted(script))]))
        self.assertEqual(response.status, 503)
        self.assertTrue(response.body.startswith(
            b"upstream connect error or disconnect/reset before headers. reset reason: connection termination"), response.body)

    def test_the_upstream_speaks_no_http(self):
        def script(wire):
            read_request(wire)
            wire.send("this is no HTTP\r\n\r\n")
        response = request(self.proxy_of(clusters=[cluster("origin", self.scripted(script))]))
        self.assertIn(response.status, (502, 503), response)

    def test_route_timeout(self):
        def script(wire):
            read_request(wire)
            wire.line()
        port = self.proxy_of([route(timeout="0.3s")], [cluster("origin", self.scripted(script))])
        self.check(request(port), 504, b"upstream request timeout")

    def test_a_reply_to_head_has_no_body(self):
        port = self.proxy_of(clusters=[cluster("origin")])
        with Wire(port) as wire:
            wire.send("HEAD / HTTP/1.1\r\nhost: a\r\n\r\nHEAD / HTTP/1.1\r\nhost: a\r\n\r\n")
            self.assertEqual(wire.response("HEAD").status, 503)
            self.assertEqual(wire.response("HEAD").status, 503)

    def test_direct_response(self):
        port = self.proxy_of([{"match": {"path": "/teapot"}, "direct_response": {
            "status": 418, "body": {"inline_string": "short and stout\n"}}}, route()])
        self.check(request(port, "/teapot"), 418, b"short and stout\n")
        self.check(request(port, "/teapot", "POST", body=b"sugar"), 418, b"short and stout\n")
        self.assertEqual(request(port, "/").status, 200)

    def test_redirects(self):
        port = self.proxy_of([
            {"match": {"prefix": "/secure"}, "redirect": {"https_redirect": True}},
            {"match": {"prefix": "/host"}, "redirect": {"host_redirect": "other.test", "response_code": "FOUND"}},
            {"match": {"prefix": "/path"}, "redirect": {"path_redirect": "/new", "response_code": "PERMANENT_REDIRECT"}},
            {"match": {"prefix": "/old/"}, "redirect": {"prefix_rewrite": "/new/", "strip_query": True}}])
        for path, status, location in (("/secure/x?y=1", 301, "https://inlay.test/secure/x?y=1"),
                                       ("/host/x", 302, "http://other.test/host/x"),
                                       ("/path", 308, "http://inlay.test/new"),
                                       ("/old/x?y=1", 301, "http://inlay.test/new/x")):
            response = request(port, path)
            self.assertEqual((response.status, response.get("location")), (status, location))


@in_envoy_too
class Matching(Routing):
    def test_paths_and_headers(self):
        def direct(status, **match):
            return {"match": match, "direct_response": {"status": status}}
        port = self.proxy_of([
            direct(201, path="/exact"),
            direct(202, safe_regex={"regex": "/r[0-9]+"}),
            direct(203, path_separated_prefix="/tree"),
            direct(205, prefix="/h", headers=[{"name": "x-a", "string_match": {"exact": "1"}}]),
            direct(206, prefix="/h", headers=[{"name": "x-a", "present_match": True}]),
            direct(207, prefix="/CASE", case_sensitive=False),
            direct(208, prefix="/q", query_parameters=[{"name": "v", "string_match": {"exact": "2"}}]),
            direct(299, prefix="/")])
        for path, headers, status in (("/exact", {}, 201), ("/exact?x=y", {}, 201), ("/exactly", {}, 299),
                                      ("/r12", {}, 202), ("/r12x", {}, 299), ("/tree", {}, 203), ("/tree/a", {}, 203),
                                      ("/trees", {}, 299), ("/h", {"x-a": "1"}, 205), ("/h", {"x-a": "2"}, 206),
                                      ("/h", {}, 299), ("/case/x", {}, 207), ("/q?v=2", {}, 208), ("/q?v=3", {}, 299)):
            with self.subTest(path, headers=headers):
                self.assertEqual(request(port, path, headers=headers).status, status)

    def test_virtual_hosts(self):
        def host(name, status, *domains):
            return {"name": name, "domains": domains, "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": status}}]}
        port = self.proxy_of(virtual_hosts=[host("exact", 201, "api.test"), host("suffix", 202, "*.test"),
                                            host("longer", 203, "*.deep.test"), host("prefix", 205, "www.*"), host("all", 206, "*")])
        for name, status in (("api.test", 201), ("API.test", 201), ("b.test", 202), ("a.deep.test", 203),
                             ("www.example", 205), ("else.example", 206)):
            with self.subTest(name):
                self.assertEqual(request(port, host=name).status, status)


    def test_long_hosts_and_ports(self):
        def host(name, status, *domains):
            return {"name": name, "domains": domains, "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": status}}]}
        hosts = [host("billing", 201, "billing.local"), host("search", 202, "*.search.local"), host("all", 206, "*")]
        plain = self.proxy_of(virtual_hosts=hosts)
        for name, status in (("a" * 245 + ".search.local", 202), ("a" * 3000 + ".search.local", 202), ("billing.local:1", 206),
                             ("billing.local:", 206), ("a.search.local:7", 206)):
            with self.subTest(name[-30:]):
                self.assertEqual(request(plain, host=name).status, status)

    def test_a_port_that_is_stripped_or_ignored(self):
        def host(name, to, *domains):
            return {"name": name, "domains": domains, "routes": [route(to)]}
        hosts = [host("billing", "origin", "billing.local"), host("all", "nobody", "*")]
        made = {"clusters": [cluster("origin", self.echo.port), cluster("nobody")], "virtual_hosts": hosts}
        stripping = self.proxy_of(**made, strip_any_host_port=True, strip_trailing_host_dot=True)
        for name in ("billing.local:1", "BILLING.local:80", "billing.local.", "billing.local.:8080"):
            with self.subTest(name):
                self.assertEqual(echoed(stripping, host=name)["headers"]["host"].lower(), "billing.local")
        self.assertEqual(request(stripping, host="billing.local:").status, 503)
        ignoring = config.bootstrap(**made)
        manager = ignoring["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        manager["route_config"]["ignore_port_in_host_matching"] = True
        port = self.start_proxy(ignoring, name="ignoring").port
        for name in ("billing.local:1", "billing.local:", "billing.local:x"):
            with self.subTest(name):
                self.assertEqual(echoed(port, host=name)["headers"]["host"], name, "the upstream gets it as it came")


@in_envoy_too
class Clusters(Routing):
    def test_round_robin(self):
        other = self.start(Echo(self.directory, name="echo-2"))
        hits = {self.echo.port: 0, other.port: 0}
        def script(port):
            def run(wire):
                while True:
                    read_request(wire)
                    hits[port] += 1
                    wire.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            return run
        first, second = self.scripted(script(self.echo.port)), self.scripted(script(other.port))
        port = self.proxy_of(clusters=[cluster("origin", first, second)])
        for _ in range(10):
            request(port)
        self.assertEqual(sorted(hits.values()), [5, 5])

    def test_strict_dns(self):
        port = self.proxy_of(clusters=[cluster("origin", self.echo.port, host="localhost", dns_lookup_family="V4_ONLY")])
        self.assertEqual(echoed(port)["path"], "/")

    def test_a_name_that_does_not_exist(self):
        port = self.proxy_of(clusters=[cluster("origin", self.echo.port, host="no-such-name.invalid")])
        response = request(port)
        self.assertEqual((response.status, response.body), (503, b"no healthy upstream"))

    def test_a_connection_that_the_upstream_closed_meanwhile_is_not_used(self):
        def script(wire):
            read_request(wire)
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            wire.socket.close()
        port = self.proxy_of(clusters=[cluster("origin", self.scripted(script))])
        for _ in range(10):
            self.assertIn(request(port).status, (200, 503))
        self.assertEqual(request(port).status, 200)


@in_envoy_too
class EmptyForwardedProto(Routing):
    def test_has_no_route(self):
        proxy = self.start_proxy(config.bootstrap([cluster("origin", self.echo.port)]))
        for value, status in (("", 404), ("http", 200)):
            with Wire(proxy.port) as wire:
                wire.send(f"GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-proto: {value}\r\n\r\n")
                self.assertEqual(wire.response().status, status, value)


@in_envoy_too
class NameThatCannotBeResolved(TestCase):
    def test_the_cluster_begins_without_hosts_and_its_requests_are_answered(self):
        path = os.path.join(self.directory, "access.log")
        log = config.file_log(path, "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %UPSTREAM_CLUSTER% %UPSTREAM_HOST%\n")
        nowhere = cluster("nowhere", 80, host="nowhere.invalid", **self.resolver())
        proxy = self.start_proxy(config.bootstrap([nowhere], routes=[route("nowhere")], access_log=[log]))
        wait_until(lambda: proxy.stats()["cluster.nowhere.update_failure"] > 0, "the resolver's word")
        answer = request(proxy.port)
        self.assertEqual((answer.status, answer.body), (503, b"no healthy upstream"))
        stats = proxy.stats()
        self.assertEqual((stats["cluster.nowhere.membership_total"], stats["cluster.nowhere.upstream_cx_none_healthy"]), (0, 1))
        said = "cluster 'nowhere': cannot resolve 'nowhere.invalid': " in proxy.log()
        self.assertEqual(said, self.either(True, False, why="Envoy logs nothing at this level"))
        proxy.end()
        with open(path) as file:
            self.assertEqual(file.read(), "503 UH no_healthy_upstream nowhere -\n")

    def resolver(self):
        """The system's: whatever it says of such a name, if anything, it is none. For Envoy, which asks for itself and goes on
        asking where no server answers, one that always fails."""
        if not self.in_envoy:
            return {}
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(server.close)
        server.bind(("127.0.0.1", 0))

        def answer():
            while True:
                try:
                    query, client = server.recvfrom(512)
                except OSError:
                    return
                # RFC 1035 section 4.1.1: a response, with the question in it: SERVFAIL. (NXDOMAIN is a list of no hosts to Envoy.)
                question = query[12:query.index(b"\0", 12) + 5]
                server.sendto(query[:2] + struct.pack("!5H", 0x8182, 1, 0, 0, 0) + question, client)

        threading.Thread(target=answer, daemon=True).start()
        address = {"socket_address": {"address": "127.0.0.1", "port_value": server.getsockname()[1]}}
        return {"typed_dns_resolver_config": {"name": "envoy.network.dns_resolver.cares", "typed_config": {
            "@type": config.TYPE + "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig", "resolvers": [address]}}}


if __name__ == "__main__":
    unittest.main()
