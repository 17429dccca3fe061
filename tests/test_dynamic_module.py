# SPDX-License-Identifier: Apache-2.0
"""Inlay in the real Envoy, as a dynamic module that loads filters."""

import hashlib
import json
import os
import re
import shutil
import subprocess

from support import config, guests
from support.both import inlay_only
from support.dynamic_module import LIBRARY, dynamic_module, linked, loads, needs_library
from support.envoy import Envoy, find_envoy, needs_envoy
from support.grpc_server import GrpcServer, needs_grpc
from support.module_reloads import grown
from support.module_soak import ModuleSoak, ModuleTraps
from support.origins import Echo, Provider, PythonServer, all_workers_answer, echoed
from support.processes import INLAY, ROOT, TestCase, filter_module, free_port, listening, started, wait_until
from support.wire import request

PUPPET = "puppet_0_2_1.wasm"


class InEnvoy(TestCase):
    KIND = Envoy

    def setUp(self):
        super().setUp()
        if Envoy.is_before("1.38"):
            self.skipTest("an Envoy before 1.38 loads no such module, which TooOld tests")

    def start_filters(self, *filters, clusters=(), **options):
        self.echo = self.start(Echo(self.directory))
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", self.echo.port), *clusters], filters), **options)

    def puppet(self, *script, **fields):
        """A filter that does in each callback what its script says (conformance/README.md)."""
        return loads(self.directory, filter_module(PUPPET), configuration="\n".join(script), **fields)

    def start_puppet(self, *script, clusters=(), concurrency=1, **fields):
        self.start_filters(self.puppet(*script, **fields), clusters=clusters, concurrency=concurrency)


@needs_envoy()
@needs_library()
class Streams(InEnvoy):
    def test_headers_are_changed_both_ways(self):
        self.start_puppet("on request_headers: set req x-new 1; add req x-more 2; remove req x-gone; set req x-old changed",
                          "on response_headers: set resp x-answer yes; remove resp content-type")
        seen = echoed(self.proxy.port, headers={"x-gone": "1", "x-old": "first", "x-more": "1"})["headers"]
        self.assertEqual({name: seen.get(name) for name in ("x-new", "x-more", "x-gone", "x-old")},
                         {"x-new": "1", "x-more": ["1", "2"], "x-gone": None, "x-old": "changed"})
        answer = request(self.proxy.port)
        self.assertEqual((answer.get("x-answer"), answer.get("content-type")), ("yes", None))

    def test_a_local_reply(self):
        self.start_puppet('on request_headers path=/no: reply 403 "not for you" x-why=because')
        answer = request(self.proxy.port, "/no")
        self.assertEqual((answer.status, answer.body, answer.get("x-why")), (403, b"not for you", "because"))
        self.assertEqual(request(self.proxy.port, "/yes").status, 200)

    def test_its_own_local_reply_passes_its_callbacks_about_the_response(self):
        self.start_puppet('on request_headers: reply 403 "not for you"; return pause', "on response_headers: set resp x-seen yes",
                          'on response_body: set_body resp 0 100 "changed"')
        answer = request(self.proxy.port)
        self.assertEqual((answer.status, answer.body, answer.get("x-seen")), (403, b"changed", "yes"))

    def test_a_plugin_that_fails_closed_stays_so(self):
        self.start_puppet("on request_headers path=/trap: trap")
        self.assertEqual(request(self.proxy.port).status, 200)
        self.assertEqual([request(self.proxy.port, path).status for path in ("/trap", "/", "/")], [503, 503, 503])

    def test_the_time_of_a_request(self):
        self.start_puppet("on request_headers: prop request.time", "on log: prop request.duration")
        self.assertEqual(request(self.proxy.port).status, 200)
        wait_until(lambda: "prop request.duration = Ok" in self.proxy.log(), "the duration")
        self.assertIn("prop request.time = Ok", self.proxy.log())

    def test_a_trap_ends_the_request_and_no_other(self):
        self.start_puppet("on request_headers path=/trap: trap", failure_policy="FAIL_RELOAD")
        self.assertEqual(request(self.proxy.port).status, 200)
        self.assertEqual(request(self.proxy.port, "/trap").status, 503)
        wait_until(lambda: request(self.proxy.port).status == 200, "the VM made anew")
        self.assertIn("unreachable executed", self.proxy.log())

    def test_a_plugin_that_fails_open(self):
        self.start_puppet("on request_headers path=/trap: trap", failure_policy="FAIL_OPEN")
        self.assertEqual(request(self.proxy.port, "/trap").status, 200)
        self.assertEqual(request(self.proxy.port).status, 200)

    def test_a_call_holds_the_request_until_it_is_answered(self):
        provider = self.start(Provider(self.directory))
        self.start_puppet("on request_headers: call provider /headers; return pause",
                          "on http_call_response: effective stream; set req x-called yes; resume req",
                          clusters=[config.cluster("provider", provider.port)])
        self.assertEqual(echoed(self.proxy.port)["headers"].get("x-called"), "yes")


