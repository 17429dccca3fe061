# SPDX-License-Identifier: Apache-2.0
"""Clients that speak HTTP/2: with prior knowledge and over TLS, to upstreams of HTTP/1 and HTTP/2; limits, resets and the end of connections."""

import shutil
import ssl
import subprocess
import threading

from support import config
from support.both import in_envoy_too, inlay_only
from support.certificates import Authority
from support.http2_client import Answer, Http2Client
from support.http2_origin import Http2Origin
from support.origins import Echo, PythonServer, ScriptedOrigin, read_request
from support.processes import PATIENCE, TestCase, wait_until
from support.wire import Wire, request

CANCEL = 8
LARGE = 3 << 20


class Downstream(TestCase):
    def start_all(self, answer=None, manager=None, transport_socket=None):
        if answer is None:
            port = self.start(Echo(self.directory)).port
        else:
            self.origin = PythonServer(answer)
            self.addCleanup(self.origin.close)
            port = self.origin.port
        bootstrap = config.bootstrap([config.cluster("origin", port)], **(manager or {}))
        if transport_socket:
            bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["transport_socket"] = transport_socket
        self.proxy = self.start_proxy(bootstrap, concurrency=1)

    def client(self, **options):
        client = Http2Client(self.proxy.port, **options)
        self.addCleanup(client.close)
        return client

    def stat(self, name):
        return self.proxy.stats().get("http.ingress.downstream_" + name, 0)


@in_envoy_too
class Requests(Downstream):
    def test_requests_and_answers(self):
        self.start_all(lambda handler: (201, {"x-answer": handler.headers["x-one"], "connection": "keep-alive"}, b"hello " + handler.path.encode()))
        client = self.client()
        for path in ("/a?b=c", "/d"):
            answer = client.request(path, fields=[("x-one", "1"), ("te", "trailers")])
            self.assertEqual((answer.status, answer.get("x-answer"), answer.body), (201, "1", b"hello " + path.encode()))
            self.assertIsNone(answer.get("connection"))
            self.assertEqual(answer.get("server"), "envoy")
        self.assertEqual((self.stat("cx_http2_total"), self.stat("rq_http2_total")), (1, 2))

    def test_what_the_upstream_sees(self):
        self.start_all()
        client = self.client()
        seen = client.request("/a", "POST", [("accept", "application/json"), ("cookie", "a=1"), ("cookie", "b=2")], body=b"hello")
        text = seen.body.decode()
        for part in ('"POST"', '"/a"', "inlay.test", "a=1; b=2", '"x-forwarded-proto"', '"x-request-id"'):
            self.assertIn(part, text)

    def test_bodies_of_both_ways_are_whole(self):
        self.start_all(lambda handler: (200, {}, handler.body))
        body = bytes(range(256)) * (LARGE // 256)
        client = self.client()
        answer = client.request("/", "POST", [("content-length", str(len(body)))], body=body)
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.body == body, "the body came back otherwise")

    def test_many_at_once(self):
        self.start_all(lambda handler: (200, {}, handler.path.encode()))
        client = self.client()
        streams = {client.begin(f"/{i}"): b"/%d" % i for i in range(50)}
        for stream, path in streams.items():
            self.assertEqual(client.answer(stream).body, path)

    def test_head_and_statuses_without_a_body(self):
        origin = Http2Origin(lambda made: made.answer(int(made.path[1:]), [("content-length", "5")] if made.path == "/200" else []))
        self.addCleanup(origin.close)
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", origin.port, **config.speaks_http2())]))
        client = self.client()
        answer = client.request("/200", "HEAD")
        self.assertEqual((answer.status, answer.get("content-length"), answer.body, answer.ended), (200, "5", b"", True))
        for status in (204, 304):
            answer = client.request(f"/{status}")
            self.assertEqual((answer.status, answer.body, answer.ended), (status, b"", True))

    def test_trailers_of_both_ways(self):
        origin = Http2Origin(lambda made: made.answer(body=made.body, trailers=[("x-back", dict(made.trailers)["x-end"])]))
        self.addCleanup(origin.close)
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", origin.port, **config.speaks_http2())]))
        client = self.client()
        stream = client.begin("/", "POST", end=False)
        client.send(stream, b"body")
        client.trailers(stream, [("x-end", "1")])
        answer = client.answer(stream)
        self.assertEqual((answer.body, answer.trailers), (b"body", [("x-back", "1")]))

    def test_http1_is_spoken_on_the_same_port(self):
        self.start_all(lambda handler: (200, {}, b"both"))
        self.assertEqual(request(self.proxy.port).body, b"both")
        self.assertEqual(self.client().request().body, b"both")
        self.assertEqual((self.stat("cx_http1_total"), self.stat("cx_http2_total")), (1, 1))

    def test_expect_100_continue(self):
        self.start_all(lambda handler: (200, {}, handler.body))
        client = self.client()
        stream = client.begin("/", "POST", [("expect", "100-continue"), ("content-length", "2")], end=False)
        while not client.answers[stream].interim:
            self.assertTrue(client.read())
        client.send(stream, b"ok", end=True)
        answer = client.answer(stream)
        self.assertEqual((answer.interim, answer.body), (["100"], b"ok"))

    def test_local_replies(self):
        self.start_all(lambda handler: (200, {}, b""), manager={"routes": [
            {"match": {"prefix": "/gone"}, "direct_response": {"status": 410, "body": {"inline_string": "gone"}}}]})
        client = self.client()
        answer = client.request("/gone")
        self.assertEqual((answer.status, answer.body, answer.get("content-length")), (410, b"gone", "4"))
        self.assertEqual(client.request("/other").status, 404)
        answer = client.request("/other", "POST", [("content-type", "application/grpc")], body=b"")
        self.assertEqual((answer.status, answer.get("grpc-status")), (200, "12"))

    def test_a_filter_sees_http2(self):
        self.start_all(lambda handler: (200, {}, b""), manager={"access_log": [config.file_log(self.directory + "/log", "%PROTOCOL% %REQ(:METHOD)% %RESPONSE_CODE%\n")]})
        self.assertEqual(self.client().request().status, 200)

        def lines():
            try:
                with open(self.directory + "/log") as file:
                    return file.read()
            except FileNotFoundError:
                return ""
        wait_until(lines, "a line of the log")
        self.assertEqual(lines(), "HTTP/2 GET 200\n")


