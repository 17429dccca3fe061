# SPDX-License-Identifier: Apache-2.0
"""What stands behind the proxy: `inlay echo` and `inlay provider`, Python's http.server, nginx, HAProxy, and scripts."""

import http.server
import json
import os
import socketserver
import threading

from .processes import INLAY, PATIENCE, Program, free_port, listening
from .wire import Wire, request


class Echo(Program):
    def __init__(self, directory, name="echo"):
        self.port = free_port()
        super().__init__(name, [INLAY, "echo", "--port", str(self.port)], directory)
        self.wait_for(lambda: listening(self.port), "its port")


class Provider(Program):
    def __init__(self, directory, port=None, fault="none", prefix="", name="provider"):
        self.port = port or free_port()
        command = [INLAY, "provider", "--port", str(self.port), "--fault", fault, "--token-prefix", prefix]
        super().__init__(name, command, directory)
        self.wait_for(lambda: listening(self.port), "its port")

    def polls(self):
        return json.loads(request(self.port, "/polls").body)["polls"]

    def set_fault(self, fault):
        assert request(self.port, f"/fault/{fault}", "POST").status == 200, fault


def echoed(port, path="/", **options):
    """A request through the proxy to an Echo, as the echo saw it."""
    headers = dict(options.pop("headers", {}), accept="application/json")
    response = request(port, path, headers=headers, **options)
    assert response.status == 200, response
    return json.loads(response.body)


def all_workers_answer(port, path="/"):
    """True when every worker has headers: each learns of a token on a tick of its own, and a connection may reach any."""
    return all(request(port, path).status == 200 for _ in range(24))


class ThreadedServer:
    """A server of socketserver's, `base`, on a port of its own, with a thread for each connection."""

    def __init__(self, base, handler, tls=None):
        class Server(base):
            allow_reuse_address = True
            request_queue_size = 1024
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), handler)
        if tls is not None:  # each connection's handshake is made in the thread of its own
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class SocketServer(ThreadedServer):
    """Gives every connection to serve(socket)."""

    def __init__(self, serve):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.settimeout(PATIENCE)
                serve(self.request)

        super().__init__(socketserver.ThreadingTCPServer, Handler)


class PythonServer(ThreadedServer):
    """http.server in a thread, with `tls` (an ssl.SSLContext) over TLS. `answer(handler)` gives (status, headers, body);
    counts its requests."""

    def __init__(self, answer, tls=None):
        self.requests = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def handle_any(self):
                outer.requests += 1
                length = int(self.headers.get("content-length") or 0)
                self.body = self.rfile.read(length)
                status, headers, body = answer(self)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = handle_any

            def log_message(self, *_):
                pass

        super().__init__(http.server.ThreadingHTTPServer, Handler, tls)


class ScriptedOrigin(SocketServer):
    """Gives every connection, as a Wire, to script(wire) on a thread of its own."""

    def __init__(self, script):
        def serve(connection):
            wire = Wire.__new__(Wire)
            wire.socket, wire.buffer = connection, b""
            try:
                script(wire)
            except (OSError, EOFError):
                pass

        super().__init__(serve)


def read_request(wire):
    """(request line, headers as a dict of lists, body) of the next request that a ScriptedOrigin gets."""
    line = wire.line()
    headers = {}
    for name, value in wire.fields():
        headers.setdefault(name, []).append(value)
    body, trailers = b"", []
    if "chunked" in headers.get("transfer-encoding", [""])[0]:
        while size := int(wire.line().split(";")[0], 16):
            body += wire.exactly(size)
            wire.line()
        trailers = wire.fields()
    elif "content-length" in headers:
        body = wire.exactly(int(headers["content-length"][0]))
    return line, headers, body, trailers


NGINX = """
daemon off;
{user}
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/nginx.error.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  keepalive_requests 100000000;
  client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    {server}
  }}
}}
"""


class Nginx(Program):
    """nginx with the given text inside of its server block."""

    def __init__(self, directory, server, name="nginx"):
        self.port = free_port()
        own = os.path.join(directory, name)
        os.mkdir(own)
        path = os.path.join(own, "nginx.conf")
        with open(path, "w") as file:
            file.write(NGINX.format(directory=own, port=self.port, server=server,
                                    user="user root;" if os.geteuid() == 0 else ""))
        super().__init__(name, ["nginx", "-p", own, "-c", path, "-e", os.path.join(own, "start.log")], directory)
        self.wait_for(lambda: listening(self.port), "its port")


HAPROXY = """
global
  maxconn 4096
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
frontend all
  bind 127.0.0.1:{port} {bind}
  {rules}
"""


class Haproxy(Program):
    """HAProxy with the given lines in its frontend. `bind`: words of its bind line, as "proto h2"."""

    def __init__(self, directory, rules, name="haproxy", bind=""):
        self.port = free_port()
        path = os.path.join(directory, f"{name}.cfg")
        with open(path, "w") as file:
            file.write(HAPROXY.format(port=self.port, rules=rules, bind=bind))
        super().__init__(name, ["haproxy", "-db", "-f", path], directory)
        self.wait_for(lambda: listening(self.port), "its port")


# Origins that accept only a good token: 200 for `Bearer <digits>.<hex>`, 400 for all else.
CHECKING_NGINX = """
    location / {
      if ($http_authorization !~ "^Bearer [0-9]+[.][0-9a-f]+$") { return 400; }
      return 200 "ok\\n";
    }
"""
CHECKING_HAPROXY = """
  http-request return status 400 unless { req.hdr(authorization) -m reg '^Bearer [0-9]+[.][0-9a-f]+$' }
  http-request return status 200 content-type text/plain string "ok"
"""
