# SPDX-License-Identifier: Apache-2.0
"""What scripts/bench_protocols measures: the ways of a request, proxies that take all of them, and the load on them."""

import dataclasses
import os
import re
import ssl
import subprocess
import sys

from . import config
from .envoy import Envoy, find_envoy
from .http2_client import Http2Client
from .origins import Haproxy, Nginx
from .processes import PATIENCE, Proxy, free_port
from .wire import Wire


@dataclasses.dataclass(frozen=True)
class Way:
    client: str    # "HTTP/1.1" or "HTTP/2"
    tls: bool
    upstream: str  # what the origin speaks

    @property
    def name(self):
        return f"{self.client}{' by TLS' if self.tls else ''} to {self.upstream}"


WAYS = [Way(client, tls, upstream) for upstream in ("HTTP/1.1", "HTTP/2") for tls in (False, True) for client in ("HTTP/1.1", "HTTP/2")]


@dataclasses.dataclass
class Contender:
    name: str
    program: object
    ports: dict  # by way, of those that it can


NGINX = """
    listen 127.0.0.1:{http2} http2;
    listen 127.0.0.1:{tls} ssl http2;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    location / {{
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
    }}
  }}
  upstream origin {{
    server 127.0.0.1:{origin};
    keepalive 512;
    keepalive_requests 100000000;
  }}
  server {{
    listen 127.0.0.1:{unused};
"""

# Its lines go on after the bind line of the first port, for HTTP/1.1 in clear text to an origin of HTTP/1.1.
HAPROXY = """
  bind 127.0.0.1:{http2} proto h2
  bind 127.0.0.1:{tls} ssl crt {pem} alpn h2,http/1.1
  default_backend origin1
backend origin1
  http-reuse always
  server one 127.0.0.1:{origin1} maxconn 4096
frontend to_http2
  bind 127.0.0.1:{to2_http1}
  bind 127.0.0.1:{to2_http2} proto h2
  bind 127.0.0.1:{to2_tls} ssl crt {pem} alpn h2,http/1.1
  # h2load takes no answer that has a status and no reason.
  http-response set-status 200 reason OK
  default_backend origin2
backend origin2
  http-reuse always
  server one 127.0.0.1:{origin2} proto h2
"""


def of_ways(ports):
    """By way, of ports by (upstream, what the port takes): "HTTP/1.1", "HTTP/2" or "TLS"."""
    found = {}
    for way in WAYS:
        port = ports.get((way.upstream, "TLS" if way.tls else way.client))
        if port:
            found[way] = port
    return found


def from_bootstrap(name, kind, directory, certificate, origins):
    """Inlay or Envoy."""
    # As many streams as HAProxy takes: before its SETTINGS have come Envoy begins more, and they are refused.
    clusters = [config.cluster("HTTP/1.1", origins["HTTP/1.1"]),
                config.cluster("HTTP/2", origins["HTTP/2"], **config.speaks_http2(max_concurrent_streams=100))]
    for one in clusters:
        one["circuit_breakers"] = {"thresholds": [{key: 1 << 20 for key in ("max_connections", "max_pending_requests", "max_requests")}]}
    made, ports = config.bootstrap(clusters), {}
    made["static_resources"]["listeners"] = []
    for upstream in origins:
        for tls in (False, True):
            one = config.listener(routes=[config.route(upstream)], name=f"{upstream} {tls}")
            if tls:
                common = {"alpn_protocols": ["h2", "http/1.1"]}
                one["filter_chains"][0]["transport_socket"] = config.downstream_tls(*certificate, common=common)
            made["static_resources"]["listeners"].append(one)
            for takes in ("TLS",) if tls else ("HTTP/1.1", "HTTP/2"):
                ports[upstream, takes] = one["address"]["socket_address"]["port_value"]
    program = kind(directory, made, concurrency=1, name=name).wait_ready()
    return Contender(name, program, of_ways(ports))


