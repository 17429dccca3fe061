# SPDX-License-Identifier: Apache-2.0
"""Guests that misbehave. The policy of the plugin decides; the rest of the process serves on."""

import random
import socket
import struct
import threading
import unittest

from support import config, guests
from support.both import in_envoy_too, inlay_only
from support.hostile import GUEST, Hostile
from support.origins import Echo
from support.processes import PATIENCE, SANITIZED, wait_until
from support.wire import Wire, request

TRAPS = {
    "endless loop": "(loop $again (br $again))",
    "unreachable": "(unreachable)",
    "division by zero": "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
    "load outside of memory": "(drop (i32.load (i32.const 0x7ffffff0)))",
    "store outside of memory": "(i64.store (i32.const -8) (i64.const 1))",
    "recursion without end": "(drop (call $deeper (i32.const 0)))",
    "all the memory it can get": """
      (loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
      (unreachable)""",
}
# Envoy bounds neither a guest's time nor its memory, but by what WebAssembly has.
WITHOUT_END = ("endless loop", "all the memory it can get")
# The same, and it touches every page that it got.
TOUCH_ALL_MEMORY = """
      (local $at i32)
      (loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
      (local.set $at (i32.const 131072))
      (loop $touch
        (i32.store (local.get $at) (i32.const 1))
        (local.set $at (i32.add (local.get $at) (i32.const 4096)))
        (br_if $touch (i32.lt_u (local.get $at) (i32.mul (memory.size) (i32.const 65536)))))
      (unreachable)"""

FAR = "(i32.const 0x7fffffff)"
NEAR_END = "(i32.const 131070)"
MINUS = "(i32.const -1)"


def bad_pointer_calls():
    """Every host function that takes a pointer, with pointers and lengths that point nowhere; results are dropped."""
    calls = []
    for bad in (FAR, NEAR_END, MINUS):
        pair = f"{bad} {FAR}"
        calls += [
            f"(call $log (i32.const 0) {pair})",
            f"(call $get (i32.const 0) {pair} (i32.const 128) (i32.const 132))",
            f"(call $get (i32.const 0) (i32.const 16) (i32.const 5) {bad} {bad})",
            f"(call $get (i32.const 77) (i32.const 16) (i32.const 5) (i32.const 128) (i32.const 132))",
            f"(call $add (i32.const 0) {pair} {pair})",
            f"(call $add (i32.const 0) (i32.const 32) (i32.const 7) {pair})",
            f"(call $replace (i32.const 0) {pair} {pair})",
            f"(call $remove (i32.const 0) {pair})",
            f"(call $pairs (i32.const 0) {bad} {bad})",
            f"(call $set_pairs (i32.const 0) {pair})",
            # a count of pairs that the buffer cannot hold
            "(call $set_pairs (i32.const 3) (i32.const 16) (i32.const 8))",
            f"(call $buffer (i32.const 0) (i32.const 0) {FAR} {bad} {bad})",
            f"(call $buffer (i32.const 0) {MINUS} {MINUS} (i32.const 128) (i32.const 132))",
            f"(call $buffer (i32.const 99) (i32.const 0) {FAR} (i32.const 128) (i32.const 132))",
            f"(call $set_buffer (i32.const 0) {bad} {bad} {pair})",
            f"(call $property {pair} (i32.const 128) (i32.const 132))",
            f"(call $property (i32.const 16) (i32.const 5) {bad} {bad})",
            f"(call $set_property {pair} {pair})",
            f"(call $shared {pair} (i32.const 128) (i32.const 132) (i32.const 136))",
            f"(call $shared (i32.const 16) (i32.const 5) {bad} {bad} {bad})",
            f"(call $set_shared {pair} {pair} (i32.const 0))",
            f"(call $queue {pair} (i32.const 128))",
            f"(call $queue (i32.const 16) (i32.const 5) {bad})",
            f"(call $enqueue (i32.const 12345) {pair})",
            f"(call $dequeue (i32.const 12345) {bad} {bad})",
            f"(call $metric (i32.const 0) {pair} (i32.const 128))",
            f"(call $metric (i32.const 9) (i32.const 16) (i32.const 5) {bad})",
            f"(call $get_metric (i32.const 99999) {bad})",
            f"(call $call {pair} {pair} {pair} {pair} (i32.const 1000) {bad})",
            f"(call $call (i32.const 64) (i32.const 6) {pair} {pair} {pair} (i32.const 1000) (i32.const 128))",
            f"(call $reply (i32.const 200) {pair} {pair} {pair} (i32.const -1))",
            f"(call $foreign {pair} {pair} {bad} {bad})",
            f"(call $now {bad})",
            f"(call $fd_write (i32.const 1) {bad} (i32.const 1000000) {bad})",
            f"(call $fd_write (i32.const 1) {bad} (i32.const 1) (i32.const 128))",
            f"(call $random {pair})",
        ]
    return "\n".join(f"(drop {call})" for call in calls)


