# SPDX-License-Identifier: Apache-2.0
"""TCP listeners, servers and clients that speak bytes."""

import select
import socket
import ssl
import struct
import threading

from .config import TYPE, address, wasm
from .processes import PATIENCE, free_port


def tcp_proxy(cluster="origin", **fields):
    fields = fields if "weighted_clusters" in fields else {"cluster": cluster, **fields}
    return {"name": "tcp", "typed_config": {"@type": TYPE + "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                                            "stat_prefix": "ingress_tcp", **fields}}


def wasm_filter(module, configuration="", name="guest", **plugin):
    """An envoy.filters.network.wasm filter on a module."""
    made = wasm(module, configuration, name=name, **plugin)
    made["typed_config"]["@type"] = TYPE + "envoy.extensions.filters.network.wasm.v3.Wasm"
    return made


def bootstrap(clusters, filters=(), proxy=None, **listener):
    """A listener whose connections go through `filters` to a tcp_proxy, and an admin, on free ports."""
    chain = {"filters": [*filters, proxy or tcp_proxy()]}
    return {"admin": {"address": address(free_port())},
            "static_resources": {"listeners": [{"name": "tcp", "address": address(free_port()), "filter_chains": [chain],
                                                **listener}],
                                 "clusters": list(clusters)}}


class Acceptor:
    """Listens on a port of loopback, and runs `serve(socket)` for each connection, in a thread of its own."""

    def __init__(self, port, serve):
        self.listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.serve = serve
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def close(self):
        """The thread ends before the descriptor is free: one that is about to accept() would do so from the next socket that
        gets its number, which is another test's."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()


class ByteServer(Acceptor):
    """Runs `serve(socket)` for each connection, in a thread of its own, and closes it then."""

    def __init__(self, serve):
        self.serve_bytes = serve
        super().__init__(free_port(), self._run)

    def _run(self, connection):
        connection.settimeout(PATIENCE)
        with connection:
            try:
                self.serve_bytes(connection)
            except OSError:
                pass


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE)
    connection.settimeout(PATIENCE)
    return connection


def reset(connection):
    """Closes with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def how_it_ends(connection):
    """Reads to the end: "end" (FIN) or "reset" (RST)."""
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionResetError:
        return "reset"
    return "end"


def read_all(connection):
    """Up to the other side's end."""
    data = bytearray()
    while chunk := connection.recv(1 << 16):
        data += chunk
    return bytes(data)


def read_exactly(connection, size):
    data = bytearray()
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise EOFError(f"{len(data)} of {size} bytes")
        data += chunk
    return bytes(data)


def exchange(connection, data):
    """Sends data, and reads as many bytes meanwhile. By one thread, as Python 3.11 needs it of TLS: two that use one ssl.SSLSocket
    at a time break its stream now and then."""
    received = bytearray()
    sent = 0
    connection.setblocking(False)
    while len(received) < len(data):
        idle = True
        try:
            if sent < len(data):
                sent += connection.send(data[sent:sent + (1 << 16)])
                idle = False
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        try:
            chunk = connection.recv(1 << 16)
            if not chunk:
                raise EOFError(f"{len(received)} of {len(data)} bytes")
            received += chunk
            idle = False
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        if idle:
            ready = select.select([connection], [connection] if sent < len(data) else [], [], PATIENCE)
            if ready == ([], [], []):
                raise TimeoutError(f"{sent} bytes sent and {len(received)} received of {len(data)}")
    connection.settimeout(PATIENCE)
    return bytes(received)
