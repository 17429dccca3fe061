# SPDX-License-Identifier: Apache-2.0
"""A server of gRPC's own library (Debian's python3-grpcio) on a free port of loopback. Messages are bytes as they are; its methods are

    test.Service/Echo      (unary) answers with what it got, and metadata x-server: 1, and x-end: 2 behind it
    test.Service/Size      (unary) answers with as many bytes "x" as the message says
    test.Service/Fail      (unary) NOT_FOUND, "nothing here: 100% sure"
    test.Service/Slow      (unary) waits until it is cancelled, by its deadline or by the client
    test.Service/Count     (server streams) 1, 2, ... to the number in the message, then OK
    test.Service/Chat      (both stream) each message back, and then ABORTED if one of them was "fail"
"""

import sys
import threading
import unittest

sys.path.append("/usr/lib/python3/dist-packages")  # for a python3 that is not Debian's, too, if it is of the same version
try:
    import grpc
except ImportError:
    grpc = None


def needs_grpc(test):
    return unittest.skipUnless(grpc, "python3-grpcio is not installed")(test)


class GrpcServer:
    def __init__(self):
        from concurrent import futures
        self.started = threading.Semaphore(0)  # Slow has begun
        self.ended = []  # how Slow ended: its remaining time was over, or it was cancelled
        self.seen = []  # (method, metadata) of each call
        self.pool = futures.ThreadPoolExecutor(8)
        self.server = grpc.server(self.pool, options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)])
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Service", {
            "Echo": grpc.unary_unary_rpc_method_handler(self.echo),
            "Size": grpc.unary_unary_rpc_method_handler(lambda message, context: b"x" * int(message)),
            "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "Slow": grpc.unary_unary_rpc_method_handler(self.slow),
            "Count": grpc.unary_stream_rpc_method_handler(self.count),
            "Chat": grpc.stream_stream_rpc_method_handler(self.chat),
        }),))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def close(self):
        self.server.stop(None).wait()
        self.pool.shutdown()

    def note(self, method, context):
        self.seen.append((method, {pair.key: pair.value for pair in context.invocation_metadata()}))

    def echo(self, message, context):
        self.note("Echo", context)
        context.send_initial_metadata((("x-server", "1"),))
        context.set_trailing_metadata((("x-end", "2"),))
        return message

    def fail(self, _, context):
        context.abort(grpc.StatusCode.NOT_FOUND, "nothing here: 100% sure")

    def slow(self, _, context):
        self.note("Slow", context)
        over = threading.Event()
        context.add_callback(over.set)
        self.started.release()
        over.wait()
        left = context.time_remaining()
        self.ended.append("deadline" if left is not None and left <= 0 else "cancelled")
        return b""

    def count(self, message, context):
        for i in range(int(message)):
            yield str(i + 1).encode()

    def chat(self, messages, context):
        failed = False
        for message in messages:
            failed = failed or message == b"fail"
            yield message
        if failed:
            context.abort(grpc.StatusCode.ABORTED, "as asked")