@in_envoy_too
class Faults(Downstream):
    def test_a_request_names_its_host(self):
        self.start_all(lambda handler: (200, {}, handler.headers["host"].encode()))
        client = self.client()
        self.assertEqual((client.request(authority=False).status, client.ended), (None, True))
        client = self.client()
        self.assertEqual(client.request(fields=[("host", "other")], authority=False).body, b"other")
        self.assertEqual(client.request(fields=[("host", "other")]).body, b"inlay.test")

    def test_connect_is_refused(self):
        self.start_all(lambda handler: (200, {}, b""))
        client = self.client()
        stream = client.h2.get_next_available_stream_id()
        client.answers[stream] = Answer()
        client.h2.send_headers(stream, [(":method", "CONNECT"), (":authority", "a:1")])
        client.flush()
        self.assertEqual(client.answer(stream).status, 404)

    def test_what_is_no_message_ends_the_connection(self):
        self.start_all(lambda handler: (200, {}, b""))
        for fields in ([("connection", "close")], [("X-Upper", "1")], [("x-a", "1\x012")], [("te", "gzip")]):
            client = self.client()
            self.assertEqual((client.request(fields=fields).status, client.ended), (None, True), fields)
        client = self.client()
        self.assertEqual((client.request("no-slash").status, client.ended), (None, True))

    def test_what_is_no_message_ends_its_stream_alone_if_wanted(self):
        self.start_all(lambda handler: (200, {}, b""),
                       manager={"http2_protocol_options": {"override_stream_error_on_invalid_http_message": True}})
        client = self.client()
        answer = client.request(fields=[("connection", "close")])
        self.assertIsNotNone(answer.reset)
        self.assertEqual(client.request().status, 200)

    def test_what_is_too_large_or_too_short_ends_its_stream_alone(self):
        self.start_all(lambda handler: (200, {}, b""))
        client = self.client()
        for answer in (client.request(fields=[(f"x-{i}", "v") for i in range(120)]), client.request(fields=[("x-a", "v" * 65000)]),
                       client.request("/", "POST", [("content-length", "7")], body=b"abc")):
            self.assertEqual(answer.status, None)
            self.assertIsNotNone(answer.reset)
        self.assertEqual(client.request().status, 200)

    def test_a_client_that_resets_leaves_the_others_alone(self):
        over = threading.Event()
        self.addCleanup(over.set)

        def answer(handler):
            if handler.path == "/held":
                over.wait(PATIENCE)
            return 200, {}, b"there"
        self.start_all(answer)
        client = self.client()
        client.cancel(client.begin("/held", "POST", end=False))
        self.assertEqual(client.request().body, b"there")
        wait_until(lambda: self.stat("rq_rx_reset") == 1, "the reset")

    def test_an_upstream_that_dies_resets_the_stream_alone(self):
        def script(wire):
            line = read_request(wire)[0]
            if "/dies" in line:
                wire.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhel")
            else:
                wire.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                wire.line()
        origin = ScriptedOrigin(script)
        self.addCleanup(origin.close)
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", origin.port)]))
        client = self.client()
        answer = client.request("/dies")
        self.assertEqual((answer.status, answer.body, answer.ended), (200, b"hel", False))
        self.assertIsNotNone(answer.reset)
        self.assertEqual(client.request("/lives").body, b"ok")

    def test_garbage_after_the_preface_ends_the_connection(self):
        self.start_all(lambda handler: (200, {}, b""))
        with Wire(self.proxy.port) as wire:
            wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 64)
            while wire.socket.recv(1 << 16):
                pass
        wait_until(lambda: self.stat("cx_protocol_error") == 1, "the statistic")
        self.assertEqual(request(self.proxy.port).status, 200)

    def test_an_answer_before_the_request_is_whole(self):
        self.start_all(lambda handler: (200, {}, b""), manager={"routes": [
            {"match": {"prefix": "/"}, "direct_response": {"status": 413, "body": {"inline_string": "no"}}}]})
        client = self.client()
        stream = client.begin("/", "POST", end=False)
        client.send(stream, b"start")
        answer = client.answer(stream)
        self.assertEqual((answer.status, answer.body), (413, b"no"))

    def test_empty_frames_are_no_flood(self):
        self.start_all(lambda handler: (200, {}, b""))
        client = self.client()
        stream = client.begin("/", "POST", end=False)
        try:
            for _ in range(100):
                client.h2.send_data(stream, b"")
                client.flush()
            client.to_the_end()
        except OSError:
            client.ended = True
        self.assertTrue(client.ended or client.goaways)
        self.assertEqual(request(self.proxy.port).status, 200)

    def test_rapid_resets_end_the_connection(self):
        self.start_all(lambda handler: (200, {}, b""), manager={"routes": [config.route(timeout="0s")]})
        client = self.client()
        try:
            for _ in range(3000):
                client.cancel(client.begin("/", "POST", end=False))
            client.to_the_end()
        except OSError:
            client.ended = True
        self.assertTrue(client.ended)
        wait_until(lambda: self.stat("rq_too_many_premature_resets") == 1, "the statistic")
        self.assertEqual(request(self.proxy.port).status, 200)


