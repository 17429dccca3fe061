# SPDX-License-Identifier: Apache-2.0
"""Access logs: what is written, when, and where."""

import json
import os
import signal
import socket
import unittest

from support import config
from support.both import in_envoy_too, inlay_only
from support.config import file_log
from support.origins import Echo
from support.processes import TestCase, free_port, wait_until
from support.wire import Wire, request

NOW = ("--file-flush-interval-msec", "20")


@in_envoy_too
class AccessLog(TestCase):
    def setUp(self):
        super().setUp()
        self.echo = self.start(Echo(self.directory))
        self.path = os.path.join(self.directory, "access.log")

    def serve(self, *logs, clusters=(), routes=None, flags=NOW, **options):
        made = config.bootstrap([config.cluster("origin", self.echo.port), *clusters], routes=routes,
                                access_log=list(logs))
        return self.start_proxy(made, flags=flags, **options)

    def lines(self, count, path=None):
        def read():
            try:
                with open(path or self.path) as file:
                    lines = file.read().splitlines()
            except FileNotFoundError:
                return None
            return lines if len(lines) >= count else None
        return wait_until(read, f"{count} entries in {path or self.path}")

    def test_the_default_line(self):
        proxy = self.serve(file_log(self.path))
        response = request(proxy.port, "/a?b=c", "POST", headers={"user-agent": "me", "x-request-id": "id-1"}, body=b"12345")
        self.assertRegex(self.lines(1)[0],
                         r'^\[20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] "POST /a\?b=c HTTP/1\.1" 200 - 5 '
                         rf'{len(response.body)} \d+ \d+ "-" "me" "[^"]+" "[^"]+" "127\.0\.0\.1:{self.echo.port}"$')

    def test_json(self):
        form = {"code": "%RESPONSE_CODE%", "why": "%RESPONSE_CODE_DETAILS%", "flags": "%RESPONSE_FLAGS%",
                "cluster": "%UPSTREAM_CLUSTER%", "route": "%ROUTE_NAME%", "agent": "%REQ(USER-AGENT)%",
                "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "nothing": "%TRAILER(X)%"}
        routes = [{"name": "nowhere", **config.route("dead", {"path": "/dead"})},
                  {"name": "rest", **config.route("origin", {"prefix": "/ok"})}]
        proxy = self.serve(file_log(self.path, {"json_format": form}), routes=routes,
                           clusters=[config.cluster("dead", free_port())])
        for path in ("/ok", "/dead", "/none"):
            request(proxy.port, path, headers={"user-agent": 'a "quoted" name'})
        ok, dead, none = (json.loads(line) for line in self.lines(3))
        self.assertEqual(ok, {"code": 200, "why": "via_upstream", "flags": "-", "cluster": "origin", "route": "rest",
                              "agent": 'a "quoted" name', "client": "127.0.0.1", "nothing": None})
        self.assertEqual((dead["code"], dead["flags"], dead["route"]), (503, "UF", "nowhere"))
        self.assertEqual((none["code"], none["flags"], none["why"], none["cluster"]), (404, "NR", "route_not_found", None))

    @inlay_only("Envoy waits for a reader before it starts")
    def test_a_pipe_that_nobody_reads_holds_up_neither_the_start_nor_the_end(self):
        os.mkfifo(self.path)
        proxy = self.serve(file_log(self.path, "x" * 4000 + "\n"))
        for _ in range(40):  # more than a pipe takes
            self.assertEqual(request(proxy.port).status, 200)
        proxy.terminate()
        self.assertEqual(proxy.wait(), 0)
        self.assertIn("entries are lost: Connection timed out", proxy.log())

    def test_filters(self):
        errors = {"status_code_filter": {"comparison": {"op": "GE", "value": {"default_value": 400, "runtime_key": "k"}}}}
        debug = {"header_filter": {"header": {"name": "x-debug", "present_match": True}}}
        proxy = self.serve(file_log(self.path, "%REQ(:PATH)%\n", filter={"or_filter": {"filters": [errors, debug]}}),
                           routes=[config.route("origin", {"prefix": "/ok"})])
        for path, headers in (("/ok/1", {}), ("/bad/2", {}), ("/ok/3", {"x-debug": "1"}), ("/ok/4", {}), ("/bad/5", {})):
            request(proxy.port, path, headers=headers)
        self.assertEqual(self.lines(3), ["/bad/2", "/ok/3", "/bad/5"])

    def test_a_request_that_cannot_be_read_and_a_client_that_leaves(self):
        proxy = self.serve(file_log(self.path, "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n"))
        with Wire(proxy.port) as wire:
            self.assertEqual(wire.send("GET / HTTP/1.1\r\nbad header: x\r\n\r\n").response().status, 400)
        self.assertRegex(self.lines(1)[0], "^400 DPE http1")
        with Wire(proxy.port) as wire:
            wire.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n12")
            proxy.wait_for(lambda: proxy.stats()["http.ingress.downstream_rq_total"] == 2, "the second request")
        self.assertEqual(self.lines(2)[1], "0 DC downstream_remote_disconnect")

    def test_one_file_for_two_workers_holds_whole_lines(self):
        proxy = self.serve(file_log(self.path, "begin %REQ(X)% end\n"), file_log("/dev/stdout", "to stdout\n"),
                           concurrency=2)
        for i in range(200):
            request(proxy.port, headers={"x": f"{i}" * 50})
        self.assertEqual(sorted(self.lines(200)), sorted("begin " + f"{i}" * 50 + " end" for i in range(200)))
        proxy.wait_for(lambda: proxy.log().count("to stdout\n") == 200, "entries on stdout")

    def test_sigterm_loses_nothing(self):
        proxy = self.serve(file_log(self.path, "%REQ(:PATH)%\n"), flags=("--file-flush-interval-msec", "3600000"),
                           concurrency=2)
        for i in range(300):
            request(proxy.port, f"/{i}")
        proxy.terminate()
        self.assertEqual(proxy.wait(), 0)
        self.assertEqual(sorted(self.lines(300)), sorted(f"/{i}" for i in range(300)))

    def test_rotation(self):
        proxy = self.serve(file_log(self.path, "%REQ(:PATH)%\n"))
        rotations = (lambda: self.assertEqual(proxy.admin("/reopen_logs", "POST"), (200, "OK\n")),
                     lambda: os.kill(proxy.pid, signal.SIGUSR1))
        for number, reopen in enumerate(rotations):
            request(proxy.port, f"/{number}")
            self.assertEqual(self.lines(1), [f"/{number}"])
            os.rename(self.path, f"{self.path}.{number}")
            reopen()
            proxy.wait_for(lambda: os.path.exists(self.path), "the new file")
        self.assertEqual(proxy.admin("/reopen_logs"), (405, "Method GET not allowed, POST required."))
        self.assertEqual(request(proxy.port, "/2").status, 200)
        self.assertEqual(self.lines(1), ["/2"])

    def test_no_request_forges_a_line(self):
        proxy = self.serve(file_log(self.path, "%REQ(:PATH)% %REQ(X-A)%\n"))
        with socket.create_connection(("127.0.0.1", proxy.port), 10) as client:
            client.sendall(b"GET /a HTTP/1.1\r\nhost: a\r\nx-a: tab\there\r\nconnection: close\r\n\r\n")
            while client.recv(4096):
                pass
        self.assertEqual(self.lines(1), ["/a tab" + self.either("\\x09", "\t", why="nothing is escaped") + "here"])

    def test_a_log_that_cannot_be_opened_is_a_failed_start(self):
        made = config.bootstrap([config.cluster("origin", self.echo.port)], access_log=[file_log("/no/such/folder/log")])
        path = os.path.join(self.directory, "bad.json")
        with open(path, "w") as file:
            json.dump(made, file)
        program = self.launch_proxy(path)
        self.assertEqual(program.wait(), 1)
        self.assertIn(self.either("/no/such/folder/log: cannot open the access log: No such file or directory",
                                  "unable to open file '/no/such/folder/log': No such file or directory", why="other words"), program.log())


if __name__ == "__main__":
    unittest.main()
