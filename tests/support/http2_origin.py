# SPDX-License-Identifier: Apache-2.0
"""An HTTP/2 server behind the proxy, of Debian's python3-h2, that keeps what it is told and answers as a test says."""

import socket
import ssl
import sys

from .origins import SocketServer

sys.path.append("/usr/lib/python3/dist-packages")  # pure Python, for a python3 that is not Debian's, too
import h2.config  # noqa: E402
import h2.connection  # noqa: E402
import h2.errors  # noqa: E402
import h2.events  # noqa: E402
import h2.exceptions  # noqa: E402
import h2.settings  # noqa: E402

READ = 1 << 16


class Request:
    """One request, and the way to answer it. `fields` are (name, value) in order, pseudo-headers too."""

    def __init__(self, connection, stream, fields):
        self.connection, self.stream, self.fields = connection, stream, fields
        self.body, self.trailers = b"", []
        self.whole = False
        self.reset = None  # the peer's error code

    def get(self, name):
        return next((value for key, value in self.fields if key == name), None)

    @property
    def path(self):
        return self.get(":path")

    def interim(self, status, fields=()):
        self.connection.h2.send_headers(self.stream, [(":status", str(status)), *fields])

    def headers(self, status=200, fields=(), end=False):
        self.connection.h2.send_headers(self.stream, [(":status", str(status)), *fields], end_stream=end)

    def data(self, data, end=False):
        self.connection.send(self.stream, data, end)

    def end(self, trailers=None):
        self.connection.send(self.stream, b"", True, trailers)

    def answer(self, status=200, fields=(), body=b"", trailers=None):
        self.headers(status, fields)
        self.connection.send(self.stream, body, True, trailers)

    def refuse(self, code):
        self.connection.h2.reset_stream(self.stream, code)

    def goaway(self, last=None):
        self.connection.h2.close_connection(last_stream_id=last)


class Connection:
    def __init__(self, origin, wire):
        self.origin, self.socket = origin, wire
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8",
                                                                       validate_outbound_headers=False))
        self.h2.local_settings = h2.settings.Settings(client=False, initial_values=dict(origin.settings))
        self.requests = {}
        self.waiting = {}  # stream: [bytes, end, trailers]: what the peer's window has no room for
        self.settings = {}  # the peer's

    def run(self):
        self.h2.initiate_connection()
        self.flush()
        while True:
            data = self.socket.recv(READ)
            if not data:
                return
            for event in self.h2.receive_data(data):
                self.on(event)
            self.push()
            self.flush()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def on(self, event):
        kind = type(event).__name__
        request = self.requests.get(getattr(event, "stream_id", None))
        if kind == "RequestReceived":
            request = self.requests[event.stream_id] = Request(self, event.stream_id, list(event.headers))
            self.origin.requests.append(request)
            self.origin.early(request)
        elif kind == "DataReceived":
            request.body += event.data
            if self.origin.reads:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif kind == "TrailersReceived":
            request.trailers = list(event.headers)
        elif kind == "StreamEnded":
            request.whole = True
            self.origin.answer(request)
        elif kind == "StreamReset" and request:
            request.reset = int(event.error_code)
            self.waiting.pop(event.stream_id, None)
        elif kind == "RemoteSettingsChanged":
            self.settings.update({int(key): changed.new_value for key, changed in event.changed_settings.items()})

    def send(self, stream, data, end, trailers=None):
        held = self.waiting.setdefault(stream, [b"", False, None])
        held[0] += data
        held[1] |= end
        held[2] = held[2] or trailers

    def push(self):
        for stream, (data, end, trailers) in list(self.waiting.items()):
            while data:
                room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(data))
                if room <= 0:
                    break
                self.h2.send_data(stream, data[:room], end_stream=end and not trailers and room == len(data))
                data = data[room:]
            if data:
                self.waiting[stream][0] = data
                continue
            if end and trailers:
                self.h2.send_headers(stream, trailers, end_stream=True)
            elif end and not self.waiting[stream][0]:
                self.h2.end_stream(stream)
            self.waiting.pop(stream)


class Http2Origin(SocketServer):
    """`answer(request)` is called when a request is whole, on the thread of its connection; `early(request)` when its head has come.
    `tls`: an ssl.SSLContext."""

    def __init__(self, answer=lambda request: request.answer(), early=lambda request: None, tls=None, settings=None):
        self.answer, self.early = answer, early
        self.settings = settings or {}
        self.reads = True
        self.requests = []
        self.connections = []
        self.faults = []  # what a peer did that is not HTTP/2
        self.tls = tls
        super().__init__(self.serve)

    def serve(self, wire):
        try:
            if self.tls is not None:
                wire = self.tls.wrap_socket(wire, server_side=True)
            self.connections.append(Connection(self, wire))
            self.connections[-1].run()
        except (OSError, ssl.SSLError):
            pass
        except h2.exceptions.ProtocolError as error:
            self.faults.append(repr(error))
        finally:
            try:
                wire.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            wire.close()