@in_envoy_too
class Connections(Downstream):
    def test_settings(self):
        self.start_all(lambda handler: (200, {}, b""), manager={"http2_protocol_options": {
            "hpack_table_size": 1000, "max_concurrent_streams": 7, "initial_stream_window_size": 70000, "initial_connection_window_size": 80000}})
        client = self.client()
        self.assertEqual(client.request().status, 200)
        self.assertEqual([client.settings.get(key) for key in (1, 3, 4)], [1000, 7, 70000])
        self.assertEqual(client.h2.outbound_flow_control_window, 80000)

    def test_default_settings(self):
        self.start_all(lambda handler: (200, {}, b""))
        client = self.client()
        self.assertEqual(client.request().status, 200)
        self.assertEqual([client.settings.get(key) for key in (3, 4)], [1024, 16 << 20])
        self.assertEqual(client.h2.outbound_flow_control_window, 24 << 20)

    def test_a_connection_has_as_many_requests_as_it_may(self):
        self.start_all(lambda handler: (200, {}, b""), manager={"common_http_protocol_options": {"max_requests_per_connection": 2}})
        client = self.client()
        for _ in range(2):
            self.assertEqual(client.request().status, 200)
        client.to_the_end()
        self.assertTrue(client.goaways)

    def test_an_idle_connection_is_told_and_closed(self):
        self.start_all(lambda handler: (200, {}, b""), manager={"common_http_protocol_options": {"idle_timeout": "0.2s"}})
        client = self.client()
        self.assertEqual(client.request().status, 200)
        client.to_the_end()
        self.assertEqual(client.goaways[-1][0], 0)

    def test_a_client_that_does_not_read_is_waited_for(self):
        self.start_all(lambda handler: (200, {}, b"x" * (8 << 20) if handler.path == "/large" else b"small"))
        client = self.client()
        large = client.begin("/large")
        self.assertEqual(Http2Client(self.proxy.port).request("/small").body, b"small")
        self.assertEqual(len(client.answer(large).body), 8 << 20)

    def test_codec_type(self):
        self.start_all(lambda handler: (200, {}, b""), manager={"codec_type": "HTTP2"})
        self.assertEqual(self.client().request().status, 200)
        with Wire(self.proxy.port) as wire:
            wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            while wire.socket.recv(1 << 16):
                pass