@needs_grpc
@needs_envoy()
@needs_library()
class Grpc(InEnvoy):
    def test_a_call_is_answered_and_another_fails(self):
        server = GrpcServer()
        self.addCleanup(server.close)
        self.start_puppet('on request_headers path=/echo: grpc_call rpc test.Service Echo "hello"',
                          'on request_headers path=/fail: grpc_call rpc test.Service Fail "x"',
                          "on grpc_receive: body grpc 0 100", "on grpc_close: call_status",
                          clusters=[config.cluster("rpc", server.port, **config.speaks_http2())])
        for path, line in (("/echo", 'body grpc 0 100 = Ok "hello"'), ("/fail", "call_status = Ok 5 ")):
            request(self.proxy.port, path)
            wait_until(lambda line=line: line in self.proxy.log(), line)


@needs_envoy()
@needs_library()
class Bodies(InEnvoy):
    def test_a_body_is_buffered_and_changed_both_ways(self):
        origin = PythonServer(lambda handler: (200, {}, handler.body))
        self.addCleanup(origin.close)
        script = ["on request_body more: return 1", "on request_body end: set_body req 0 5 HELLO", "on response_headers: remove resp content-length",
                  "on response_body more: return 1", 'on response_body end: set_body resp 0 0 "before "']
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", origin.port)], [self.puppet(*script)]))
        answer = request(self.proxy.port, "/", "POST", body=b"hello world")
        self.assertEqual((answer.status, answer.body), (200, b"before HELLO world"))


@needs_envoy()
@needs_library()
class Limits(InEnvoy):
    def test_an_endless_loop_is_ended_and_the_next_request_served(self):
        loop = guests.assemble(self.directory, "loop", guests.guest("""
          (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (loop $l (br $l)) (i32.const 0))"""))
        self.start_filters(loads(self.directory, loop, limits={"call_ms": 50}, failure_policy="FAIL_OPEN"))
        self.assertEqual(request(self.proxy.port).status, 200)
        self.assertIn("took longer than its budget", self.proxy.log())
        self.assertTrue(self.proxy.running())

    def test_what_a_guest_may_call_and_see(self):
        self.start_puppet("on request_headers: set req x-a 1; prop plugin_name", name="mine",
                          capability_restriction_config={"allowed_capabilities": {
                              name: {} for name in ("proxy_on_request_headers", "proxy_on_configure", "proxy_on_vm_start", "proxy_on_memory_allocate",
                                                    "proxy_on_context_create", "proxy_log", "proxy_get_buffer_bytes", "proxy_get_property")}})
        self.assertNotIn("x-a", echoed(self.proxy.port)["headers"])


@needs_envoy()
@needs_library()
class Statistics(InEnvoy):
    def test_a_guests_metrics_are_envoys(self):
        if Envoy.is_before("1.39"):
            self.skipTest("Envoy 1.38 cannot be told outside of a stream")
        self.start_puppet("on configure: metric counter hits; metric gauge level; metric histogram sizes",
                          "on request_headers: increment 4 2; record 5 9; record 6 7; metric counter late")
        for _ in range(3):
            self.assertEqual(request(self.proxy.port).status, 200)
        wait_until(lambda: self.proxy.stats().get("dynamicmodulescustom.hits") == 6, "the counter")
        self.assertEqual(self.proxy.stats()["dynamicmodulescustom.level"], 9)
        wait_until(lambda: "P50(nan,7.05)" in self.proxy.admin("/stats?filter=dynamicmodulescustom.sizes")[1], "the histogram")
        wait_until(lambda: "from the next configuration on only: late" in self.proxy.log(), "the warning")