def proxies(directory, certificate, origins):
    """Started, Inlay first. `origins`: their ports by what they speak. `certificate`: paths of it and of its key."""
    yield from_bootstrap("inlay", Proxy, directory, certificate, origins)
    path, why = find_envoy()
    if path is None:
        print(f"Envoy is left out: {why}", file=sys.stderr)
    else:
        yield from_bootstrap("envoy", Envoy, directory, certificate, origins)
    pem = os.path.join(directory, "haproxy.pem")
    with open(pem, "w") as file:
        for part in certificate:
            with open(part) as source:
                file.write(source.read())
    other = {name: free_port() for name in ("http2", "tls", "to2_http1", "to2_http2", "to2_tls")}
    haproxy = Haproxy(directory, HAPROXY.format(pem=pem, origin1=origins["HTTP/1.1"], origin2=origins["HTTP/2"], **other))
    yield Contender("haproxy", haproxy, of_ways({
        ("HTTP/1.1", "HTTP/1.1"): haproxy.port, ("HTTP/1.1", "HTTP/2"): other["http2"], ("HTTP/1.1", "TLS"): other["tls"],
        ("HTTP/2", "HTTP/1.1"): other["to2_http1"], ("HTTP/2", "HTTP/2"): other["to2_http2"], ("HTTP/2", "TLS"): other["to2_tls"]}))
    http2, tls = free_port(), free_port()
    nginx = Nginx(directory, NGINX.format(http2=http2, tls=tls, certificate=certificate[0], key=certificate[1], origin=origins["HTTP/1.1"],
                                          unused=free_port()))
    yield Contender("nginx", nginx, of_ways({("HTTP/1.1", "HTTP/1.1"): nginx.port, ("HTTP/1.1", "HTTP/2"): http2, ("HTTP/1.1", "TLS"): tls}))


def h2load(way, port, seconds, connections, streams, processor=None):
    """How many requests were answered. Ends the program if one is lost."""
    command = ["taskset", "-c", str(processor)] if processor is not None else []
    command += ["h2load", "-t", "1", "-c", str(connections), "-m", str(streams if way.client == "HTTP/2" else 1), "-D", str(seconds)]
    command += ["--h1"] if way.client == "HTTP/1.1" else []
    done = subprocess.run([*command, f"{'https' if way.tls else 'http'}://127.0.0.1:{port}/"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=True)
    output = done.stdout.decode(errors="replace")
    good, failed = int(re.search(r"(\d+) 2xx", output)[1]), re.search(r"(\d+) failed, (\d+) errored, (\d+) timeout", output)
    if not good or any(int(number) for number in failed.groups()):
        raise SystemExit(f"{way.name}, port {port}, lost requests:\n{output}")
    return good


class Held:
    """So many clients that stay connected while the with block runs; each has had as many answers, one after another."""

    def __init__(self, way, port, count, requests=1):
        self.sockets = []
        tls = None
        if way.tls:
            tls = ssl.create_default_context()
            tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
            tls.set_alpn_protocols(["h2" if way.client == "HTTP/2" else "http/1.1"])
        for _ in range(count):
            self.sockets.append(self.http2(port, tls, requests) if way.client == "HTTP/2" else self.http1(port, tls, requests))

    @staticmethod
    def http2(port, tls, requests):
        client = Http2Client(port, tls)
        if any(client.request().status != 200 for _ in range(requests)):
            raise SystemExit(f"port {port}: no answer by HTTP/2")
        return client.socket

    @staticmethod
    def http1(port, tls, requests):
        wire = Wire(port)
        if tls is not None:
            wire.socket = tls.wrap_socket(wire.socket, server_hostname="inlay.test")
            wire.socket.settimeout(PATIENCE)
        if any(wire.send("GET / HTTP/1.1\r\nhost: inlay.test\r\n\r\n").response().status != 200 for _ in range(requests)):
            raise SystemExit(f"port {port}: no answer by HTTP/1.1")
        return wire.socket

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.sockets:
            one.close()