@in_envoy_too
class Traps(Hostile):
    def for_each_trap(self, check):
        for name, behaviour in TRAPS.items():
            if self.in_envoy and name in WITHOUT_END:
                continue
            with self.subTest(name):
                try:
                    check(behaviour)
                finally:
                    for program in self.programs:
                        program.end()

    def test_fail_closed(self):
        def check(behaviour):
            self.start_with(behaviour)
            response = self.bad()
            self.assertEqual((response.status, response.body), (503, b""))
            # the VM is gone: later requests on that worker fail closed too
            self.assertEqual(request(self.port).status, 503)
            self.assertTrue(self.proxy.running())
            self.assertEqual(self.proxy.admin("/ready")[0], 200)
        self.for_each_trap(check)

    def test_fail_open(self):
        def check(behaviour):
            self.start_with(behaviour, "FAIL_OPEN")
            self.assertIn(self.bad().status, (200, 503))  # Envoy fails the very request that traps
            self.assertIsNone(self.good())  # later ones go on without the filter
            self.assertTrue(self.proxy.running())
        self.for_each_trap(check)

    def test_fail_reload(self):
        def check(behaviour):
            self.start_with(behaviour, "FAIL_RELOAD", reload_config={"backoff": {"base_interval": "0.05s"}})
            for _ in range(3):
                self.assertEqual(self.bad().status, 503)
                wait_until(lambda: request(self.port).status == 200, "the VM to be made anew")
                self.assertEqual(self.good(), "survived")
        self.for_each_trap(check)


@inlay_only("its second engine")
class TrapsOnTheInterpreter(Traps):
    engine = "interp"


@in_envoy_too
class Pointers(Hostile):
    def test_bad_pointers_are_refused_and_the_guest_goes_on(self):
        self.start_with(bad_pointer_calls(), "FAIL_CLOSED")
        for _ in range(3):
            response = self.bad()
            self.assertEqual(response.status, 200, response)
            self.assertIn(b'"x-guest": "survived"', response.body)


@inlay_only("its second engine")
class PointersOnTheInterpreter(Pointers):
    engine = "interp"


@inlay_only("Envoy bounds neither a guest's time nor its memory")
class Others(Hostile):
    def test_another_worker_serves_while_one_loops(self):
        self.start_with(TRAPS["endless loop"], "FAIL_RELOAD", concurrency=4, flags=("--guest-call-ms", "0"))
        asked = self.proxy.stats()["http.ingress.downstream_rq_total"]
        with Wire(self.port) as looping:
            looping.send("GET / HTTP/1.1\r\nhost: a\r\nx-bad: 1\r\n\r\n")
            wait_until(lambda: self.proxy.stats()["http.ingress.downstream_rq_total"] > asked, "the loop")
            statuses = []

            def client():
                try:
                    statuses.append(request(self.port).status)
                except (OSError, EOFError):  # it came to the worker that loops, which is killed in the end
                    pass
            clients = [threading.Thread(target=client) for _ in range(32)]
            for one in clients:
                one.start()
            wait_until(lambda: len(statuses) >= 3, "the other workers' answers")
            self.assertEqual(set(statuses), {200})
            self.proxy.process.kill()
            for one in clients:
                one.join()

    def test_the_worker_that_loops_serves_again(self):
        self.start_with(TRAPS["endless loop"], "FAIL_RELOAD", concurrency=1, reload_config={"backoff": {"base_interval": "0.05s"}})
        with Wire(self.port) as looping, Wire(self.port) as waiting:
            looping.send("GET / HTTP/1.1\r\nhost: a\r\nx-bad: 1\r\n\r\n")
            waiting.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            self.assertEqual(looping.response().status, 503)
            self.assertIn(waiting.response().status, (200, 503))  # it is not lost
        wait_until(lambda: request(self.port).status == 200, "the VM to be made anew")

    def test_memory_is_given_back(self):
        self.start_with(TOUCH_ALL_MEMORY, "FAIL_RELOAD", reload_config={"backoff": {"base_interval": "0.01s"}})
        for _ in range(5):
            self.assertEqual(self.bad().status, 503)
            wait_until(lambda: request(self.port).status == 200, "the VM to be made anew")
        if not SANITIZED:
            self.assertLess(self.proxy.memory_kib(), 128 * 1024)
            self.assertLess(self.proxy.memory_peak_kib(), 320 * 1024)