@needs_envoy()
@needs_library()
class Reloads(InEnvoy):
    def test_listeners_come_and_go_under_load(self):
        self.echo = self.start(Echo(self.directory))
        bootstrap = config.bootstrap([config.cluster("origin", self.echo.port)])
        listeners = os.path.join(self.directory, "listeners.json")
        first = config.listener([self.puppet("on configure: tick 20", "on tick: data_set k v", "on request_headers: set req x-a 0")])

        def put(number):
            chain = json.loads(json.dumps(first).replace("x-a 0", f"x-a {number}"))
            with open(listeners + ".new", "w") as file:
                json.dump({"resources": [{"@type": config.TYPE + "envoy.config.listener.v3.Listener", **chain}]}, file)
            os.replace(listeners + ".new", listeners)
        put(0)
        bootstrap["node"] = {"id": "node", "cluster": "nodes"}
        bootstrap["static_resources"]["listeners"] = []
        bootstrap["dynamic_resources"] = {"lds_config": {"path_config_source": {"path": listeners}}}
        proxy = self.start_proxy(bootstrap, flags=["--drain-time-s", "1"])
        port = first["address"]["socket_address"]["port_value"]
        proxy.wait_for(lambda: listening(port), "the listener")
        for number in range(1, 8):
            put(number)
            proxy.wait_for(lambda number=number: echoed(port)["headers"].get("x-a") == str(number), f"listener {number}")
        proxy.wait_for(lambda: proxy.stats()["listener_manager.total_filter_chains_draining"] == 0, "the old ones' end")
        self.assertEqual(proxy.end(), 0)


@needs_envoy()
@needs_library()
class LongLife(InEnvoy):
    """The short forms of scripts/soak_module."""

    def test_reloads_clients_that_leave_and_calls_that_fail(self):
        if Envoy.is_before("1.39"):
            self.skipTest("Envoy 1.38 cannot be told a guest's count")
        soak = ModuleSoak(self.directory)
        self.addCleanup(soak.end)
        soak.run(seconds=6, every=2)
        self.assertEqual(soak.wrong, [])
        self.assertTrue(soak.counts["left"] and soak.counts["behind a call that fails"])
        self.assertEqual(soak.end(), 0)

    def test_traps_leave_nothing_and_hurt_no_other_stream(self):
        traps = ModuleTraps(self.directory)
        self.addCleanup(traps.end)
        traps.run(200)
        self.assertEqual(traps.hurt, [])
        self.assertGreater(traps.served, 0)
        self.assertFalse(grown(traps.figures[2], traps.figures[-1], 2048), traps.figures)
        self.assertEqual(traps.end(), 0)


@needs_envoy()
@needs_library()
class AccessLog(InEnvoy):
    def setUp(self):
        super().setUp()
        if Envoy.is_before("1.39"):
            self.skipTest("Envoy 1.38 finds an access logger's module by its name in a search path only")

    def logger(self, *script, **fields):
        made = loads(self.directory, filter_module(PUPPET), name="logs", configuration="\n".join(script), **fields)["typed_config"]
        logger = {"name": "logs", "typed_config": {
            "@type": config.TYPE + "envoy.extensions.access_loggers.dynamic_modules.v3.DynamicModuleAccessLog",
            "dynamic_module_config": made["dynamic_module_config"], "logger_name": "logs", "logger_config": made["filter_config"]}}
        self.echo = self.start(Echo(self.directory))
        bootstrap = config.bootstrap([config.cluster("origin", self.echo.port)])
        bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]["access_log"] = [logger]
        return bootstrap

    def test_a_guest_hears_of_each_stream_that_is_over(self):
        self.proxy = self.start_proxy(self.logger("on log: get req :path; get resp :status; prop response.code_details; set req x-a 1"))
        self.assertEqual(request(self.proxy.port, "/logged").status, 200)
        for line in ('on_log 1', 'get req :path = Ok "/logged"', 'get resp :status = Ok "200"', "set req x-a 1 = BadArgument"):
            wait_until(lambda line=line: line in self.proxy.log(), line)
        if not Envoy.is_before("1.40"):
            self.assertIn('prop response.code_details = Ok "via_upstream"', self.proxy.log())
        self.assertEqual(self.proxy.end(), 0)

    def test_what_is_wrong_with_it_is_told(self):
        proxy = self.launch_proxy(self.logger(vmid="a"))
        self.assertNotEqual(proxy.wait(), 0)
        self.assertIn("logger_name logs is refused: logger_config.vmid: there is no such field", proxy.log())


