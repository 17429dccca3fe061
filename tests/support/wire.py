# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as bytes: a client that shows exactly what came over the wire."""

import socket

from .processes import PATIENCE


class Response:
    def __init__(self, status, reason, headers):
        self.status = status
        self.reason = reason
        self.headers = headers  # [(lower-case name, value)] in order
        self.body = b""
        self.trailers = []
        self.chunked = False

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def get(self, name):
        values = self.all(name)
        return values[0] if values else None

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}>"


class Wire:
    """One connection. send() takes bytes or text; response() reads one response, waiting for all of it."""

    def __init__(self, port, host="127.0.0.1", timeout=PATIENCE):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.settimeout(timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)
        return self

    def _more(self):
        data = self.socket.recv(1 << 16)
        self.buffer += data
        return bool(data)

    def line(self):
        while b"\n" not in self.buffer:
            if not self._more():
                raise EOFError(f"the connection ended within a line: {self.buffer!r}")
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r").decode("latin-1")

    def exactly(self, count):
        parts, have = [self.buffer[:count]], min(len(self.buffer), count)
        self.buffer = self.buffer[count:]
        while have < count:
            data = self.socket.recv(min(1 << 20, count - have))
            if not data:
                raise EOFError(f"the connection ended {count - have} bytes early")
            parts.append(data)
            have += len(data)
        return b"".join(parts)

    def fields(self):
        fields = []
        while line := self.line():
            name, _, value = line.partition(":")
            fields.append((name.lower(), value.strip()))
        return fields

    def head(self):
        _, status, *reason = self.line().split(" ", 2)
        return Response(int(status), reason[0] if reason else "", self.fields())

    def response(self, method="GET", informational=False):
        """The next response; 1xx ones are skipped unless asked for."""
        response = self.head()
        while 100 <= response.status < 200 and not informational:
            response = self.head()
        if method == "HEAD" or response.status in (204, 304) or response.status < 200:
            return response
        if "chunked" in (response.get("transfer-encoding") or ""):
            response.chunked = True
            while size := int(self.line().split(";")[0], 16):
                response.body += self.exactly(size)
                self.line()
            response.trailers = self.fields()
        elif (length := response.get("content-length")) is not None:
            response.body = self.exactly(int(length))
        else:
            while self._more():
                pass
            response.body, self.buffer = self.buffer, b""
        return response

    def ended(self):
        """True when the peer closes without sending more."""
        try:
            return not self.buffer and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def request(port, path="/", method="GET", headers=(), body=b"", host="inlay.test"):
    """One request on a connection of its own."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    text = f"{method} {path} HTTP/1.1\r\nhost: {host}\r\n" + "".join(f"{n}: {v}\r\n" for n, v in pairs)
    if body:
        text += f"content-length: {len(body)}\r\n"
    with Wire(port) as wire:
        wire.send(text.encode("latin-1") + b"\r\n" + body)
        return wire.response(method)
