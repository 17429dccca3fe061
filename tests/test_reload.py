# SPDX-License-Identifier: Apache-2.0
"""A configuration that changes while the proxy runs: SIGHUP, --watch, and what becomes of connections."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import unittest

from support import config, guests, pipes, tcp
from support.both import inlay_only
from support.certificates import Authority
from support.http2_client import Http2Client
from support.module_server import ModuleServer
from support.origins import Echo, Nginx, Provider, PythonServer, echoed
from support.processes import PATIENCE, TestCase, listening, wait_until
from support.wire import Wire, request

GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n"


def answers(text, path="/"):
    return {"match": {"prefix": path}, "direct_response": {"status": 200, "body": {"inline_string": text}}}


class Reloads(TestCase):
    """What changes a configuration, and waits for what comes of it."""

    def setUp(self):
        super().setUp()
        self.done = {"success": 0, "rejected": 0}

    def write(self, proxy, made):
        """At one stroke: who looks while it is written sees the old one."""
        text = made if isinstance(made, str) else json.dumps(made)
        with open(proxy.config_path + ".new", "w") as file:
            file.write(text)
        os.rename(proxy.config_path + ".new", proxy.config_path)

    def await_outcome(self, proxy, outcome="success"):
        self.done[outcome] += 1
        proxy.wait_for(lambda: proxy.stats().get(f"server.reload_{outcome}", 0) == self.done[outcome], f"a reload's {outcome}")

    def reload(self, proxy, made=None, outcome="success"):
        if made is not None:
            self.write(proxy, made)
        proxy.process.send_signal(signal.SIGHUP)
        self.await_outcome(proxy, outcome)

    def body(self, port, path="/"):
        return request(port, path).body.decode()

    def change_answer(self, made, text):
        manager = made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        manager["route_config"]["virtual_hosts"][0]["routes"] = [answers(text)]
        return made


@inlay_only("Envoy takes a bootstrap once: SIGHUP changes nothing there, and what changes comes by xDS")
class Sighup(Reloads):
    def setUp(self):
        super().setUp()
        self.made = config.bootstrap([], routes=[answers("one")])

    def test_the_new_one_serves(self):
        proxy = self.start_proxy(self.made, concurrency=2)
        self.assertEqual(self.body(proxy.port), "one")
        self.reload(proxy, self.change_answer(self.made, "two"))
        self.assertEqual({self.body(proxy.port) for _ in range(20)}, {"two"})
        self.assertEqual(proxy.stats()["server.hot_restart_generation"], 2)
        self.assertIn('"two"', proxy.admin("/config_dump")[1].replace(r"\"", '"'))
        proxy.terminate()
        self.assertEqual(proxy.wait(), 0)

    def test_a_connection_ends_with_its_next_answer(self):
        proxy = self.start_proxy(self.made, concurrency=1)
        with Wire(proxy.port) as wire:
            wire.send(GET)
            self.assertIsNone(wire.response().get("connection"))
            self.reload(proxy, self.change_answer(self.made, "two"))
            self.assertEqual(proxy.stats()["server.draining_configurations"], 1)

            def last_answer():
                # Its worker may hear of the reload after a request that is on its way.
                wire.send(GET)
                answer = wire.response()
                self.assertEqual(answer.body, b"one")
                return answer.get("connection") == "close"
            wait_until(last_answer, "an answer that ends the connection")
            self.assertTrue(wire.ended())
        proxy.wait_for(lambda: proxy.stats()["server.draining_configurations"] == 0, "the end of the old configuration")

    def test_a_request_that_is_under_way_gets_its_answer(self):
        go, asked = threading.Event(), threading.Event()

        def answer(_):
            asked.set()
            go.wait(PATIENCE)
            return 200, {}, b"from the origin"
        origin = PythonServer(answer)
        self.addCleanup(origin.close)
        self.addCleanup(go.set)
        made = config.bootstrap([config.cluster("origin", origin.port)])
        proxy = self.start_proxy(made, concurrency=1)
        with Wire(proxy.port) as wire:
            wire.send(GET)
            self.assertTrue(asked.wait(PATIENCE))
            self.reload(proxy, self.change_answer(made, "two"))  # and without the cluster
            self.assertEqual(self.body(proxy.port), "two")
            go.set()
            answer = wire.response()
            self.assertEqual((answer.status, answer.body, answer.get("connection")), (200, b"from the origin", "close"))

    def test_http2_is_told(self):
        self.made = config.bootstrap([], routes=[answers("one")], codec_type="HTTP2")
        proxy = self.start_proxy(self.made, concurrency=1)
        with Http2Client(proxy.port) as client:
            self.assertEqual(client.request().body, b"one")
            self.reload(proxy, self.change_answer(self.made, "two"))
            client.to_the_end()
            self.assertEqual([code for code, _ in client.goaways][-1:], [0])
        with Http2Client(proxy.port) as client:
            self.assertEqual(client.request().body, b"two")

    def test_what_is_wrong_is_refused_and_named(self):
        bad = json.loads(json.dumps(self.made).replace('"status": 200', '"status": 99'))
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        busy = json.loads(json.dumps(self.made).replace(f'"port_value": {self.made["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"]}',
                                                        f'"port_value": {port}'))
        trap = guests.assemble(self.directory, "trap", guests.guest(
            '(func (export "proxy_on_configure") (param i32 i32) (result i32) unreachable)'))
        traps = config.bootstrap([], [config.wasm(trap)], [answers("three")])
        traps["static_resources"]["listeners"][0]["address"] = self.made["static_resources"]["listeners"][0]["address"]
        no_file = config.bootstrap([], routes=[answers("three")], access_log=[config.file_log("/nowhere/log")])
        no_file["static_resources"]["listeners"][0]["address"] = self.made["static_resources"]["listeners"][0]["address"]
        proxy = self.start_proxy(self.made, concurrency=2)
        for made, named in ((bad, "must be from 200 to 599, is 99"), ("static_resources: [", "inlay.json:"), (busy, f"127.0.0.1:{port}"),
                            (traps, "unreachable"), (no_file, "/nowhere/log")):
            with self.subTest(named):
                self.reload(proxy, made, "rejected")
                proxy.wait_for(lambda: named in proxy.log(), named)
                self.assertEqual({self.body(proxy.port) for _ in range(8)}, {"one"})
        os.remove(proxy.config_path)
        self.reload(proxy, outcome="rejected")
        self.assertIn("the one that serves stays", proxy.log())
        self.assertEqual(proxy.stats()["server.draining_configurations"], 0)
        self.reload(proxy, self.change_answer(self.made, "two"))
        self.assertEqual(self.body(proxy.port), "two")

    def test_listeners_come_and_go(self):
        proxy = self.start_proxy(self.made, concurrency=2)
        other = config.listener(routes=[answers("other")], name="other")
        port = other["address"]["socket_address"]["port_value"]
        self.made["static_resources"]["listeners"].append(other)
        self.reload(proxy, self.made)
        self.assertEqual((self.body(proxy.port), self.body(port)), ("one", "other"))
        del self.made["static_resources"]["listeners"][0]
        self.reload(proxy, self.made)
        wait_until(lambda: not listening(proxy.port), "the listener to close")
        self.assertEqual(self.body(port), "other")

    def test_a_listener_moves_to_all_interfaces(self):
        proxy = self.start_proxy(self.made, concurrency=2)
        address = self.made["static_resources"]["listeners"][0]["address"]["socket_address"]
        for host in ("0.0.0.0", "127.0.0.1"):
            address["address"] = host
            self.reload(proxy, self.change_answer(self.made, host))
            wait_until(lambda answer=host: self.body(proxy.port) == answer, "the new listener alone")

    def test_a_pipe_stays(self):
        path = os.path.join(self.directory, "in.sock")
        self.made["static_resources"]["listeners"].append(pipes.listener(path, name="pipe", routes=[pipes.answers("behind")]))
        proxy = self.start_proxy(self.made, concurrency=3)
        for _ in range(3):
            self.reload(proxy)
            self.assertEqual([pipes.ask(path) for _ in range(6)], [(200, "behind")] * 6)

    def test_a_certificate_is_read_anew(self):
        first, second = (Authority(self.directory, name) for name in ("first", "second"))
        certificate, key = (os.path.join(self.directory, name) for name in ("live.pem", "live.key"))

        def install(authority):
            for made, path in zip(authority.issue("a", "DNS:inlay.test"), (certificate, key)):
                shutil.copy(made, path)
        install(first)
        chain = self.made["static_resources"]["listeners"][0]["filter_chains"][0]
        chain["transport_socket"] = config.downstream_tls(certificate, key)
        proxy = self.start_proxy(self.made)

        def issuer():
            done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.port}"], input=b"", stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False)
            return re.search(rb"issuer=CN ?= ?(\w+)", done.stdout)[1].decode()
        self.assertEqual(issuer(), "first")
        install(second)
        self.reload(proxy)
        self.assertEqual(issuer(), "second")
        proxy.end()
        watching = self.start_proxy(self.made, flags=("--watch",))
        install(first)
        watching.wait_for(lambda: issuer() == "first", "the first certificate")

    def test_a_connection_of_tcp_lives_on(self):
        def echo(connection):
            while data := connection.recv(1 << 16):
                connection.sendall(data)
        server = tcp.ByteServer(echo)
        self.addCleanup(server.close)
        proxy = self.start_proxy(tcp.bootstrap([config.cluster("origin", server.port)]), concurrency=1)
        with tcp.connect(proxy.port) as client:
            for byte in (b"x", b"y"):
                client.sendall(byte)
                self.assertEqual(tcp.read_exactly(client, 1), byte)
                self.reload(proxy)
            client.sendall(b"z")
            self.assertEqual(tcp.read_exactly(client, 1), b"z")
        proxy.wait_for(lambda: proxy.stats()["server.draining_configurations"] == 0, "the end of the old configurations")

    def test_what_does_not_end_is_cut_after_the_drain_time(self):
        proxy = self.start_proxy(self.made, concurrency=1, flags=("--drain-time-s", "1"))
        with Wire(proxy.port) as wire:
            wire.send(GET)
            wire.response()
            self.reload(proxy)
            self.assertTrue(wire.ended())
        proxy.wait_for(lambda: proxy.stats()["server.draining_configurations"] == 0, "the end of the old configuration")
        proxy.terminate()
        self.assertEqual(proxy.wait(), 0)

    def test_sigterm_ends_all_of_them(self):
        proxy = self.start_proxy(self.made, concurrency=2)
        with Wire(proxy.port) as first, Wire(proxy.port) as second:
            for wire in (first, second):
                wire.send(GET)
                wire.response()
                self.reload(proxy)
            proxy.terminate()
            self.assertEqual(proxy.wait(), 0)

    def test_a_text_on_the_command_line_is_read_anew_too(self):
        proxy = self.start_proxy(self.made, flags=("--config-yaml", "node: {id: me}"))
        self.reload(proxy, self.change_answer(self.made, "two"))
        self.assertEqual(self.body(proxy.port), "two")
        self.assertIn('"me"', proxy.admin("/server_info")[1])


@inlay_only("Envoy takes a bootstrap once")
class Modules(Reloads):
    def setUp(self):
        super().setUp()
        self.echo = self.start(Echo(self.directory))

    def guest_says(self, proxy):
        return echoed(proxy.port)["headers"].get("x-guest")

    def test_a_module_that_was_built_anew(self):
        module = guests.assemble(self.directory, "own", guests.answers("first"))
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", self.echo.port)], [config.wasm(module)]), concurrency=2)
        self.assertEqual(self.guest_says(proxy), "first")
        guests.assemble(self.directory, "own", guests.answers("second"))
        self.reload(proxy)
        self.assertEqual({self.guest_says(proxy) for _ in range(8)}, {"second"})

    def test_watch(self):
        module = guests.assemble(self.directory, "own", guests.answers("first"))
        made = config.bootstrap([config.cluster("origin", self.echo.port)], [config.wasm(module)])
        proxy = self.start_proxy(made, concurrency=2, flags=("--watch",))
        guests.assemble(self.directory, "own", guests.answers("second"))
        self.await_outcome(proxy)
        self.assertEqual(self.guest_says(proxy), "second")
        self.write(proxy, "{")
        self.await_outcome(proxy, "rejected")
        self.assertEqual(self.guest_says(proxy), "second")
        self.write(proxy, self.change_answer(made, "two"))
        self.await_outcome(proxy)
        self.assertEqual(self.body(proxy.port), "two")

    def test_a_module_goes_with_the_last_configuration_that_has_it(self):
        """Also when that is cut, with a connection of its own."""
        module = guests.assemble(self.directory, "own", guests.answers("first"))
        made = config.bootstrap([config.cluster("origin", self.echo.port)], [config.wasm(module)])
        cache = os.path.join(self.directory, "cache")
        proxy = self.start_proxy(made, concurrency=1, flags=("--engine", "aot", "--drain-time-s", "1"), environment={"XDG_CACHE_HOME": cache})

        def is_mapped():
            with open(f"/proc/{proxy.process.pid}/maps") as maps:
                return cache in maps.read()
        with Wire(proxy.port) as wire:
            wire.send(GET)
            wire.response()
            self.assertTrue(is_mapped())
            self.reload(proxy, config.bootstrap([config.cluster("origin", self.echo.port)]))
            self.assertTrue(wire.ended())
        proxy.wait_for(lambda: not is_mapped(), "the end of the module")

    def test_the_filter_keeps_its_token(self):
        """What the filter has in shared data outlives a configuration: no request fails, and none is fetched for it."""
        provider = self.start(Provider(self.directory))
        made = config.bootstrap([config.cluster("origin", self.echo.port), config.cluster("provider", provider.port)],
                                [config.augmenter()])
        proxy = self.start_proxy(made, concurrency=2)
        wait_until(lambda: request(proxy.port).status == 200, "the first token")
        polls = provider.polls()
        for _ in range(3):
            self.reload(proxy)
            self.assertEqual({request(proxy.port).status for _ in range(8)}, {200})
        self.assertEqual(provider.polls(), polls)


@inlay_only("Envoy takes a bootstrap once")
class RemoteCode(Reloads):
    """Modules that are fetched, by configurations that replace each other."""

    def setUp(self):
        super().setUp()
        self.made = config.bootstrap([], routes=[answers("one")])

    def modules(self, name):
        served = ModuleServer(guests.assemble(self.directory, name, guests.answers(name)))
        self.addCleanup(served.close)
        return served

    def listener(self, name, modules):
        """One whose filter `modules` has, with the cluster where that is; listening on its port."""
        self.made["static_resources"]["clusters"].append(config.cluster(name, modules.port))
        code = {"remote": {"http_uri": {"uri": "http://modules.test/guest.wasm", "cluster": name, "timeout": "60s"}, "sha256": modules.sha256}}
        made = config.listener([config.wasm(code)], routes=[answers(name)], name=name)
        self.made["static_resources"]["listeners"].append(made)
        return made["address"]["socket_address"]["port_value"]

    def start_it(self):
        proxy = self.start_proxy(self.made, environment={"XDG_CACHE_HOME": os.path.join(self.directory, "cache")})
        self.await_end_of_those_before(proxy)
        return proxy

    def await_end_of_those_before(self, proxy):
        proxy.wait_for(lambda: proxy.stats()["server.draining_configurations"] == 0, "the end of the configurations before")

    def test_the_end_of_one_ends_nothing_of_its_successors(self):
        port = self.listener("guest", self.modules("guest"))
        proxy = self.start_it()
        self.assertEqual(self.body(port), "guest")
        for text in ("two", "three", "four"):
            self.reload(proxy, self.change_answer(self.made, text))
            self.await_end_of_those_before(proxy)
            self.assertEqual((self.body(proxy.port), self.body(port)), (text, "guest"))

    def test_one_that_fails_late_leaves_its_successor(self):
        first, second = self.modules("first"), self.modules("second")
        for modules in (first, second):
            modules.hold.clear()
        proxy = self.start_it()
        port = self.listener("first", first)
        self.reload(proxy, self.change_answer(self.made, "two"))
        del self.made["static_resources"]["listeners"][-1]
        other = self.listener("second", second)
        self.reload(proxy, self.change_answer(self.made, "three"))
        taken = socket.socket()
        self.addCleanup(taken.close)
        # What others had open there may be in TIME_WAIT.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen(1)
        first.hold.set()
        proxy.wait_for(lambda: "listener 'first' cannot be opened" in proxy.log(), "the failure")
        second.hold.set()
        # Of all workers: with one it listens, and those before serve on beside it.
        proxy.wait_for(lambda: "listener 'second' on " in proxy.log(), "the listener of the last one")
        self.assertEqual(self.body(other), "second")
        self.await_end_of_those_before(proxy)
        self.assertEqual(self.body(proxy.port), "three")
        self.assertIn('"three"', proxy.admin("/config_dump")[1].replace(r"\"", '"'))


class Http2Load(threading.Thread):
    """Asks all the time by HTTP/2, several requests at once, and connects anew when it is told that a connection ends."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.answered, self.lost, self.connections, self.stopping = port, 0, [], 0, False
        self.start()

    def run(self):
        try:
            while not self.stopping:
                self.connections += 1
                with Http2Client(self.port) as client:
                    while not (self.stopping or client.goaways or client.ended):
                        self.ask(client)
        except Exception as error:  # noqa: BLE001: a test's thread, whose failure the test tells
            self.lost.append(repr(error))

    def ask(self, client):
        streams = [client.begin() for _ in range(4)]
        for stream in streams:
            answer = client.answer(stream)
            if answer.ended and answer.status == 200:
                self.answered += 1
            elif answer.ended or answer.reset not in (None, 7) or not client.goaways or stream <= client.goaways[-1][1]:
                # Behind the last stream of a GOAWAY, and after REFUSED_STREAM, nothing was done: it may be asked again.
                self.lost.append((stream, answer.status, answer.reset, client.goaways))

    def end(self):
        self.stopping = True
        self.join(PATIENCE)