@needs_envoy()
@needs_library()
class Shared(InEnvoy):
    def test_filters_of_one_vm_id_share_a_vm(self):
        self.start_filters(self.puppet("on request_headers: data_set k v", name="one", vm_id="v"),
                           self.puppet("on request_headers path=/trap: trap", name="two", vm_id="v"))
        self.assertEqual(request(self.proxy.port).status, 200)
        self.assertEqual(request(self.proxy.port, "/trap").status, 503)
        wait_until(lambda: "the VM of plugin one (FAIL_CLOSED), two (FAIL_CLOSED) has failed" in self.proxy.log(), "the end of both")

    def test_the_node_is_what_the_configuration_says(self):
        self.start_puppet("on request_headers: prop xds.node.id; prop xds.node.metadata.NAME", node={"id": "n", "metadata": {"NAME": "pod-1"}})
        self.assertEqual(request(self.proxy.port).status, 200)
        for line in ('prop xds.node.id = Ok "n"', 'prop xds.node.metadata.NAME = Ok "pod-1"'):
            wait_until(lambda line=line: line in self.proxy.log(), line)


@needs_envoy()
@needs_library()
class TooOld(TestCase):
    KIND = Envoy

    def test_an_envoy_before_1_38_does_not_run_it(self):
        if not Envoy.is_before("1.38"):
            self.skipTest("this Envoy loads it")
        proxy = self.launch_proxy(config.bootstrap([config.cluster("origin", 1)], [
            loads(self.directory, filter_module(PUPPET))]))
        self.assertNotEqual(proxy.wait(), 0)


@needs_envoy()
@needs_library()
class Refused(InEnvoy):
    def refused(self, *filters):
        proxy = self.launch_proxy(config.bootstrap([config.cluster("origin", 1)], filters))
        self.assertNotEqual(proxy.wait(), 0)
        return proxy.log()

    def test_what_is_wrong_with_the_configuration_is_told_with_its_path(self):
        log = self.refused(loads(self.directory, filter_module(PUPPET), rootid="a", failure_policy="OPEN"))
        self.assertIn("filter_config.rootid: there is no such field; there are name, ", log)
        self.assertIn("filter_config.failure_policy: must be FAIL_CLOSED, FAIL_OPEN or FAIL_RELOAD", log)

    def test_an_artifact_of_another_module(self):
        filter_config = loads(self.directory, filter_module(PUPPET))["typed_config"]["filter_config"]["value"]
        other = dict(filter_config, module=filter_module())
        log = self.refused(dynamic_module(LIBRARY, other))
        self.assertIn("filter_config.artifact: ", log)
        self.assertIn("`inlay compile ", log)

    def test_a_guest_that_refuses_its_configuration(self):
        log = self.refused(loads(self.directory, filter_module("own_filter.wasm")))
        self.assertIn("unable to create Wasm plugin plugin", log)


@needs_envoy()
@needs_library()
class Augmenting(InEnvoy):
    def test_the_filter_fetches_its_headers_and_sets_them_on_each_worker(self):
        provider = self.start(Provider(self.directory))
        keys = {"header_providing_service_cluster": "provider", "header_providing_service_authority": "provider.test",
                "header_cache_expiry": "360s"}
        augmenter = loads(self.directory, filter_module(), name="header_augmenting", vm_id="augmenter", configuration=keys)
        self.start_filters(augmenter, clusters=[config.cluster("provider", provider.port)], concurrency=2)
        wait_until(lambda: all_workers_answer(self.proxy.port) and "authorization" in echoed(self.proxy.port)["headers"],
                   "headers")
        seen = echoed(self.proxy.port, headers={"authorization": "forged"})["headers"]
        self.assertRegex(seen["authorization"], r"^Bearer 1\.[0-9a-f]{16}$")
        self.assertEqual(provider.polls(), 1)
        self.assertEqual(self.proxy.end(), 0)


