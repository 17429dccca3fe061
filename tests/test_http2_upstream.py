# SPDX-License-Identifier: Apache-2.0
"""Requests to clusters that speak HTTP/2: with prior knowledge and over TLS, bodies and trailers, resets, limits and the end of connections."""

import threading

from support import config
from support.both import in_envoy_too
from support.certificates import Authority, server_context
from support.http2_origin import Http2Origin
from support.origins import ScriptedOrigin
from support.processes import TestCase, wait_until
from support.wire import Wire, request

REFUSED, CANCEL, INTERNAL = 7, 8, 2
LARGE = 3 << 20


class Upstream(TestCase):
    def start_all(self, answer=lambda request: request.answer(), cluster=None, concurrency=1, manager=None, **origin):
        self.origin = Http2Origin(answer, **origin)
        self.addCleanup(self.origin.close)
        fields = config.speaks_http2() if cluster is None else cluster
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", self.origin.port, **fields)], **(manager or {})),
                                      concurrency=concurrency)

    def stat(self, name):
        return self.proxy.stats().get("cluster.origin." + name, 0)


@in_envoy_too
class Requests(Upstream):
    def test_a_request_and_its_answer(self):
        self.start_all(lambda request: request.answer(201, [("x-answer", "yes")], b"hello"))
        response = request(self.proxy.port, "/a?b=c", headers={"x-one": "1", "connection": "keep-alive", "te": "gzip, trailers"})
        self.assertEqual((response.status, response.get("x-answer"), response.body), (201, "yes", b"hello"))
        seen = self.origin.requests[0]
        self.assertEqual([seen.get(name) for name in (":method", ":scheme", ":path", "x-one")], ["GET", "http", "/a?b=c", "1"])
        self.assertEqual(seen.get(":authority"), "inlay.test")
        names = [name for name, _ in seen.fields]
        for name in ("host", "connection", "transfer-encoding", "keep-alive"):
            self.assertNotIn(name, names)
        self.assertEqual(self.stat("upstream_cx_http2_total"), 1)
        self.assertEqual(self.origin.faults, [])

    def test_requests_share_a_connection(self):
        gate = threading.Event()
        held = []

        def answer(made):
            held.append(made)
            if len(held) == 8:
                for one in held:
                    one.answer(body=one.path.encode())
                gate.set()
        self.start_all(answer)
        wires = [Wire(self.proxy.port).send(f"GET /{i} HTTP/1.1\r\nhost: a\r\n\r\n") for i in range(8)]
        for i, wire in enumerate(wires):
            self.assertEqual(wire.response().body, b"/%d" % i)
            wire.close()
        self.assertTrue(gate.is_set())
        self.assertEqual(len(self.origin.connections), 1)

    def test_bodies_of_both_ways_are_whole(self):
        self.start_all(lambda request: request.answer(body=request.body))
        body = bytes(range(256)) * (LARGE // 256)
        response = request(self.proxy.port, "/", "POST", body=body)
        self.assertEqual(response.status, 200)
        self.assertTrue(response.body == body, "the body came back otherwise")
        self.assertEqual(self.origin.requests[0].get("content-length"), str(len(body)))

    def test_a_body_of_chunks_has_no_framing_of_http1(self):
        self.start_all(lambda request: request.answer(body=request.body))
        with Wire(self.proxy.port) as wire:
            wire.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
            self.assertEqual(wire.response().body, b"hello")
        seen = self.origin.requests[0]
        self.assertEqual((seen.body, seen.get("transfer-encoding"), seen.get("content-length")), (b"hello", None, None))

    def test_head_and_statuses_without_a_body(self):
        self.start_all(lambda request: request.answer(int(request.path[1:]), [("content-length", "5")] if request.path == "/200" else []))
        self.assertEqual(request(self.proxy.port, "/200", "HEAD").get("content-length"), "5")
        for status in (204, 304):
            response = request(self.proxy.port, f"/{status}")
            self.assertEqual((response.status, response.body, response.get("transfer-encoding")), (status, b"", None))
        self.assertEqual(len(self.origin.connections), 1)

    def test_trailers_reach_a_client_that_takes_them(self):
        self.start_all(lambda request: request.answer(body=b"x", trailers=[("x-end", "1")]),
                       manager={"http_protocol_options": {"enable_trailers": True}})
        with Wire(self.proxy.port) as wire:
            response = wire.send("GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\n\r\n").response()
        self.assertEqual((response.body, response.trailers), (b"x", [("x-end", "1")]))

    def test_a_clients_trailers_go_on(self):
        self.start_all(manager={"http_protocol_options": {"enable_trailers": True}})
        with Wire(self.proxy.port) as wire:
            wire.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-end: 1\r\n\r\n")
            self.assertEqual(wire.response().status, 200)
        self.assertEqual((self.origin.requests[0].body, self.origin.requests[0].trailers), (b"hello", [("x-end", "1")]))

    def test_an_interim_answer_is_not_the_answer(self):
        def answer(made):
            made.interim(103, [("link", "</a>")])
            made.answer(body=b"x")
        self.start_all(answer)
        self.assertEqual(request(self.proxy.port).status, 200)


@in_envoy_too
class Faults(Upstream):
    def assert_failed(self, response, status, reason):
        self.assertEqual(response.status, status)
        self.assertEqual(response.body.decode(), "upstream connect error or disconnect/reset before headers. reset reason: " + reason)

    def test_a_reset_before_the_head(self):
        self.start_all(lambda request: request.refuse(INTERNAL))
        self.assert_failed(request(self.proxy.port), 503, "remote reset")
        self.assert_failed(request(self.proxy.port), 503, "remote reset")
        self.assertEqual(len(self.origin.connections), 1)

    def test_a_request_that_is_refused(self):
        self.start_all(lambda request: request.refuse(REFUSED))
        self.assert_failed(request(self.proxy.port, "/", "POST", body=b"x"), 503, "remote refused stream reset")

    def test_a_refused_get_is_sent_again(self):
        def answer(made):
            if len(self.origin.requests) == 1:
                made.refuse(REFUSED)
            else:
                made.answer()
        self.start_all(answer)
        expected = self.either(inlay=200, envoy=503, why="Envoy sends it again only with a retry_policy")
        self.assertEqual(request(self.proxy.port).status, expected)

    def test_a_reset_in_the_body_ends_the_clients_connection(self):
        def answer(made):
            made.headers(200, [("content-length", "10")])
            made.data(b"hel")
            made.connection.push()
            made.refuse(INTERNAL)
        self.start_all(answer)
        with Wire(self.proxy.port) as wire, self.assertRaises((EOFError, OSError)):
            wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").response()

    def test_a_server_of_http1_is_no_server(self):
        def script(wire):
            wire.socket.recv(1 << 16)
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        origin = ScriptedOrigin(script)
        self.addCleanup(origin.close)
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", origin.port, **config.speaks_http2())]))
        self.assert_failed(request(self.proxy.port), 502, "protocol error")

    def test_a_connection_that_ends_fails_all_requests_on_it(self):
        def answer(made):
            if len(self.origin.requests) == 2:
                made.connection.socket.shutdown(2)
        self.start_all(answer)
        wires = [Wire(self.proxy.port).send(f"GET /{i} HTTP/1.1\r\nhost: a\r\n\r\n") for i in range(2)]
        for wire in wires:
            self.assert_failed(wire.response(), 503, "connection termination")
            wire.close()

    def test_a_client_that_leaves_resets_its_stream_alone(self):
        held = []
        self.start_all(held.append)
        leaver, stayer = (Wire(self.proxy.port).send("GET / HTTP/1.1\r\nhost: a\r\n\r\n") for _ in range(2))
        wait_until(lambda: len(held) == 2, "both requests")
        leaver.close()
        wait_until(lambda: any(made.reset is not None for made in held), "a reset")
        stays = next(made for made in held if made.reset is None)
        self.origin.answer = lambda made: (stays.answer(body=b"stayed"), made.answer())
        self.assertEqual(request(self.proxy.port).status, 200)
        self.assertEqual(stayer.response().body, b"stayed")
        stayer.close()
        self.assertEqual(len(self.origin.connections), 1)

    def test_an_answer_before_the_request_is_whole(self):
        self.start_all(early=lambda made: made.headers(413, end=True))
        with Wire(self.proxy.port) as wire:
            wire.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\nstart")
            self.assertEqual(wire.response().status, 413)
        wait_until(lambda: self.origin.requests[0].reset is not None, "the end of the stream")


@in_envoy_too
class Connections(Upstream):
    def test_goaway_is_followed_by_a_new_connection(self):
        def answer(made):
            made.answer(body=b"x")
            made.connection.push()
            made.goaway()
        self.start_all(answer)
        for _ in range(3):
            self.assertEqual(request(self.proxy.port).status, 200)
            wait_until(lambda: self.stat("upstream_cx_active") == 0, "the end of the connection")
        self.assertEqual(len(self.origin.connections), 3)

    def test_a_connection_has_as_many_requests_as_it_may(self):
        options = config.speaks_http2()
        options["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"][
            "common_http_protocol_options"] = {"max_requests_per_connection": 2}
        self.start_all(cluster=options)
        for _ in range(5):
            self.assertEqual(request(self.proxy.port).status, 200)
        self.assertEqual(len(self.origin.connections), 3)

    def test_over_the_peers_limit_of_streams_there_are_more_connections(self):
        held = []

        def answer(made):
            held.append(made)
            if made.path == "/first":
                made.answer()
                held.clear()
        self.start_all(answer, settings={3: 1})  # MAX_CONCURRENT_STREAMS
        self.assertEqual(request(self.proxy.port, "/first").status, 200)  # and the settings are known
        for i in range(3):  # one by one: the limit of a new connection is not known before its settings have come
            wire = Wire(self.proxy.port).send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            self.addCleanup(wire.close)
            wait_until(lambda: len(held) == i + 1, "the request")
        self.assertEqual(len(self.origin.connections), 3)

    def test_settings(self):
        self.start_all(cluster=config.speaks_http2(initial_stream_window_size=70000, initial_connection_window_size=80000, hpack_table_size=1000))
        self.assertEqual(request(self.proxy.port).status, 200)
        settings = self.origin.connections[0].settings
        self.assertEqual((settings.get(1), settings.get(4)), (1000, 70000))
        self.assertEqual(self.origin.connections[0].h2.outbound_flow_control_window, 80000)

    def test_default_settings(self):
        self.start_all()
        self.assertEqual(request(self.proxy.port).status, 200)
        settings = self.origin.connections[0].settings
        self.assertEqual((settings.get(2), settings.get(4)), (0, self.since("1.36", new=16 << 20, old=256 << 20, why="safer defaults")))
        self.assertEqual(self.origin.connections[0].h2.outbound_flow_control_window, 24 << 20)

    def test_a_keepalive_that_is_not_answered_ends_the_connection(self):
        self.start_all(lambda made: None, cluster=config.speaks_http2(connection_keepalive={"interval": "0.05s", "timeout": "0.05s"}))

        class Deaf:
            def receive_data(self, _):
                return []

            def data_to_send(self):
                return b""

            def __getattr__(self, _):
                return lambda *_: None
        self.origin.early = lambda made: setattr(made.connection, "h2", Deaf())
        response = request(self.proxy.port)
        self.assertEqual(response.status, 503)

    def test_the_peer_is_held_back_by_a_client_that_does_not_read(self):
        self.start_all(lambda made: made.answer(body=b"x" * (16 << 20)) if made.path == "/large" else made.answer(body=b"small"),
                       cluster=config.speaks_http2(initial_stream_window_size=65535), manager={"routes": [config.route(timeout="0s")]})
        slow = Wire(self.proxy.port).send("GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
        wait_until(lambda: self.origin.requests, "the request")
        self.assertEqual(request(self.proxy.port, "/small").body, b"small")
        self.assertEqual(len(self.origin.connections), 1)
        left = self.origin.connections[0].waiting[self.origin.requests[0].stream][0]
        self.assertGreater(len(left), 4 << 20)
        self.assertEqual(len(slow.response().body), 16 << 20)
        slow.close()


@in_envoy_too
class Tls(Upstream):
    def start_tls(self, alpn, context_fields=None):
        authority = Authority(self.directory, "ca")
        tls = server_context(*authority.issue("server", "DNS:up.example"))
        if alpn:
            tls.set_alpn_protocols(alpn)
        socket = {"name": "tls", "typed_config": {"@type": config.TYPE + "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                                                  "sni": "up.example", "common_tls_context": context_fields or {}}}
        self.start_all(lambda request: request.answer(body=b"tls"), cluster={**config.speaks_http2(), "transport_socket": socket}, tls=tls)

    def test_h2_is_what_it_offers(self):
        self.start_tls(["h2", "http/1.1"])
        self.assertEqual(request(self.proxy.port).body, b"tls")
        self.assertEqual(self.origin.connections[0].socket.selected_alpn_protocol(), "h2")

    def test_a_server_without_alpn_is_spoken_to_all_the_same(self):
        self.start_tls([])
        self.assertEqual(request(self.proxy.port).body, b"tls")

    def test_what_the_configuration_offers_counts(self):
        self.start_tls(["own"], {"alpn_protocols": ["own", "h2"]})
        self.assertEqual(request(self.proxy.port).body, b"tls")
        self.assertEqual(self.origin.connections[0].socket.selected_alpn_protocol(), "own")
