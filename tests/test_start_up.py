# SPDX-License-Identifier: Apache-2.0
"""Starting with a module that is not compiled yet: interpreted, then quick code, then optimised code, then from the cache."""

import fcntl
import glob
import json
import os
import re
import signal
import socket
import subprocess
import threading

from support import guests
from support.both import inlay_only
from support.config import bootstrap, cluster, wasm
from support.large_module import large_module
from support.origins import Echo, echoed
from support.processes import INLAY, PATIENCE, Program, Proxy, TestCase, free_port, wait_until
from support.wire import request

# Adds x-guest: the number of requests that this VM has seen, with leading zeros.
COUNTING = guests.guest("""
  (global $requests (mut i32) (i32.const 0))
  (func $digit (param $at i32) (param $unit i32)
    (i32.store8 (local.get $at) (i32.add (i32.const 48)
      (i32.rem_u (i32.div_u (global.get $requests) (local.get $unit)) (i32.const 10)))))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (global.set $requests (i32.add (global.get $requests) (i32.const 1)))
    (call $digit (i32.const 1024) (i32.const 100000))
    (call $digit (i32.const 1025) (i32.const 10000))
    (call $digit (i32.const 1026) (i32.const 1000))
    (call $digit (i32.const 1027) (i32.const 100))
    (call $digit (i32.const 1028) (i32.const 10))
    (call $digit (i32.const 1029) (i32.const 1))
    (call $add_header (i32.const 1024) (i32.const 6))
    (i32.const 0))""")

METRICS = """
  (import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))
  (import "env" "proxy_get_metric" (func $get (param i32 i32) (result i32)))"""

# The first two starts, which are the canary and the main thread's, end; each later one waits for three of its kind to have begun.
TOGETHER = guests.guest("""
  (data (i32.const 1024) "starts")
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $define (i32.const 0) (i32.const 1024) (i32.const 6) (i32.const 2048)))
    (drop (call $increment (i32.load (i32.const 2048)) (i64.const 1)))
    (drop (call $get (i32.load (i32.const 2048)) (i32.const 2056)))
    (if (i64.le_u (i64.load (i32.const 2056)) (i64.const 2)) (then (return (i32.const 1))))
    (loop
      (drop (call $get (i32.load (i32.const 2048)) (i32.const 2056)))
      (br_if 0 (i64.lt_u (i64.load (i32.const 2056)) (i64.const 5))))
    (i32.const 1))""", METRICS)


# Configures itself for ever.
ENDLESS = guests.guest("""(func (export "proxy_on_configure") (param i32 i32) (result i32) (loop (br 0)) (i32.const 1))""")

# Its first start goes on for ever; the next ones end.
ENDLESS_ONCE = guests.guest("""
  (data (i32.const 1024) "begun")
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (call $say (i32.const 1024) (i32.const 5))
    (drop (call $define (i32.const 0) (i32.const 1024) (i32.const 5) (i32.const 2048)))
    (drop (call $increment (i32.load (i32.const 2048)) (i64.const 1)))
    (drop (call $get (i32.load (i32.const 2048)) (i32.const 2056)))
    (if (i64.gt_u (i64.load (i32.const 2056)) (i64.const 1)) (then (return (i32.const 1))))
    (loop (br 0)) (i32.const 1))""", METRICS)


