# SPDX-License-Identifier: Apache-2.0
"""Where strangers come in: what a client may not say, which paths there are, how many clients. As Envoy 1.40 has it."""

import json
import os
import re
import socket
import threading
import unittest

from support import config, guests
from support.both import in_envoy_too, inlay_only
from support.config import TYPE, cluster, route
from support.origins import Echo, Provider, ScriptedOrigin, echoed, read_request
from support.processes import TestCase, wait_until
from support.wire import Wire, request

FILTER_CONFIG = TYPE + "envoy.config.route.v3.FilterConfig"


def connection_manager(made):
    return made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]


class Edge(TestCase):
    def setUp(self):
        super().setUp()
        self.echo = self.start(Echo(self.directory))

    def bootstrap(self, **options):
        return config.bootstrap([cluster("origin", self.echo.port)], **options)


@in_envoy_too
class WhatAStrangerSays(Edge):
    SAID = {"x-envoy-upstream-rq-timeout-ms": "1", "x-envoy-max-retries": "9", "x-envoy-retry-on": "5xx", "x-envoy-internal": "true",
            "x-envoy-upstream-stream-duration-ms": "60000", "x-envoy-decorator-operation": "x", "x-envoy-ip-tags": "x",
            "x-envoy-original-path": "/x", "x-envoy-peer-metadata": "kept"}

    def passed(self, port, headers=()):
        seen = echoed(port, headers={**self.SAID, **dict(headers)})["headers"]
        return {name for name in self.SAID if seen.get(name) == self.SAID[name]}

    def test_the_router_does_not_obey_it(self):
        def script(wire):
            read_request(wire)
            answered.wait()
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        answered = threading.Event()
        origin = ScriptedOrigin(script)
        self.addCleanup(origin.close)
        proxy = self.start_proxy(config.bootstrap([cluster("slow", origin.port)], [], [route("slow", timeout="0.4s")]))
        with Wire(proxy.port) as wire:
            # 30 s, where the route has 0.4: were it obeyed, nothing would come before the origin answers.
            wire.send("GET / HTTP/1.1\r\nhost: a\r\nx-envoy-upstream-rq-timeout-ms: 30000\r\n\r\n")
            self.assertEqual(wire.response().status, 504)
        answered.set()

    def test_before_a_trusted_proxy(self):
        port = self.start_proxy(self.bootstrap()).port
        self.assertEqual(self.passed(port), {"x-envoy-decorator-operation", "x-envoy-original-path", "x-envoy-peer-metadata"})

    def test_at_the_edge(self):
        port = self.start_proxy(self.bootstrap(use_remote_address=True)).port
        self.assertEqual(self.passed(port), {"x-envoy-peer-metadata"})

    def test_an_internal_address(self):
        ranges = {"cidr_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}]}
        proxy = self.start_proxy(self.bootstrap(internal_address_config=ranges, routes=[route(timeout="20s")]))
        said = {**self.SAID, "x-envoy-upstream-rq-timeout-ms": "7000"}
        inside = echoed(proxy.port, headers={**said, "x-forwarded-for": "10.1.2.3"})["headers"]
        self.assertEqual(inside["x-envoy-internal"], "true")
        self.assertEqual(inside["x-envoy-expected-rq-timeout-ms"], "7000", "who is inside may say how long to wait")
        for outside in ("11.1.2.3", "10.1.2.3, 10.1.2.4"):
            seen = echoed(proxy.port, headers={**said, "x-forwarded-for": outside})["headers"]
            self.assertNotIn("x-envoy-internal", seen)
            self.assertEqual(seen["x-envoy-expected-rq-timeout-ms"], "20000")


@in_envoy_too
class WhoTheClientIs(TestCase):
    """Whose address the access log and a filter take for the client's."""

    PEER = r"127\.0\.0\.1:\d+"
    # The connection manager's fields, and of each x-forwarded-for the address.
    CASES = [
        ({}, {None: PEER, "1.2.3.4": r"1\.2\.3\.4:0", "1.2.3.4, 2001:DB8::5": r"\[2001:db8::5\]:0",
              "1.2.3.4:5": PEER, "x": PEER, "1.2.3.4,": PEER}),
        ({"skip_xff_append": True}, {"1.2.3.4, 5.6.7.8": r"5\.6\.7\.8:0"}),
        ({"xff_num_trusted_hops": 1}, {"1.2.3.4": PEER, "1.2.3.4, 5.6.7.8": r"1\.2\.3\.4:0"}),
        ({"use_remote_address": True}, {None: PEER, "1.2.3.4": PEER}),
        ({"use_remote_address": True, "xff_num_trusted_hops": 1}, {None: PEER, "1.2.3.4, 5.6.7.8": r"5\.6\.7\.8:0"}),
        ({"use_remote_address": True, "xff_num_trusted_hops": 2, "skip_xff_append": True},
         {"1.2.3.4": PEER, "1.2.3.4, 5.6.7.8": r"1\.2\.3\.4:0"}),
    ]

    def test_in_the_access_log_and_for_a_filter(self):
        module = guests.assemble(self.directory, "tells", guests.tells_properties({"request_headers": ["source.address"]}))
        for number, (fields, expected) in enumerate(self.CASES):
            path = os.path.join(self.directory, f"access.{number}.log")
            log = config.file_log(path, "%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_REMOTE_PORT% "
                                        "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%\n")
            answer = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
            proxy = self.start_proxy(config.bootstrap([], [config.wasm(module)], [answer], access_log=[log], **fields),
                                     name=f"proxy-{number}")
            for said in expected:
                self.assertEqual(request(proxy.port, headers={"x-forwarded-for": said} if said is not None else {}).status, 200)
            proxy.end()
            seen = re.findall(r"source\.address = (\S+)", proxy.log())
            with open(path) as file:
                lines = file.read().splitlines()
            for (said, address), line, told in zip(expected.items(), lines, seen, strict=True):
                with self.subTest(fields=fields, said=said):
                    self.assertRegex(told, f"^{address}$")
                    host, port = told.rsplit(":", 1)
                    self.assertRegex(line, rf"^{re.escape(told)} {re.escape(host.strip('[]'))} {port} {self.PEER}$")


class PathHelpers(Edge):
    EDGE = {"normalize_path": True, "merge_slashes": True}

    def port_with(self, action, **more):
        self.proxy = self.start_proxy(self.bootstrap(path_with_escaped_slashes_action=action, **more))
        return self.proxy.port

    def raw(self, port, target, head=""):
        with Wire(port) as wire:
            wire.send(f"GET {target} HTTP/1.1\r\nhost: inlay.test\r\naccept: application/json\r\n{head}\r\n")
            return wire.response()

    def path_seen(self, port, target):
        response = self.raw(port, target)
        self.assertEqual(response.status, 200, target)
        return json.loads(response.body)["path"]

    def statistic(self, name):
        return self.proxy.stats()["http.ingress.downstream_rq_" + name]


@in_envoy_too
class Paths(PathHelpers):
    def test_no_alias_of_a_path_reaches_the_upstream(self):
        port = self.port_with("UNESCAPE_AND_REDIRECT", **self.EDGE)
        for alias in ("//admin", "/%61dmin", "/./admin", "/x/../admin", "/x/..;/admin", "/\\admin"):
            with self.subTest(alias):
                seen = "/admin"
                if alias == "/x/..;/admin":
                    seen = self.since("1.39", seen, alias, why="a segment with parameters is no dot segment")
                self.assertEqual(self.path_seen(port, alias), seen)
        for alias in ("/%2fadmin", "/%2Fadmin", "/x/..%2fadmin", "/x/..%5Cadmin", "/%5cadmin"):
            with self.subTest(alias):
                response = self.raw(port, alias + "?q=%2f")
                self.assertEqual((response.status, response.get("location")), (307, "/admin?q=%2f"))
                self.assertIsNone(response.get("connection"), "the client may ask again on this connection")
        self.assertEqual(self.path_seen(port, "/%252fadmin"), "/%252fadmin")
        self.assertEqual(self.statistic("redirected_with_normalized_path"), 5)
        self.assertEqual(self.raw(port, "/a%2fb", "content-type: application/grpc\r\n").get("grpc-status"), "13")
        self.assertEqual(self.statistic("failed_path_normalization"), 1)

    def test_a_body_behind_a_redirect(self):
        port = self.port_with("UNESCAPE_AND_REDIRECT", **self.EDGE)
        with Wire(port) as wire:
            wire.send("POST /a%2fb HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n12345GET /a/b HTTP/1.1\r\nhost: a\r\n\r\n")
            first = wire.response()
            self.assertEqual((first.status, first.get("location")), (307, "/a/b"))
            if first.get("connection") != "close":
                self.assertEqual(wire.response().status, 200)

    def test_rejected(self):
        port = self.port_with("REJECT_REQUEST", **self.EDGE)
        for target in ("/a%2fb", "/a%5Cb", "/a%2Fb?x"):
            with self.subTest(target):
                self.assertEqual(self.raw(port, target).status, 400)
        self.assertEqual(self.raw(port, "/a?x=%2f").status, 200)
        self.assertEqual(self.statistic("failed_path_normalization"), 3)

    def test_forwarded(self):
        port = self.port_with("UNESCAPE_AND_FORWARD", **self.EDGE)
        self.assertEqual(self.path_seen(port, "/x/..%2fadmin?q=%2f"), "/admin?q=%2f")

    def test_kept(self):
        port = self.port_with("KEEP_UNCHANGED")
        self.assertEqual(self.path_seen(port, "/x/..%2fadmin"), "/x/..%2fadmin")


@in_envoy_too
class RedirectsOfPaths(PathHelpers):
    def test_a_redirect_never_leads_to_another_server(self):
        port = self.port_with("UNESCAPE_AND_REDIRECT")
        leads = "Envoy's leads there, which is why its documentation wants merge_slashes and normalize_path with it"
        for target, location, envoys in (("/%2fevil.test/x", "/.//evil.test/x", "//evil.test/x"),
                                         ("/%5cevil.test", "/./\\evil.test", "/\\evil.test")):
            with self.subTest(target):
                self.assertEqual(self.raw(port, target).get("location"), self.either(location, envoys, why=leads))
        self.assertEqual(self.raw(port, "/a%2f/b").get("location"), "/a//b")


class Clients(Edge):
    def connect(self, port, count):
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        for client in clients:
            self.addCleanup(client.close)
        return clients

    def overflow(self, proxy, name="downstream_global_cx_overflow"):
        return proxy.stats()[f"listener.127.0.0.1_{proxy.port}.{name}"]

    def active(self, proxy):
        return self.overflow(proxy, "downstream_cx_active")


@inlay_only("Envoy has no bound of its own, and runs out of descriptors")
class IdleClients(Clients):
    def test_idle_clients_leave_descriptors_for_upstreams_and_the_admin_page(self):
        proxy = self.start_proxy(self.bootstrap(), descriptors=64)
        clients = self.connect(proxy.port, 120)
        wait_until(lambda: self.active(proxy) + self.overflow(proxy) == 120, "every client is taken or sent away")
        self.assertGreater(self.active(proxy), 5)
        self.assertGreater(self.overflow(proxy), 60)
        self.assertIn(b"LIVE", request(proxy.admin_port, "/ready").body)
        clients[0].sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        self.assertTrue(clients[0].recv(100).startswith(b"HTTP/1.1 200"), "an upstream can be reached")
        self.assertEqual(clients[-1].recv(1), b"", "closed at once")
        lines = [line for line in proxy.log().splitlines() if "closes new clients at once" in line]
        self.assertTrue(1 <= len(lines) <= 30, lines)
        for client in clients:
            client.close()
        wait_until(lambda: self.active(proxy) == 0, "the clients are gone")
        self.assertEqual(request(proxy.port).status, 200)


@in_envoy_too
class Bounds(Clients):
    def test_the_configured_bound(self):
        made = self.bootstrap()
        made["overload_manager"] = {"resource_monitors": [{
            "name": "envoy.resource_monitors.global_downstream_max_connections",
            "typed_config": {"@type": TYPE + "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                             "max_active_downstream_connections": 3}}]}
        made["static_resources"]["listeners"].append(config.listener(name="free"))
        made["static_resources"]["listeners"][1]["ignore_global_conn_limit"] = True
        proxy = self.start_proxy(made)
        self.connect(proxy.port, 5)
        wait_until(lambda: self.active(proxy) + self.overflow(proxy) == 5, "every client is taken or sent away")
        self.assertEqual((self.active(proxy), self.overflow(proxy)), (3, 2))
        other = made["static_resources"]["listeners"][1]["address"]["socket_address"]["port_value"]
        self.assertEqual(request(other).status, 200, "a listener that ignores the bound")

    def test_the_listeners_own_bound(self):
        made = self.bootstrap()
        made["layered_runtime"] = {"layers": [{"name": "static", "static_layer": {
            "envoy": {"resource_limits": {"listener": {"ingress": {"connection_limit": 2}}}}}}]}
        proxy = self.start_proxy(made, concurrency=2)
        kept = self.connect(proxy.port, 6)
        overflow = lambda: self.overflow(proxy, "downstream_cx_overflow")
        wait_until(lambda: self.active(proxy) + overflow() == 6, "every client is taken or sent away")
        self.assertEqual((self.active(proxy), overflow(), self.overflow(proxy)), (2, 4, 0))
        for client in kept:
            client.close()
        wait_until(lambda: self.active(proxy) == 0, "the clients are gone")
        self.assertEqual(request(proxy.port).status, 200)


@in_envoy_too
class FiltersThatRoutesTurnOn(Edge):
    def test_by_route_and_by_virtual_host(self):
        on = {"augment": {"@type": FILTER_CONFIG, "config": {}}}
        off = {"augment": {"@type": FILTER_CONFIG, "disabled": True}}
        provider = self.start(Provider(self.directory))
        augment = {**config.augmenter(), "name": "augment", "disabled": True}
        hosts = [
            {"name": "on", "domains": ["on.test"], "typed_per_filter_config": on, "routes": [
                {**route(match={"prefix": "/off"}), "typed_per_filter_config": off}, route()]},
            {"name": "all", "domains": ["*"], "routes": [
                {**route(match={"prefix": "/on"}), "typed_per_filter_config": on}, route()]}]
        made = config.bootstrap([cluster("origin", self.echo.port), cluster("provider", provider.port)], [augment], virtual_hosts=hosts)
        proxy = self.start_proxy(made)
        wait_until(lambda: request(proxy.port, "/on").status == 200, "the filter has its headers")
        for host, path, expected in (("a.test", "/on", True), ("a.test", "/else", False), ("on.test", "/x", True), ("on.test", "/off", False)):
            with self.subTest(host=host, path=path):
                self.assertEqual("authorization" in echoed(proxy.port, path, host=host)["headers"], expected)


if __name__ == "__main__":
    unittest.main()
