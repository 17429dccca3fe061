# SPDX-License-Identifier: Apache-2.0
"""What stands in for SPIRE's agent: SPIFFE's Workload API on a socket. HAProxy speaks HTTP/2 there, and leads to a script that answers in
HTTP/1.1 with the trailers that gRPC needs."""

import base64
import json
import os
import time

from . import pipes
from .origins import ScriptedOrigin, read_request
from .processes import Program

HAPROXY = """
global
  maxconn 256
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
frontend agent
  bind {path} mode 600 proto h2
  default_backend agent
backend agent
  server agent 127.0.0.1:{port}
"""


def field(number, content):
    """A field of a protobuf message with a length."""
    size, varint = len(content), b""
    while size >= 0x80:
        varint += bytes([size & 0x7f | 0x80])
        size >>= 7
    return bytes([number << 3 | 2]) + varint + bytes([size]) + content


def frame(message):
    return b"\0" + len(message).to_bytes(4, "big") + message


class Agent:
    """Gives out JWT-SVIDs for `life` seconds, unless `refusal` is a (grpc-status, grpc-message)."""

    def __init__(self, test, path, life=600):
        self.test, self.path, self.life = test, path, life
        self.refusal = None
        self.asked = []  # (line, headers, body) of each call
        self.given = {}  # each JWT-SVID, with its end
        self.script = ScriptedOrigin(self.serve)
        test.addCleanup(self.script.close)

    def start(self):
        configuration = os.path.join(self.test.directory, "agent.cfg")
        with open(configuration, "w") as file:
            file.write(HAPROXY.format(path=self.path, port=self.script.port))
        program = self.test.start(Program("agent", ["haproxy", "-db", "-f", configuration], self.test.directory))
        program.wait_for(lambda: pipes.listening(self.path), "its socket")
        return self

    def serve(self, wire):
        while True:
            line, headers, body, _ = read_request(wire)
            self.asked.append((line, headers, body))
            if self.refusal:
                status, message = self.refusal
                wire.send(f"HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ngrpc-status: {status}\r\ngrpc-message: {message}\r\n"
                          "content-length: 0\r\n\r\n".encode())
                continue
            message = frame(field(1, field(1, b"spiffe://example.org/envoy") + field(2, self.svid().encode())))
            wire.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ntransfer-encoding: chunked\r\ntrailer: grpc-status\r\n\r\n"
                      + b"%x\r\n" % len(message) + message + b"\r\n0\r\ngrpc-status: 0\r\n\r\n")

    def svid(self):
        end = int(time.time()) + self.life
        parts = ({"alg": "ES256", "kid": "k"}, {"sub": "spiffe://example.org/envoy", "n": len(self.asked), "exp": end}, {"s3cr3t": 1})
        made = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        self.given[made] = end
        return made