@inlay_only("Envoy takes a bootstrap once")
class UnderLoad(Reloads):
    """One in five of the configurations is wrong."""

    RELOADS = int(os.environ.get("RELOADS", "10"))

    def serve(self, **manager):
        origin = self.start(Nginx(self.directory, "location / { return 200; }"))
        provider = self.start(Provider(self.directory))
        self.made = config.bootstrap([config.cluster("origin", origin.port), config.cluster("provider", provider.port)],
                                     [config.augmenter()], **manager)
        proxy = self.start_proxy(self.made, concurrency=2, level="warning")
        return proxy

    def reload_often(self, proxy, requests):
        """The next one when some requests more have come."""
        for number in range(1, self.RELOADS + 1):
            before = requests()
            proxy.wait_for(lambda: requests() >= before + 200, "requests")
            bad = number % 5 == 0
            self.made["static_resources"]["clusters"][0]["connect_timeout"] = "never" if bad else f"{number}s"
            self.reload(proxy, self.made, "rejected" if bad else "success")

    def test_no_request_is_lost(self):
        proxy = self.serve()
        wait_until(lambda: request(proxy.port).status == 200, "the first token")
        client = subprocess.Popen(["wrk", "-t", "1", "-c", "16", "-d", "300s", "--timeout", "60s", f"http://127.0.0.1:{proxy.port}/"],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(lambda: (client.kill(), client.wait()))
        self.reload_often(proxy, lambda: proxy.stats()["http.ingress.downstream_rq_total"])
        client.send_signal(signal.SIGINT)  # it tells what it has seen
        said = client.communicate(timeout=PATIENCE)[0]
        self.assertRegex(said, r"\d+ requests in")
        self.assertNotIn("Socket errors", said)
        self.assertNotIn("Non-2xx", said)
        print(f"{self.RELOADS} reloads: {re.search('[0-9]+ requests in [^,]*', said)[0]}")

    def test_no_request_of_http2_is_lost(self):
        proxy = self.serve(codec_type="HTTP2")
        with Http2Client(proxy.port) as client:
            wait_until(lambda: client.request().status == 200, "the first token")
        client = Http2Load(proxy.port)
        self.addCleanup(client.end)
        self.reload_often(proxy, lambda: client.answered)
        client.end()
        self.assertEqual(client.lost, [])
        self.assertGreater(client.connections, self.RELOADS // 2)


if __name__ == "__main__":
    unittest.main()