@inlay_only("how Inlay compiles and caches a module")
class StartUpTest(TestCase):
    def setUp(self):
        super().setUp()
        self.module = os.path.join(self.directory, "module.wasm")
        with open(self.module + ".wat", "w") as file:
            file.write(large_module(60))
        subprocess.run(["wat2wasm", self.module + ".wat", "-o", self.module], check=True)

    def run_inlay(self, name):
        """Starts with this test's own cache, and waits for the first answer."""
        routes = [{"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}]
        config = bootstrap([cluster("origin", free_port())], [wasm(self.module)], routes)
        port = config["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"]
        path = os.path.join(self.directory, name + ".json")
        with open(path, "w") as file:
            json.dump(config, file)
        program = self.start(Program(name, [INLAY, "run", "-c", path, "--concurrency", "2"], self.directory,
                                     {"XDG_CACHE_HOME": os.path.join(self.directory, "cache")}))
        program.wait_for(lambda: self.answers(port), "the first answer", 2 * PATIENCE)
        return program

    @staticmethod
    def answers(port):
        try:
            return request(port).status == 200
        except OSError:
            return False

    def artifacts(self):
        return sorted(os.listdir(os.path.join(self.directory, "cache", "inlay")))

    def test_a_cold_start_is_interpreted_and_the_next_one_takes_what_was_made(self):
        cold = self.run_inlay("cold")
        self.assertIn("is interpreted while it is compiled in the background", cold.log())
        cold.wait_for(lambda: "code made in haste" in cold.log(), "the quick code", 10 * PATIENCE)
        cold.wait_for(lambda: "runs optimised code now" in cold.log(), "the optimised code", 10 * PATIENCE)
        # The log line is written before the quick artifact is taken away.
        cold.wait_for(lambda: len(self.artifacts()) == 1, "one artifact")
        cold.end()
        warm = self.run_inlay("warm")
        self.assertNotIn("made in haste", warm.log())
        self.assertNotIn("interpreted", warm.log())
        self.assertNotIn("interpreter", warm.log())
        self.assertEqual(warm.end(), 0)

    def test_an_artifact_of_a_module_that_changed_is_not_used(self):
        first = self.run_inlay("first")
        first.wait_for(lambda: "code made in haste" in first.log(), "the quick code", 10 * PATIENCE)
        first.end()
        before = self.artifacts()
        with open(self.module, "ab") as file:
            file.write(b"\x00\x05\x04note")  # a custom section
        second = self.run_inlay("second")
        second.wait_for(lambda: "code made in haste" in second.log(), "the quick code", 10 * PATIENCE)
        self.assertTrue(set(self.artifacts()) - set(before))


@inlay_only("how Inlay compiles a module")
class HeldCompiler(TestCase):
    """The compiler is a script that waits: the quick code for `quick`, the optimised code for `go`, files of this test."""

    def setUp(self):
        super().setUp()
        self.compiler = os.path.join(self.directory, "held-cc")
        with open(self.compiler, "w") as file:
            file.write(f"""#!/bin/sh
cd {self.directory}
sleep 100000 & child=$!
echo $$ $child > pids.new; mv pids.new pids
case " $* " in *' -O2 '*) wanted=go;; *) wanted=quick;; esac
while [ ! -e $wanted ]; do sleep 0.02; done
kill $child
exec cc "$@"
""")
        os.chmod(self.compiler, 0o755)
        self.environment = {"XDG_CACHE_HOME": os.path.join(self.directory, "cache"), "INLAY_CC": self.compiler}

    def release(self, what):
        open(os.path.join(self.directory, what), "w").close()

    def test_no_request_is_lost_and_no_state_when_native_code_takes_over(self):
        echo = self.start(Echo(self.directory))
        module = guests.assemble(self.directory, "counting", COUNTING)
        proxy = self.start_proxy(bootstrap([cluster("origin", echo.port)], [wasm(module)]), environment=self.environment)
        answers = [[], []]
        stop = threading.Event()

        def ask(into):
            while not stop.is_set():
                into.append(echoed(proxy.port)["headers"]["x-guest"])

        askers = [threading.Thread(target=ask, args=(into,)) for into in answers]
        self.addCleanup(stop.set)
        for asker in askers:
            asker.start()

        def more():
            """Some more answers, so that what was said before is about them."""
            wanted = [len(into) + 5 for into in answers]
            wait_until(lambda: all(len(into) >= want for into, want in zip(answers, wanted)), "answers")

        more()
        self.assertNotIn("made in haste", proxy.log())
        self.release("quick")
        proxy.wait_for(lambda: "code made in haste" in proxy.log(), "the quick code", 10 * PATIENCE)
        more()
        self.release("go")
        proxy.wait_for(lambda: "runs optimised code now" in proxy.log(), "the optimised code", 10 * PATIENCE)
        more()
        stop.set()
        for asker in askers:
            asker.join()
        seen = sorted(answers[0] + answers[1])
        self.assertEqual(seen, [f"{i + 1:06}" for i in range(len(seen))])

    def test_compilers_end_with_a_program_that_is_killed(self):
        module = guests.assemble(self.directory, "counting", COUNTING)
        for engine in ("auto", "aot"):
            with self.subTest(engine):
                proxy = self.start(Proxy(self.directory, bootstrap([cluster("origin", free_port())], [wasm(module)]),
                                         engine=engine, environment=self.environment, name=engine))
                path = os.path.join(self.directory, "pids")
                proxy.wait_for(lambda: os.path.exists(path), "a compiler")
                with open(path) as file:
                    pids = file.read().split()
                os.remove(path)
                self.assertTrue(all(self.runs(pid) for pid in pids))
                wait_until(lambda: self.is_tied(pids[0]), "the tie to its starter")
                proxy.process.send_signal(signal.SIGKILL)
                proxy.wait()
                wait_until(lambda: not any(self.runs(pid) for pid in pids), "the compilers to end")

    @staticmethod
    def is_tied(pid):
        """Whether a descriptor of its own sends a signal: before that, who is killed leaves it behind."""
        for path in glob.glob(f"/proc/{pid}/fdinfo/*"):
            with open(path) as file:
                if int(re.search(r"^flags:\s*(\d+)", file.read(), re.M).group(1), 8) & fcntl.FASYNC:
                    return True
        return False

    @staticmethod
    def runs(pid):
        try:
            with open(f"/proc/{pid}/stat") as file:
                return file.read().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    def test_the_admin_page_says_what_a_start_is_at(self):
        module = guests.assemble(self.directory, "counting", COUNTING)
        proxy = self.start(Proxy(self.directory, bootstrap([cluster("origin", free_port())], [wasm(module)]), engine="aot",
                                 environment=self.environment))

        status, body = proxy.wait_for(lambda: (answer := self.ready(proxy))[1].find("\ncompiling ") > 0 and answer, "an answer")
        self.assertEqual(status, 503)
        self.assertRegex(body, rf"^PRE_INITIALIZING\ncompiling {module} \(\d+ s\)\n$")
        self.assertEqual(proxy.admin("/stats")[0], 503)
        self.assertRaises(OSError, request, proxy.port)
        # One that says nothing holds up no other, nor the end of the start.
        with socket.create_connection(("127.0.0.1", proxy.admin_port), PATIENCE) as silent:
            with socket.create_connection(("127.0.0.1", proxy.admin_port), PATIENCE) as head:
                head.sendall(b"HEAD /ready HTTP/1.1\r\nhost: a\r\n\r\n")
                answer = head.makefile("rb").read()
            self.assertRegex(answer, rb"(?s)^HTTP/1.1 503 .*\r\ncontent-length: [1-9]\d+\r\n\r\n$")
            self.end_the_start(proxy, module)
            self.assertEqual(silent.recv(1), b"")

    def end_the_start(self, proxy, module):
        proxy.wait_for(lambda: f"still starting: compiling {module}, for " in proxy.log(), "a line on the way")
        self.release("go")
        proxy.wait_ready()
        self.assertEqual(proxy.admin("/ready"), (200, "LIVE\n"))

    def test_a_signal_ends_a_start_wherever_it_is(self):
        """While a compiler runs, while the interpreter tries a plugin out, and while workers start theirs: the guests would go on for ever."""
        cases = {"compiling": ("counting", COUNTING, "aot", r"^PRE_INITIALIZING\ncompiling "),
                 "trying out": ("endless", ENDLESS, "auto", r"^PRE_INITIALIZING\nstarting plugin endless "),
                 "workers": ("together", TOGETHER, "auto", r"^INITIALIZING\nstarting the plugins of worker 1 of 1 ")}
        for number in (signal.SIGTERM, signal.SIGINT):
            for what, (name, text, engine, words) in cases.items():
                with self.subTest(what, signal=number):
                    module = guests.assemble(self.directory, name, text)
                    config = bootstrap([cluster("origin", free_port())], [wasm(module, name=name)])
                    proxy = self.launch_proxy(config, engine=engine, environment=self.environment,
                                              flags=["--guest-call-ms", "3600000"])
                    proxy.wait_for(lambda: re.search(words, self.ready(proxy)[1]), "the start to be there")
                    proxy.process.send_signal(number)
                    self.assertEqual(proxy.wait(), 0)
                    self.assertIn("ended by a signal before the start was done", proxy.log())
                    self.assertNotIn("listener '", proxy.log())

    def test_a_start_whose_time_is_over_is_tried_again_when_native_code_has_come(self):
        module = guests.assemble(self.directory, "once", ENDLESS_ONCE)
        routes = [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}]
        proxy = self.launch_proxy(bootstrap([], [wasm(module)], routes), environment=self.environment,
                                  flags=["--guest-call-ms", "500"])  # 100 times that for the code, 10 times that is waited
        proxy.wait_for(lambda: "begun" in proxy.log(), "the first start")
        self.release("quick")
        proxy.wait_ready()
        self.assertEqual(request(proxy.port).status, 200)
        self.assertEqual(proxy.log().count("begun"), 4)  # two tries, the main thread's VM and the worker's

    def test_what_a_compiler_leaves_running_goes_on(self):
        module = guests.assemble(self.directory, "counting", COUNTING)
        with open(self.compiler, "w") as file:
            file.write(f"#!/bin/sh\nsleep 100000 & echo $! > {self.directory}/left\nexec cc \"$@\"\n")
        subprocess.run([INLAY, "compile", module, "-o", module + ".aot"], env=dict(os.environ, **self.environment), check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600)
        with open(os.path.join(self.directory, "left")) as file:
            left = file.read().strip()
        self.addCleanup(os.kill, int(left), signal.SIGKILL)
        self.assertTrue(self.runs(left))

    @staticmethod
    def ready(proxy):
        try:
            return proxy.admin("/ready")
        except OSError:
            return None, ""


@inlay_only("how Inlay starts its workers")
class Workers(TestCase):
    def test_their_plugins_start_side_by_side(self):
        echo = self.start(Echo(self.directory))
        module = guests.assemble(self.directory, "together", TOGETHER)
        proxy = self.start_proxy(bootstrap([cluster("origin", echo.port)], [wasm(module)]), concurrency=3,
                                 flags=["--guest-call-ms", str(1000 * PATIENCE)])
        self.assertEqual(request(proxy.port).status, 200)
        self.assertEqual(proxy.stats()["wasm.envoy.wasm.runtime.v8.active"], 5)
