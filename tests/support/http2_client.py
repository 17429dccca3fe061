# SPDX-License-Identifier: Apache-2.0
"""An HTTP/2 client of Debian's python3-h2 that shows what came, stream by stream."""

import socket
import ssl

from .http2_origin import h2
from .processes import PATIENCE

READ = 1 << 16
HEAD = 9  # bytes of a frame


class Answer:
    def __init__(self):
        self.interim, self.fields, self.body, self.trailers = [], None, b"", []
        self.ended, self.reset = False, None

    @property
    def status(self):
        return self.fields and int(self.get(":status"))

    def get(self, name):
        return next((value for key, value in self.fields or [] if key == name), None)


class Http2Client:
    def __init__(self, port, tls=None, host="inlay.test"):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.settimeout(PATIENCE)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname=host)
        self.host = host
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8",
                                                                       validate_outbound_headers=False, normalize_outbound_headers=False))
        self.answers = {}
        self.goaways = []
        self.settings = {}
        self.ended = False
        self.came = b""  # part of a frame
        self.h2.initiate_connection()
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def begin(self, path="/", method="GET", fields=(), end=True, authority=True):
        stream = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "http"), (":path", path)] + ([(":authority", self.host)] if authority else [])
        self.answers[stream] = Answer()
        self.h2.send_headers(stream, [*head, *fields], end_stream=end)
        self.flush()
        return stream

    def send(self, stream, data=b"", end=False):
        while data or end:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if data and not room:
                self.read()
                continue
            part, data = data[:room], data[room:]
            self.h2.send_data(stream, part, end_stream=end and not data)
            self.flush()
            if not data:
                return

    def trailers(self, stream, fields):
        self.h2.send_headers(stream, fields, end_stream=True)
        self.flush()

    def cancel(self, stream, code=8):
        self.h2.reset_stream(stream, code)
        self.flush()

    def read(self):
        """What comes next. False: nothing will."""
        try:
            data = self.socket.recv(READ)
        except (ConnectionError, ssl.SSLError):
            data = b""
        if not data:
            self.ended = True
            return False
        self.came += data
        # Frame by frame, since h2 takes nothing behind GOAWAY, though streams that are open go on.
        while len(self.came) >= HEAD and len(self.came) >= (size := HEAD + int.from_bytes(self.came[:3], "big")):
            frame, self.came = self.came[:size], self.came[size:]
            for event in self.h2.receive_data(frame):
                self.on(event)
            self.h2.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN
        self.flush()
        return True

    def on(self, event):
        kind, answer = type(event).__name__, self.answers.get(getattr(event, "stream_id", None))
        if kind == "ResponseReceived":
            answer.fields = list(event.headers)
        elif kind == "InformationalResponseReceived":
            answer.interim.append(dict(event.headers)[":status"])
        elif kind == "DataReceived":
            answer.body += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif kind == "TrailersReceived":
            answer.trailers = list(event.headers)
        elif kind == "StreamEnded":
            answer.ended = True
        elif kind == "StreamReset":
            answer.reset = int(event.error_code)
        elif kind == "ConnectionTerminated":
            self.goaways.append((int(event.error_code), event.last_stream_id))
        elif kind == "RemoteSettingsChanged":
            self.settings.update({int(key): changed.new_value for key, changed in event.changed_settings.items()})

    def answer(self, stream):
        """The whole of it, or what there was when the stream or the connection ended."""
        answer = self.answers[stream]
        while not answer.ended and answer.reset is None and self.read():
            pass
        return answer

    def request(self, path="/", method="GET", fields=(), body=None, **options):
        stream = self.begin(path, method, fields, end=body is None, **options)
        if body is not None:
            self.send(stream, body, end=True)
        return self.answer(stream)

    def to_the_end(self):
        while self.read():
            pass
