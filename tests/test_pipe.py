# SPDX-License-Identifier: Apache-2.0
"""Pipes (Unix domain sockets) as the addresses of listeners, endpoints and the admin page."""

import concurrent.futures
import copy
import json
import os
import signal
import socket
import stat
import unittest
import urllib.error
import urllib.request

from support import config, guests, pipes, tcp
from support.both import in_envoy_too, inlay_only
from support.processes import TestCase, free_port, wait_until

NOTHING_BEHIND = "[remote %DOWNSTREAM_REMOTE_ADDRESS%|%DOWNSTREAM_REMOTE_PORT%] [direct %DOWNSTREAM_DIRECT_REMOTE_ADDRESS%] " \
                 "[local %DOWNSTREAM_LOCAL_ADDRESS%|%DOWNSTREAM_LOCAL_PORT%] [for %REQ(X-FORWARDED-FOR)%] " \
                 "[external %REQ(X-ENVOY-EXTERNAL-ADDRESS)%] [internal %REQ(X-ENVOY-INTERNAL)%]\n"


class Pipes(TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.file("files.sock")

    def file(self, name):
        return os.path.join(self.directory, name)

    def behind_a_pipe(self, path=None, mode=None, clusters=(), filters=(), front=None, **back):
        """A listener on a port that leads to one on a pipe, which answers."""
        path = path or self.path
        made = config.bootstrap([pipes.cluster("files", path), *clusters], filters, [config.route("files")], **(front or {}))
        back = {"name": "files", "routes": [pipes.answers("from behind")], **back}
        made["static_resources"]["listeners"].append(pipes.listener(path, mode, **back))
        return made

    def get(self, port, target="/", **headers):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{target}", headers=headers)
        with urllib.request.urlopen(request) as answer:
            return answer.read().decode()

    def lines_of(self, name, count):
        def enough():
            if not os.path.exists(self.file(name)):
                return None
            with open(self.file(name)) as file:
                lines = file.read().splitlines()
            return lines if len(lines) >= count else None
        return wait_until(enough, f"{count} lines in {name}")


@in_envoy_too
class Listening(Pipes):
    def test_a_cluster_leads_to_a_listener(self):
        for path in (self.path, "@inlay-test" + self.directory):
            with self.subTest(path):
                proxy = self.start_proxy(self.behind_a_pipe(path))
                self.assertEqual(self.get(proxy.port), "from behind")
                self.assertEqual(pipes.ask(path), (200, "from behind"))
                proxy.end()

    def test_its_permissions(self):
        made = self.behind_a_pipe(mode=0o600)
        made["static_resources"]["listeners"].append(
            pipes.listener(self.file("open.sock"), name="open", routes=[pipes.answers("")]))
        before = os.umask(0o027)
        try:
            self.start_proxy(made)
        finally:
            os.umask(before)
        self.assertEqual(stat.filemode(os.stat(self.path).st_mode), "srw-------")
        self.assertEqual(stat.filemode(os.stat(self.file("open.sock")).st_mode), "srwxr-x---")

    def test_all_workers_serve_it(self):
        """There is one socket for all of them: it cannot be bound twice."""
        proxy = self.start_proxy(self.behind_a_pipe(), concurrency=4)
        with concurrent.futures.ThreadPoolExecutor(32) as clients:
            answers = list(clients.map(lambda _: pipes.ask(self.path), range(500)))
        self.assertEqual(set(answers), {(200, "from behind")})
        self.assertEqual(proxy.stats()[f"listener.{self.path}.downstream_cx_total"], 500)

    def test_a_socket_that_is_left_gives_way(self):
        made = self.behind_a_pipe()
        self.start_proxy(made).end()
        self.assertTrue(stat.S_ISSOCK(os.lstat(self.path).st_mode), "the file stays")
        self.assertFalse(pipes.listening(self.path))
        proxy = self.start_proxy(made)
        self.assertEqual(self.get(proxy.port), "from behind")

    def test_what_is_no_socket_in_its_place(self):
        with open(self.path, "w") as file:
            file.write("precious")
        proxy = self.launch_proxy(self.behind_a_pipe())
        kept = self.either(inlay=True, envoy=False, why="Envoy deletes whatever is there")
        if not kept:
            proxy.wait_ready()
            self.assertTrue(stat.S_ISSOCK(os.lstat(self.path).st_mode))
            return
        self.assertEqual(proxy.wait(), 1)
        self.assertIn(f"cannot listen on {self.path}: a file is there that is no socket", proxy.log())
        with open(self.path) as file:
            self.assertEqual(file.read(), "precious")

    def test_a_socket_that_somebody_serves(self):
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(self.path)
            other.listen()
            proxy = self.launch_proxy(self.behind_a_pipe())
            if self.either(inlay=False, envoy=True, why="Envoy takes the place of a process that serves"):
                proxy.wait_ready()
                self.assertEqual(self.get(proxy.port), "from behind")
                return
            self.assertEqual(proxy.wait(), 1)
            self.assertIn(f"cannot listen on {self.path}: another process listens there", proxy.log())

    def test_an_abstract_name_that_somebody_has(self):
        name = "@inlay-taken" + self.directory
        with socket.socket(socket.AF_UNIX) as other:
            other.bind("\0" + name[1:])
            other.listen()
            proxy = self.launch_proxy(self.behind_a_pipe(name))
            self.assertEqual(proxy.wait(), 1)

    def test_a_directory_that_is_not_there(self):
        proxy = self.launch_proxy(self.behind_a_pipe(self.file("none/files.sock")))
        self.assertEqual(proxy.wait(), 1)
        self.assertIn("No such file or directory", proxy.log())

    def test_nobody_listens(self):
        made = config.bootstrap([pipes.cluster("files", self.file("none"))], routes=[config.route("files")],
                                access_log=[config.file_log(self.file("log"), "%RESPONSE_CODE% %RESPONSE_FLAGS% %UPSTREAM_HOST% "
                                                            "%UPSTREAM_TRANSPORT_FAILURE_REASON%\n")])
        proxy = self.start_proxy(made)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.get(proxy.port)
        self.assertEqual(refused.exception.code, 503)
        where = self.file("none")
        self.assertEqual(self.lines_of("log", 1), [
            f"503 UF {where} immediate_connect_error:_No_such_file_or_directory|remote_address:{where}"])

    def test_a_relayed_connection(self):
        relay = tcp.bootstrap([pipes.cluster("origin", "@inlay-echo" + self.directory)])
        relay["static_resources"]["listeners"][0]["address"] = pipes.address(self.path)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("\0inlay-echo" + self.directory)
            server.listen()
            self.start_proxy(relay)
            with pipes.connect(self.path) as client:
                client.sendall(b"question")
                accepted, _ = server.accept()
                with accepted:
                    self.assertEqual(tcp.read_exactly(accepted, 8), b"question")
                    client.shutdown(socket.SHUT_WR)
                    self.assertEqual(tcp.read_all(accepted), b"")
                    accepted.sendall(b"answer" * 100_000)
                self.assertEqual(tcp.read_all(client), b"answer" * 100_000)

    def test_the_admin_page(self):
        made = self.behind_a_pipe()
        made["admin"]["address"] = pipes.address(self.file("admin.sock"))
        proxy = self.launch_proxy(made, flags=["--admin-address-path", self.file("address")])
        proxy.wait_for(lambda: pipes.listening(self.file("admin.sock")) and
                       pipes.ask(self.file("admin.sock"), "/ready")[0] == 200, "/ready")
        with open(self.file("address")) as file:
            self.assertEqual(file.read(), self.file("admin.sock"))
        listeners = pipes.ask(self.file("admin.sock"), "/listeners")[1]
        self.assertIn(f"files::{self.path}\n", listeners)
        clusters = pipes.ask(self.file("admin.sock"), "/clusters")[1]
        self.assertIn(f"files::{self.path}::health_flags::healthy\n", clusters)
        statuses = json.loads(pipes.ask(self.file("admin.sock"), "/listeners?format=json")[1])["listener_statuses"]
        self.assertIn({"name": "files", "local_address": {"pipe": {"path": self.path}}}, statuses)
        statuses = json.loads(pipes.ask(self.file("admin.sock"), "/clusters?format=json")[1])["cluster_statuses"]
        hosts = next(status for status in statuses if status["name"] == "files")["host_statuses"]
        self.assertEqual(hosts[0]["address"], {"pipe": {"path": self.path}})

    @inlay_only("its drain")
    def test_it_is_drained(self):
        """New clients are refused until a successor listens, who waits for an answer gets it, and the end takes nothing from the
        successor."""
        with socket.socket(socket.AF_UNIX) as origin:
            origin.bind(self.file("origin.sock"))
            origin.listen()
            made = self.behind_a_pipe(clusters=[pipes.cluster("origin", self.file("origin.sock"))], routes=[config.route()])
            proxy = self.start_proxy(made, concurrency=2)
            with pipes.connect(self.path) as client:
                client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                upstream, _ = origin.accept()
                with upstream:
                    self.assertIn(b"GET /", upstream.recv(1 << 16))
                    proxy.process.send_signal(signal.SIGTERM)
                    wait_until(lambda: not pipes.listening(self.path), "new clients are refused")
                    successor = copy.deepcopy(made)
                    for place in (successor["admin"], successor["static_resources"]["listeners"][0]):
                        place["address"] = config.address(free_port())
                    self.start_proxy(successor, concurrency=2)
                    self.assertTrue(pipes.listening(self.path))
                    upstream.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlast")
                    self.assertTrue(tcp.read_all(client).endswith(b"last"))
        self.assertEqual(proxy.wait(), 0)
        self.assertTrue(pipes.listening(self.path))


@in_envoy_too
class Telling(Pipes):
    """What is told of a pipe's client: it is called like the pipe, and has no IP address."""

    def seen_at_the_edge(self, **manager):
        made = self.behind_a_pipe(access_log=[config.file_log(self.file("log"), NOTHING_BEHIND)], use_remote_address=True, **manager)
        self.start_proxy(made)
        pipes.ask(self.path)
        pipes.ask(self.path, x_forwarded_for="1.2.3.4")
        return [line.replace(self.path, "PATH") for line in self.lines_of("log", 2)]

    def test_in_an_access_log_and_to_an_upstream(self):
        self.assertEqual(self.seen_at_the_edge(), [
            "[remote PATH|] [direct PATH] [local PATH|] [for -] [external -] [internal -]",
            "[remote PATH|] [direct PATH] [local PATH|] [for 1.2.3.4] [external -] [internal -]"])

    def test_as_an_internal_client(self):
        self.assertEqual(self.seen_at_the_edge(internal_address_config={"unix_sockets": True}), [
            "[remote PATH|] [direct PATH] [local PATH|] [for -] [external -] [internal true]",
            "[remote PATH|] [direct PATH] [local PATH|] [for 1.2.3.4] [external -] [internal -]"])

    def test_to_a_guest(self):
        module = guests.assemble(self.directory, "tells", guests.tells_properties({
            "request_headers": ["source.address", "source.port", "destination.address", "destination.port"],
            "log": ["upstream.address", "upstream.port", "upstream.local_address"]}))
        made = self.behind_a_pipe(filters=[config.wasm(module)])
        made["static_resources"]["listeners"][0]["address"] = pipes.address(self.file("front.sock"))
        proxy = self.start_proxy(made)
        self.assertEqual(pipes.ask(self.file("front.sock")), (200, "from behind"))
        front = self.file("front.sock")
        for told in (f"source.address = {front}\n", "source.port = -", f"destination.address = {front}\n", "destination.port = -",
                     f"upstream.address = {self.path}\n", "upstream.port = -", "upstream.local_address = -"):
            proxy.wait_for(lambda told=told: told in proxy.log() + "\n", told)

    def test_a_call_out(self):
        """The filter gets its headers from a listener of the same proxy: files behind a pipe."""
        made = self.behind_a_pipe(
            clusters=[pipes.cluster("provider", self.path)], routes=[pipes.answers(json.dumps({"x-token": "of a pipe"}))],
            front={"access_log": [config.file_log(self.file("log"), "%REQ(X-TOKEN)%\n")]}, filters=[config.augmenter()])
        proxy = self.start_proxy(made)

        def answered():  # 503 until there is a header
            try:
                return self.get(proxy.port)
            except urllib.error.HTTPError:
                return None
        self.assertEqual(wait_until(answered, "a header"), '{"x-token": "of a pipe"}')
        wait_until(lambda: "of a pipe" in self.lines_of("log", 1), "the header, in the log")


if __name__ == "__main__":
    unittest.main()