@in_envoy_too
class Tls(Downstream):
    def start_tls(self, *alpn):
        authority = Authority(self.directory, "ca")
        chain, key = authority.issue("server", "DNS:inlay.test")
        socket = {"name": "tls", "typed_config": {
            "@type": config.TYPE + "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {"alpn_protocols": list(alpn),
                                   "tls_certificates": [{"certificate_chain": {"filename": chain}, "private_key": {"filename": key}}]}}}
        self.start_all(lambda handler: (200, {}, b"tls"), transport_socket=socket)
        self.context = ssl.create_default_context(cafile=authority.certificate)

    def test_alpn_decides(self):
        self.start_tls("h2", "http/1.1")
        self.context.set_alpn_protocols(["h2", "http/1.1"])
        client = self.client(tls=self.context)
        self.assertEqual(client.socket.selected_alpn_protocol(), "h2")
        self.assertEqual(client.request().body, b"tls")

    def test_without_alpn_the_first_bytes_do(self):
        self.start_tls()
        self.assertEqual(self.client(tls=self.context).request().body, b"tls")


@inlay_only("its drain at SIGTERM")
class Drain(Downstream):
    def test_requests_end_and_the_client_is_told(self):
        held = []

        def answer(handler):
            held.append(handler)
            wait_until(lambda: len(held) > 1, "the signal")
            return 200, {}, b"late"
        self.start_all(answer)
        client = self.client()
        stream = client.begin()
        wait_until(lambda: held, "the request")
        self.proxy.process.terminate()
        while not client.goaways:
            self.assertTrue(client.read())
        held.append(None)
        self.assertEqual(client.answer(stream).body, b"late")
        client.to_the_end()
        self.assertEqual(self.proxy.process.wait(60), 0)


@in_envoy_too
class Curl(Downstream):
    def test_curl_speaks_it(self):
        curl = shutil.which("curl")
        self.start_all()
        done = subprocess.run([curl, "-s", "--http2-prior-knowledge", "-w", "%{http_version} %{http_code}", "-o", "/dev/null",
                               f"http://127.0.0.1:{self.proxy.port}/"], capture_output=True, text=True, timeout=600, check=False)
        self.assertEqual(done.stdout, "2 200")
