# SPDX-License-Identifier: Apache-2.0
"""What routes say of times: how long an upstream may take, a stream may last and be idle, and what grpc-timeout makes of it."""

import threading
import unittest

from support import config
from support.both import in_envoy_too
from support.http2_client import Http2Client
from support.http2_origin import Http2Origin
from support.origins import PythonServer
from support.processes import PATIENCE, TestCase
from support.wire import request

GRPC = [("content-type", "application/grpc"), ("te", "trailers")]
LONG = f"{PATIENCE}s"


class Timeouts(TestCase):
    """The origin answers when the test is over, and not before."""

    def serve(self, manager=None, **action):
        self.over = threading.Event()
        origin = PythonServer(self.answer_late)
        self.addCleanup(origin.close)
        self.addCleanup(self.over.set)
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", origin.port)], routes=[config.route(**action)], **(manager or {})))

    def answer_late(self, _):
        self.over.wait(PATIENCE)
        return 200, {}, b""

    def status(self, **headers):
        return request(self.proxy.port, headers=headers).status

    def stat(self, name):
        return self.proxy.stats().get("http.ingress." + name, 0)


@in_envoy_too
class Duration(Timeouts):
    def test_of_the_route(self):
        self.serve(timeout="0s", max_stream_duration={"max_stream_duration": "0.2s"})
        response = request(self.proxy.port)
        self.assertEqual((response.status, response.body), (504, b"downstream duration timeout"))
        self.assertEqual(self.stat("downstream_rq_max_duration_reached"), 1)

    def test_in_the_place_of_the_managers(self):
        short = {"common_http_protocol_options": {"max_stream_duration": "0.2s"}}
        self.serve(short, timeout="1s")
        self.assertEqual(self.status(), 504)
        self.assertEqual(self.stat("downstream_rq_max_duration_reached"), 1)
        self.serve(short, max_stream_duration={"max_stream_duration": "0.6s"}, idle_timeout="0.3s")
        self.assertEqual(self.status(), 504)
        self.assertEqual(self.stat("downstream_rq_max_duration_reached"), 0)  # the idle timeout was first
        self.serve(short, max_stream_duration={"max_stream_duration": "0s"}, idle_timeout="0.3s")
        self.assertEqual(self.status(), 504)
        self.assertEqual(self.stat("downstream_rq_max_duration_reached"), 0)

    def test_the_managers_where_the_route_says_nothing_of_it(self):
        self.serve({"common_http_protocol_options": {"max_stream_duration": "0.2s"}}, max_stream_duration={"grpc_timeout_header_max": LONG})
        self.assertEqual(self.status(), 504)
        self.assertEqual(self.stat("downstream_rq_max_duration_reached"), 1)

    def test_with_it_the_routes_timeout_does_not_count(self):
        self.serve(timeout="0.1s", max_stream_duration={"max_stream_duration": "0.4s"})
        self.assertEqual(request(self.proxy.port).body, b"downstream duration timeout")

    def test_what_grpc_timeout_says(self):
        self.serve(max_stream_duration={"max_stream_duration": LONG, "grpc_timeout_header_max": "0s"})
        self.assertEqual(self.status(**{"grpc-timeout": "200m"}), 504)
        self.assertEqual(self.stat("downstream_rq_max_duration_reached"), 1)

    def test_and_no_more_than_the_route_allows(self):
        self.serve(max_stream_duration={"max_stream_duration": LONG, "grpc_timeout_header_max": "0.2s"})
        self.assertEqual(self.status(**{"grpc-timeout": "1H"}), 504)

    def test_an_offset_that_leaves_nothing(self):
        self.serve(max_stream_duration={"grpc_timeout_header_max": LONG, "grpc_timeout_header_offset": "2s"})
        self.assertEqual(self.status(**{"grpc-timeout": "1S"}), 504)

    def test_grpc_gets_a_status(self):
        self.serve(max_stream_duration={"max_stream_duration": "0.2s"})
        with Http2Client(self.proxy.port) as client:
            answer = client.request("/a.B/C", "POST", GRPC)
        self.assertEqual((answer.status, answer.get("grpc-status"), answer.get("grpc-message")), (200, "4", "downstream duration timeout"))


@in_envoy_too
class Idle(Timeouts):
    def test_of_the_route(self):
        self.serve(timeout="0s", idle_timeout="0.2s")
        response = request(self.proxy.port)
        self.assertEqual((response.status, response.body), (504, b"stream timeout"))
        self.assertEqual(self.stat("downstream_rq_idle_timeout"), 1)

    def test_in_the_place_of_the_managers(self):
        self.serve({"stream_idle_timeout": "0.1s"}, timeout="0.5s", idle_timeout="0s")
        self.assertEqual(request(self.proxy.port).body, b"upstream request timeout")
        self.assertEqual(self.stat("downstream_rq_idle_timeout"), 0)


@in_envoy_too
class Forwarded(TestCase):
    """What the service is told of the time that is left."""

    def told(self, fields, manager=None, **action):
        origin = Http2Origin()
        self.addCleanup(origin.close)
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", origin.port, **config.speaks_http2())], routes=[config.route(**action)],
                                                  **(manager or {})))
        with Http2Client(proxy.port) as client:
            client.request("/a.B/C", "POST", [*GRPC, *fields])
        seen = origin.requests[0]
        return seen.get("grpc-timeout"), seen.get("x-envoy-expected-rq-timeout-ms")

    def test_the_duration(self):
        limit = {"max_stream_duration": "20s"}
        self.assertEqual(self.told([], max_stream_duration=limit), ("20000m", None))
        self.assertEqual(self.told([("grpc-timeout", "7S")], max_stream_duration=limit), ("20000m", None))
        limit["grpc_timeout_header_max"] = "10s"
        self.assertEqual(self.told([], max_stream_duration=limit), ("20000m", None))
        self.assertEqual(self.told([("grpc-timeout", "7S")], max_stream_duration=limit), ("7000m", None))
        self.assertEqual(self.told([("grpc-timeout", "70S")], max_stream_duration=limit), ("10000m", None))
        limit["grpc_timeout_header_offset"] = "1s"
        self.assertEqual(self.told([("grpc-timeout", "7S")], max_stream_duration=limit), ("6000m", None))

    def test_no_duration(self):
        self.assertEqual(self.told([("grpc-timeout", "7S")], max_stream_duration={"max_stream_duration": "0s"}), ("7S", None))
        manager = {"common_http_protocol_options": {"max_stream_duration": "30s"}}
        self.assertEqual(self.told([("grpc-timeout", "7S")], manager, max_stream_duration={"max_stream_duration": "0s"}), (None, None))
        self.assertEqual(self.told([("grpc-timeout", "7S")], manager), ("7S", "15000"))

    def test_the_older_form(self):
        self.assertEqual(self.told([("grpc-timeout", "7S")], max_grpc_timeout="10s"), ("7000m", "7000"))
        self.assertEqual(self.told([("grpc-timeout", "70S")], max_grpc_timeout="10s"), ("10000m", "10000"))
        self.assertEqual(self.told([], max_grpc_timeout="10s"), ("10000m", "10000"))
        self.assertEqual(self.told([], max_grpc_timeout="0s"), (None, None))
        self.assertEqual(self.told([("grpc-timeout", "7S")], max_grpc_timeout="10s", grpc_timeout_offset="1s"), ("6000m", "6000"))


if __name__ == "__main__":
    unittest.main()
