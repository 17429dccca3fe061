# SPDX-License-Identifier: Apache-2.0
"""How much of a body a filter may hold back: by HTTP/2 the window of a stream counts, and not per_connection_buffer_limit_bytes."""

import contextlib
import unittest

from support import config, guests
from support.both import in_envoy_too
from support.http2_client import Http2Client
from support.http2_origin import h2
from support.origins import PythonServer
from support.processes import TestCase
from support.wire import request

# Holds a request's body back until it is whole, and a response's.
HOLDING = guests.guest("""
  (func $until_the_end (param i32 i32 i32) (result i32) (i32.eqz (local.get 2)))
  (export "proxy_on_request_body" (func $until_the_end))
  (export "proxy_on_response_body" (func $until_the_end))""")
LIMIT = 10_000  # of a connection, in bytes
WINDOW = 65_535  # the least that a stream may have
INTERNAL_ERROR = 2


@in_envoy_too
class HeldBack(TestCase):
    def start_all(self, **manager):
        origin = PythonServer(lambda asked: (200, {}, b"x" * int(asked.path[1:])))
        self.addCleanup(origin.close)
        made = config.bootstrap([config.cluster("origin", origin.port)], [config.wasm(guests.assemble(self.directory, "holding", HOLDING))],
                                **manager)
        made["static_resources"]["listeners"][0]["per_connection_buffer_limit_bytes"] = LIMIT
        self.proxy = self.start_proxy(made, concurrency=1)

    def length(self, size):
        return [("content-length", str(size))]

    def client(self):
        client = Http2Client(self.proxy.port)
        self.addCleanup(client.close)
        return client

    def test_more_than_a_connection_may_have(self):
        self.start_all()
        more = 5 * LIMIT
        self.assertEqual(self.client().request("/0", "POST", self.length(more), body=b"y" * more).status, 200)
        self.assertEqual(len(self.client().request(f"/{more}").body), more)
        self.assertEqual(request(self.proxy.port, "/0", "POST", body=b"y" * more).status, 413)

    def test_more_than_the_window_of_a_stream(self):
        self.start_all(http2_protocol_options={"initial_stream_window_size": WINDOW})
        client = self.client()
        self.assertEqual(client.request("/0", "POST", self.length(WINDOW - 1000), body=b"y" * (WINDOW - 1000)).status, 200)
        self.assertEqual(len(client.request(f"/{WINDOW - 1000}").body), WINDOW - 1000)
        stream = client.begin("/0", "POST", self.length(3 * WINDOW), end=False)
        with contextlib.suppress(h2.exceptions.StreamClosedError):  # refused meanwhile
            client.send(stream, b"y" * (WINDOW + 10_000))  # and more would follow
        self.assertEqual(client.answer(stream).status, 413)
        answer = self.client().request(f"/{3 * WINDOW}")
        self.assertEqual((answer.body, answer.reset), (b"", INTERNAL_ERROR))


if __name__ == "__main__":
    unittest.main()
