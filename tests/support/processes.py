# SPDX-License-Identifier: Apache-2.0
"""Programs that a test starts. Every one is ended with the test, and its output is shown when the test fails."""

import collections
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("INLAY_BUILD", os.path.join(ROOT, "build", "release"))
INLAY = os.path.join(BUILD, "inlay")
SANITIZED = any(word in os.path.basename(BUILD) for word in ("asan", "tsan"))
# How long to wait for what must come: bounds a hang, and says nothing about speed.
PATIENCE = 60

started = collections.Counter()  # how many proxies of each NAME this process has run

_ports = itertools.count(int(os.environ.get("INLAY_TEST_PORTS", str(20000 + os.getpid() * 37 % 9000))))


def free_port():
    """A port that nobody listens on. Each test process counts through a range of its own, below the ephemeral ports."""
    for port in _ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port")


def filter_module(name="header_augmenting.wasm"):
    """The header-augmenting filter as it was built."""
    for directory, _, files in os.walk(BUILD):
        if name in files:
            return os.path.join(directory, name)
    raise AssertionError(f"no {name} under {BUILD}")


def wait_until(condition, what, seconds=PATIENCE, interval=0.02):
    """Polls until condition() gives something true, and returns that. The first waits are shorter than `interval` seconds."""
    deadline = time.monotonic() + seconds
    pause = interval / 16
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(pause)
        pause = min(2 * pause, interval)


class Program:
    """A child process whose stdout and stderr go to one log file."""

    def __init__(self, name, command, directory, environment=None, cwd=None):
        self.name = name
        self.log_path = os.path.join(directory, f"{name}.log")
        self.command = command
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=cwd or directory,
                                            env=dict(os.environ, **(environment or {})))

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def running(self):
        return self.process.poll() is None

    def wait_for(self, condition, what, seconds=PATIENCE):
        def check():
            if not self.running():
                raise AssertionError(f"{self.name} ended with {self.process.returncode} while waiting for {what}:\n{self.log()[-5000:]}")
            return condition()
        return wait_until(check, f"{self.name}: {what}", seconds)

    def terminate(self):
        if self.running():
            self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds=PATIENCE):
        return self.process.wait(seconds)

    def end(self, seconds=PATIENCE):
        """SIGTERM, and SIGKILL where that is not heard. Returns the exit status."""
        self.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def memory_peak_kib(self):
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

    def memory_kib(self):
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def listening(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), 1).close()
        return True
    except OSError:
        return False


def port_of(place):
    """The port of a listener or an admin; None if it is a pipe."""
    return place["address"].get("socket_address", {}).get("port_value")