# In callback number N the guest does what the Nth letter of the request's x-do header says.
OBEDIENT = """
(module
  (import "env" "proxy_get_property" (func $property (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_send_local_response" (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_close_stream" (func $close (param i32) (result i32)))
  (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))
  (import "env" "proxy_set_buffer_bytes" (func $write (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_replace_header_map_value" (func $set (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 16) "request\\00headers\\00x-do")
  (data (i32.const 64) "by the guest")
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 65536))
  (func $say (drop (call $reply (i32.const 403) (i32.const 64) (i32.const 12) (i32.const 64) (i32.const 12)
                                (i32.const 0) (i32.const 0) (i32.const -1))))
  (func $go (param $way i32) (drop (call $continue (local.get $way))))
  (func $do (param $number i32) (result i32) (local $c i32) (local $n i32)
    (if (call $property (i32.const 16) (i32.const 20) (i32.const 128) (i32.const 132)) (then (return (i32.const 0))))
    (if (i32.ge_u (local.get $number) (i32.load (i32.const 132))) (then (return (i32.const 0))))
    (local.set $c (i32.load8_u (i32.add (i32.load (i32.const 128)) (local.get $number))))
    {actions}
    (i32.const 0))
  {callbacks}
)
"""
ACTIONS = {
    "r": "(call $say)",
    "R": "(call $say) (return (i32.const 1))",
    "c": "(drop (call $close (i32.const 0)))",
    "C": "(call $say) (drop (call $close (i32.const 1))) (call $go (i32.const 0)) (call $go (i32.const 1))",
    "g": "(call $go (i32.const 0)) (call $go (i32.const 1)) (return (i32.const 1))",
    "G": "(call $go (i32.const 1)) (call $say) (call $go (i32.const 0))",
    "b": "(return (i32.const 3))",
    "p": "(return (i32.const 1))",
    "w": """(drop (call $write (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 0) (i32.const 65536)))
            (drop (call $write (i32.const 1) (i32.const -1) (i32.const 0) (i32.const 0) (i32.const 65536)))
            (drop (call $set (i32.const 1) (i32.const 64) (i32.const 2) (i32.const 64) (i32.const 12)))
            (drop (call $set (i32.const 3) (i32.const 64) (i32.const 2) (i32.const 64) (i32.const 12)))""",
    # enough for the host to move what is left of the maps
    "m": """(memory.fill (i32.const 70000) (i32.const 97) (i32.const 1000))
            (loop $again
              (drop (call $set (i32.const 0) (i32.const 64) (i32.const 2) (i32.const 70000) (i32.const 1000)))
              (drop (call $set (i32.const 2) (i32.const 64) (i32.const 2) (i32.const 70000) (i32.const 1000)))
              (local.set $n (i32.add (local.get $n) (i32.const 1)))
              (br_if $again (i32.lt_u (local.get $n) (i32.const 400))))""",
    "x": "(unreachable)",
}
CALLBACKS = [("request_headers", 3, True), ("request_body", 3, True), ("request_trailers", 2, True),
             ("response_headers", 3, True), ("response_body", 3, True), ("response_trailers", 2, True),
             ("log", 1, False), ("done", 1, True), ("delete", 1, False)]