@needs_envoy()
@needs_library()
class Linked(InEnvoy):
    def test_one_library_has_all_its_filters_and_needs_no_other_file(self):
        module = shutil.copy(filter_module(PUPPET), self.directory)
        library = linked(self.directory, f"first={module}", f"second={module}", filter_module())
        self.start_filters(dynamic_module(library, {"configuration": "on request_headers: add req x-seen one"}, "first"),
                           dynamic_module(library, {"configuration": "on request_headers: add req x-seen two"}, "second"))
        self.assertEqual(echoed(self.proxy.port)["headers"]["x-seen"], ["one", "two"])
        with open(module, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        shown = subprocess.run([INLAY, "inspect", library, "--json"], check=True, capture_output=True, text=True).stdout
        self.assertEqual([(one["name"], one["sha256"] == digest) for one in json.loads(shown)["dynamic_module"]],
                         [("first", True), ("second", True), ("header_augmenting", False)])

    def test_a_name_that_is_not_in_it_is_refused_with_those_that_are(self):
        library = linked(self.directory, f"first={filter_module(PUPPET)}", filter_module())
        proxy = self.launch_proxy(config.bootstrap([config.cluster("origin", 1)], [dynamic_module(library, {}, "frist")]))
        self.assertNotEqual(proxy.wait(), 0)
        self.assertIn("filter_name: this library has no module `frist`; it has first, header_augmenting", proxy.log())


@inlay_only("a file")
@needs_library()
class Library(TestCase):
    def test_it_shows_envoy_its_hooks_alone_and_needs_the_c_library_alone(self):
        library = linked(self.directory, filter_module(PUPPET))
        symbols = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
        names = {line.split()[-1] for line in symbols.splitlines()}
        self.assertEqual({name for name in names if not name.startswith("envoy_dynamic_module_on_")}, set())
        self.assertIn("envoy_dynamic_module_on_program_init", names)
        needed = subprocess.run(["readelf", "-d", library], check=True, capture_output=True, text=True).stdout
        libraries = {line.split("[")[1].rstrip("]") for line in needed.splitlines() if "(NEEDED)" in line}
        self.assertLessEqual({name.split(".")[0] for name in libraries}, {"libc", "libm", "ld-linux-x86-64", "ld-linux-aarch64"})
        self.assertIn("NODELETE", needed)


@needs_envoy()
@needs_library()
class Guide(InEnvoy):
    def home(self, ports):
        """The top of a tree after `make build`, as far as the guide needs it; `ports` has others for those of its files."""
        for folder in ("build", "examples/own_filter", "bin"):
            os.makedirs(os.path.join(self.directory, folder))
        os.symlink(INLAY, os.path.join(self.directory, "build", "inlay"))
        os.symlink(filter_module("own_filter.wasm"), os.path.join(self.directory, "build", "own_filter.wasm"))
        os.symlink(find_envoy()[0], os.path.join(self.directory, "bin", "envoy"))
        with open(os.path.join(ROOT, "examples", "own_filter", "envoy_module.yaml")) as file:
            text = re.sub("8080|9901", lambda found: ports[found[0]], file.read())
        with open(os.path.join(self.directory, "examples", "own_filter", "envoy_module.yaml"), "w") as file:
            file.write(text)

    def test_its_five_commands(self):
        ports = {port: str(free_port()) for port in ("8080", "9901")}
        self.home(ports)
        with open(os.path.join(ROOT, "docs", "guide", "envoy_module.md")) as file:
            commands = re.findall(r"^    (.+)$", file.read(), re.M)
        self.assertEqual(len(commands), 5)
        environment = {**os.environ, "PATH": os.path.join(self.directory, "bin") + ":" + os.environ["PATH"]}
        output = ""
        for command in commands:
            command = command.replace("8080", ports["8080"])
            if command.endswith("&"):
                started["envoy"] += 1
                self.start_program("envoy", ["env", f"PATH={environment['PATH']}", *command.rstrip("& ").split()], int(ports["8080"]))
                continue
            output = subprocess.run(command, shell=True, cwd=self.directory, env=environment, check=True, capture_output=True,
                                    text=True).stdout
            if "inspect" in command:
                self.assertRegex(output, r"own_filter: sha256 [0-9a-f]{64}")
        self.assertIn("x-greeting: hello", output)