class Proxy(Program):
    """`inlay run` with a configuration given as a dict, or as the path of a file; .port is its listener's, .admin_port its
    admin's, where there are; descriptors: its ulimit -n."""

    NAME = "inlay"

    def __init__(self, directory, config, concurrency=1, level="info", engine=None, flags=(), name=None, environment=None,
                 program=INLAY, descriptors=None, cwd=None):
        name = name or self.NAME
        self.program = program
        self.config_path = config
        self.port = self.admin_port = None
        if not isinstance(config, str):
            self.config_path = os.path.join(directory, f"{name}.json")
            with open(self.config_path, "w") as file:
                json.dump(config, file, indent=1)
            listeners = config["static_resources"]["listeners"]
            self.port = port_of(listeners[0]) if listeners else None
            self.admin_port = port_of(config["admin"])
        started[self.NAME] += 1
        command = self.command_line(concurrency, level) + (["--engine", engine] if engine else []) + list(flags)
        if descriptors:
            command = ["prlimit", f"--nofile={descriptors}:{descriptors}", *command]
        super().__init__(name, command, directory, {"XDG_CACHE_HOME": os.path.join(BUILD, "test-cache"), **(environment or {})}, cwd)

    def command_line(self, concurrency, level):
        return [self.program, "run", "-c", self.config_path, "--concurrency", str(concurrency), "--log-level", level]

    @staticmethod
    def is_before(version):
        """Whether it is an Envoy before that version."""
        return False

    def wait_ready(self):
        def ready():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/ready", timeout=5) as answer:
                    return answer.status == 200
            except OSError:
                return False
        self.wait_for(ready, "/ready", 2 * PATIENCE)
        return self

    def wait_compiled(self):
        """Waits until optimised code runs, for what counts or measures. Needs the log at info; an Envoy has nothing to wait for."""
        def compiled():
            log = self.log()
            begun = re.findall(r"(\S+) (?:\(\d+ KiB\) is interpreted while|runs code made in haste)", log)
            return set(begun) <= set(re.findall(r"(\S+) runs optimised code now", log))
        self.wait_for(compiled, "optimised code", 10 * PATIENCE)
        return self

    def admin(self, path, method="GET"):
        """(status, body) of the admin interface."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin_port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def stats(self):
        lines = (line.partition(": ") for line in self.admin("/stats")[1].splitlines())
        return {name: int(value) for name, _, value in lines if value.strip().lstrip("-").isdigit()}


class TestCase(unittest.TestCase):
    """Ends what a test started, and shows the logs of a test that failed. KIND is the proxy that it tests: support/both.py
    makes a second class of most, with another KIND."""

    KIND = Proxy
    differing = set()  # ids of the tests in which either() was asked

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="inlay-e2e-")
        self.programs = []
        self.envoys_before = started["envoy"]
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.addCleanup(self._end_programs)

    def _end_programs(self):
        for program in reversed(self.programs):
            program.end(5)  # a test that asserts how it ends has ended it
        result = self._outcome.result if self._outcome else None
        failed = result and any(getattr(test, "test_case", test) is self for test, _ in result.failures + result.errors)
        skipped = result and any(test is self for test, _ in result.skipped)
        if self.is_about_envoy and not failed and not skipped:
            self.assertGreater(started["envoy"], self.envoys_before, "no Envoy was run, but something else")
        for program in self.programs:
            log = program.log()
            if SANITIZED:
                report = "ERROR: AddressSanitizer" in log or "runtime error:" in log or "WARNING: ThreadSanitizer" in log
                if report and not failed:
                    print(f"----- sanitizer report of {program.name} -----\n{log[-20000:]}")
                    raise AssertionError(f"a sanitizer found something in {program.name}")
            if failed:
                lines = log.splitlines()
                print(f"----- {program.name} ({' '.join(program.command)}), last lines -----")
                print("\n".join(lines[-60:]), flush=True)

    def start(self, program):
        """Hands a program to the test, which ends it."""
        self.programs.append(program)
        return program

    def launch_proxy(self, config, kind=None, **options):
        """Starts what is tested, or another kind of proxy, and does not wait for it."""
        kind = kind or self.KIND
        name = kind.NAME
        options.setdefault("name", name if not any(p.name == name for p in self.programs) else f"{name}-{len(self.programs)}")
        return self.start(kind(self.directory, config, **options))

    def start_proxy(self, config, **options):
        return self.launch_proxy(config, **options).wait_ready()

    @property
    def in_envoy(self):
        return self.KIND is not Proxy

    @property
    def is_about_envoy(self):
        """Whether it says that it runs in Envoy, or is about Envoy alone. Then it has to have run one."""
        return self.in_envoy or any(hasattr(what, "needs_envoy") for what in (type(self), getattr(self, self._testMethodName)))

    def either(self, inlay, envoy, why):
        """What is to be expected where Inlay and Envoy differ, `why` being the reason: which of the two is tested."""
        assert why and inlay != envoy
        self.differing.add(self.id())
        return envoy if self.in_envoy else inlay

    def since(self, version, new, old, why):
        """What is to be expected of Envoy from that version on, and of Inlay; and of an Envoy before."""
        assert why and new != old
        if not self.KIND.is_before(version):
            return new
        self.differing.add(self.id())
        return old

    def start_program(self, name, command, port=None):
        program = self.start(Program(name, command, self.directory))
        if port is not None:
            program.wait_for(lambda: listening(port), f"port {port}")
        return program