def obedient():
    actions = "\n".join(f"(if (i32.eq (local.get $c) (i32.const {ord(letter)})) (then {text}))"
                        for letter, text in ACTIONS.items())
    callbacks = "\n".join(
        f'(func (export "proxy_on_{name}") (param {"i32 " * count}) {"(result i32)" if result else ""} '
        f'{"(call $do" if result else "(drop (call $do"} (i32.const {number})){"" if result else ")"})'
        for number, (name, count, result) in enumerate(CALLBACKS))
    return OBEDIENT.replace("{actions}", actions).replace("{callbacks}", callbacks)


@inlay_only("Envoy dies when a guest answers or resumes where it may not")
class AnyCallback(Hostile):
    """Replies, resets, resumptions, rewrites and traps in every callback, in any order."""

    policy = "FAIL_RELOAD"

    def one(self, todo, body, timeout=0.2):
        """A status, or None where the stream was reset or nothing came."""
        text = f"POST / HTTP/1.1\r\nhost: a\r\nx-do: {todo}\r\n"
        text += "content-length: 5\r\n\r\nhello" if body else "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nt: 1\r\n\r\n"
        try:
            with Wire(self.port, timeout=timeout) as wire:
                # Closing sends RST: a client that ends its sending only may still want the answer.
                wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return wire.send(text).response("POST").status
        except (OSError, EOFError):
            return None

    def test_all(self):
        echo = self.start(Echo(self.directory))
        guest = config.wasm(self.assemble(obedient()), policy=self.policy, reload_config={"backoff": {"base_interval": "0.01s"}})
        made = config.bootstrap([config.cluster("origin", echo.port)], [guest])
        proxy = self.start_proxy(made, concurrency=2, engine=self.engine)
        self.port = proxy.port
        self.assertEqual(self.one("r", False, PATIENCE), 403)  # later ones may be given up too soon for that
        chance = random.Random(5)
        letters = "....." + "".join(ACTIONS)
        scripts = ["." * n + letter for n in range(len(CALLBACKS)) for letter in ACTIONS]
        scripts += ["".join(chance.choice(letters) for _ in CALLBACKS) for _ in range(200)]
        statuses = set()

        def client(mine):
            for todo in mine:
                for body in (False, True):
                    statuses.add(self.one(todo, body))
        clients = [threading.Thread(target=client, args=(scripts[i::8],)) for i in range(8)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        self.assertTrue(proxy.running(), proxy.log()[-5000:])
        self.assertLessEqual(statuses, {200, 403, 503, 500, 413, None})
        def idle():
            stats = proxy.stats()
            return not stats["http.ingress.downstream_rq_active"] and not stats["http.ingress.downstream_cx_active"] \
                and not stats["cluster.origin.upstream_rq_active"]
        wait_until(idle, "every stream to be over")
        wait_until(lambda: request(self.port).status == 200, "a harmless request to pass")
        proxy.terminate()
        self.assertEqual(proxy.wait(), 0)


@inlay_only("its second engine")
class AnyCallbackOnTheInterpreter(AnyCallback):
    engine = "interp"
    policy = "FAIL_OPEN"


def flood(call, times):
    """Makes the call again and again, whatever it says; the word at 1024 counts."""
    return f"""
      (loop $again
        (drop {call})
        (i32.store (i32.const 1024) (i32.add (i32.load (i32.const 1024)) (i32.const 1)))
        (br_if $again (i32.lt_u (i32.load (i32.const 1024)) (i32.const {times}))))"""


FLOODS = {
    "shared data": flood("(call $set_shared (i32.const 1024) (i32.const 4) (i32.const 0) (i32.const 131000) (i32.const 0))", 4000),
    "empty values": flood("(call $set_shared (i32.const 1024) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0))", 200000),
    "queues": flood("(call $queue (i32.const 1024) (i32.const 4) (i32.const 128))", 100000),
    "items": f"""(drop (call $queue (i32.const 16) (i32.const 5) (i32.const 128)))
      {flood("(call $enqueue (i32.load (i32.const 128)) (i32.const 0) (i32.const 131000))", 4000)}""",
    "metrics": flood("(call $metric (i32.const 0) (i32.const 1024) (i32.const 1000) (i32.const 128))", 150000),
    "headers": flood("(call $add (i32.const 0) (i32.const 32) (i32.const 7) (i32.const 48) (i32.const 8))", 200000),
    "properties": flood("(call $set_property (i32.const 1024) (i32.const 4) (i32.const 0) (i32.const 131000))", 4000),
    "lines": flood("(call $log (i32.const 3) (i32.const 48) (i32.const 60000))", 4000),
    "calls": flood("""(call $call (i32.const 64) (i32.const 6) (i32.const 1100) (i32.const 61) (i32.const 0)
      (i32.const 131000) (i32.const 0) (i32.const 0) (i32.const 500) (i32.const 128))""", 4000),
}
PAIRS = r'''
  (data (i32.const 1100) "\03\00\00\00" "\07\00\00\00\03\00\00\00" "\05\00\00\00\01\00\00\00" "\0a\00\00\00\01\00\00\00"
                         ":method\00GET\00" ":path\00/\00" ":authority\00c\00")'''


@inlay_only("Envoy has no such bounds")
class Floods(Hostile):
    """What a guest may make the proxy hold has bounds (docs/guide/run.md)."""

    def module(self, behaviour):
        return self.assemble(GUEST.replace("(data (i32.const 16)", PAIRS + "(data (i32.const 16)").replace("{behaviour}", behaviour))

    def test_all(self):
        for name, behaviour in FLOODS.items():
            with self.subTest(name):
                try:
                    self.start_with(behaviour, "FAIL_RELOAD", reload_config={"backoff": {"base_interval": "0.05s"}})
                    for _ in range(2):
                        self.bad()
                        wait_until(lambda: request(self.port).status == 200, "requests to pass again")
                    if not SANITIZED:
                        self.assertLess(self.proxy.memory_peak_kib(), 500 * 1024)
                    self.proxy.terminate()
                    self.assertEqual(self.proxy.wait(), 0)
                finally:
                    for program in self.programs:
                        program.end()


@in_envoy_too
class Refusals(Hostile):
    """A module that cannot be run is refused at the start, with what is wrong."""

    def refused(self, source, expected):
        path = guests.assemble(self.directory, "odd", source)
        made = config.bootstrap([config.cluster("origin", 1)], [config.wasm(path)])
        proxy = self.launch_proxy(made, engine=self.engine)
        self.assertNotEqual(proxy.wait(), 0)
        self.assertIn(expected, proxy.log())

    def test_no_proxy_wasm_module(self):
        self.refused('(module (memory (export "memory") 1))', self.either("proxy_abi_version", "unknown Proxy-Wasm ABI version", why="other words"))

    def test_no_allocator(self):
        self.refused('(module (memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1")))',
                     self.either("proxy_on_memory_allocate", "missing malloc function", why="other words"))

    def test_an_unknown_import(self):
        self.refused('''(module (import "env" "proxy_make_coffee" (func (param i32) (result i32)))
          (memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))
          (func (export "malloc") (param i32) (result i32) (i32.const 0)))''', "proxy_make_coffee")

    def test_a_wrong_signature(self):
        self.refused('''(module (import "env" "proxy_log" (func (param i64) (result i32)))
          (memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))
          (func (export "malloc") (param i32) (result i32) (i32.const 0)))''', "proxy_log")

    def test_a_start_that_traps(self):
        self.refused('''(module (memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))
          (func (export "_initialize") (unreachable))
          (func (export "malloc") (param i32) (result i32) (i32.const 0)))''', "_initialize")

    def test_a_configuration_that_is_refused(self):
        self.refused('''(module (memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))
          (func (export "proxy_on_context_create") (param i32 i32))
          (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))
          (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 0))
          (func (export "malloc") (param i32) (result i32) (i32.const 1024)))''', "plugin")


if __name__ == "__main__":
    unittest.main()
