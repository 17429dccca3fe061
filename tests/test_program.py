# SPDX-License-Identifier: Apache-2.0
"""The program itself: its command line, validation, start and end."""

import json
import os
import pathlib
import resource
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import unittest

from support import config
from support.both import inlay_only
from support.origins import Echo, Provider, ScriptedOrigin, echoed, read_request
from support.processes import INLAY, PATIENCE, ROOT, SANITIZED, Proxy, TestCase, filter_module, free_port, listening, wait_until
from support.wire import Wire, request


def inlay(*arguments, directory=None):
    done = subprocess.run([INLAY, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600, cwd=directory,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@inlay_only("Inlay's command line, its start and its end")
class CommandLine(unittest.TestCase):
    def test_help_names_every_subcommand(self):
        status, out, _ = inlay("--help")
        self.assertEqual(status, 0)
        for name in ("run", "validate", "inspect", "echo", "provider", "version"):
            self.assertRegex(out, rf"(?m)^  {name} ")

    def test_version(self):
        self.assertEqual(inlay("--version")[1], inlay("version")[1])
        self.assertRegex(inlay("version")[1], r"^inlay \d+\.\d+\.\d+\n$")

    def test_misuse(self):
        self.assertEqual(inlay()[0], 2)
        status, _, err = inlay("rnu")
        self.assertEqual(status, 2)
        self.assertIn("'rnu'", err)
        self.assertIn("run, validate", err)
        for count in ("-1", "1000000", "two"):  # a million workers would take the machine down
            status, _, err = inlay("run", "-c", "/dev/null", "--concurrency", count)
            self.assertEqual(status, 2, err)
            self.assertIn("--concurrency", err)
        self.assertNotEqual(inlay("run")[0], 0)
        self.assertNotEqual(inlay("provider", "--fault", "nonsense")[0], 0)
        status, _, err = inlay("deploy", "rendr")
        self.assertEqual((status, err), (2, "inlay: there is no subcommand 'rendr'; there are render, check, reference\n"))
        status, _, err = inlay("echo", "--port", "65536")
        self.assertEqual(status, 2)
        self.assertIn("65536 not in range", err)

    def test_what_cannot_be_printed_is_an_error(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([INLAY, "version"], stdout=full, stderr=subprocess.PIPE, timeout=600)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot write to the standard output: No space left on device", done.stderr)

    def test_a_folder_or_a_device_is_not_replaced_by_a_compiled_module(self):
        with tempfile.TemporaryDirectory() as folder:
            pipe = os.path.join(folder, "pipe")  # in the place of /dev/null, which a failure here would remove
            os.mkfifo(pipe)
            for output, what in ((pipe, "a device or a pipe"), (folder, "a folder")):
                status, _, err = inlay("compile", filter_module(), "-o", output)
                self.assertEqual(status, 1)
                self.assertIn(f"{output}: is {what}; expected a file's name", err)
            self.assertTrue(stat.S_ISFIFO(os.stat(pipe).st_mode))

    @unittest.skipIf(SANITIZED, "a sanitizer wants more address space than the test leaves")
    def test_a_module_that_there_is_not_enough_memory_for_is_an_error(self):
        """Some 2 KB, of whose 250 functions each has 50,000 locals, for each of which the C translation makes a name."""
        functions = 250
        number = functions.to_bytes(1, "little") + b"\x01"  # in LEB128
        body = b"\x06\x01\xd0\x86\x03\x7f\x0b"

        def section(kind, content):
            return bytes([kind, len(content) & 0x7f | 0x80, len(content) >> 7]) + content

        with tempfile.TemporaryDirectory() as folder:
            module = os.path.join(folder, "locals.wasm")
            with open(module, "wb") as file:
                file.write(b"\0asm\1\0\0\0\1\4\1\x60\0\0" + section(3, number + bytes(functions)) +
                           section(10, number + body * functions))
            few = 512 << 20
            done = subprocess.run([INLAY, "compile", module, "-o", module + ".aot"], capture_output=True, text=True, timeout=600,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (few, few)))
            self.assertEqual((done.returncode, os.listdir(folder)), (1, ["locals.wasm"]), done.stderr)
            self.assertIn("there is not enough memory to translate the module to C", done.stderr)


@inlay_only("Inlay's command line, its start and its end")
class EnvoysFlags(TestCase):
    """What Envoy 1.36 to 1.40 were seen to take, or to refuse."""

    def validate(self, *flags, made=None):
        path = os.path.join(self.directory, "envoy.json")
        with open(path, "w") as file:
            json.dump(made or config.bootstrap([config.cluster("origin", 1)]), file)
        return inlay("run", "-c", path, "--mode", "validate", *flags)

    def test_the_command_line_of_istios_agent(self):
        status, out, err = self.validate(
            "--drain-time-s", "45", "--drain-strategy", "immediate", "--local-address-ip-version", "v4",
            "--file-flush-interval-msec", "1000", "--disable-hot-restart", "--allow-unknown-static-fields",
            "--log-format", "%Y-%m-%dT%T.%fZ\t%l\tenvoy %n %g:%#\t%v\tthread=%t", "--component-log-level", "misc:error",
            "--restart-epoch", "0", "--parent-shutdown-time-s", "60", "--concurrency", "2", "-l", "info")
        self.assertEqual(status, 0, out + err)
        self.assertRegex(err, r"(?m)^\d{4}-\d\d-\d\dT[\d:.]+Z\tinfo\tenvoy main \tflags of Envoy's without effect here: "
                              r".*--drain-strategy.*\tthread=\d+$")
        self.assertIn("without a log of their own here: misc\t", err)
        self.assertNotIn("--disable-hot-restart", err)

    def test_what_is_refused(self):
        for flags, why in ((["--disable-extensions", "envoy.filters.http.wasm"], "cannot turn extensions off"),
                           (["--hot-restart-version"], "no hot restart"), (["--component-log-level", "nonsense:debug"], "nonsense"),
                           (["--stats-tag", "zone"], "NAME:VALUE"), (["--stats-tag", "a.b:c"], "letters and digits"),
                           (["--stats-tag", "a:b.c"], "without a dot"), (["--mode", "init_only"], "--mode")):
            status, _, err = self.validate(*flags)
            self.assertNotEqual(status, 0, flags)
            self.assertIn(why, err)

    def test_a_text_is_merged_into_the_file(self):
        made = config.bootstrap([config.cluster("origin", 1)])
        port = free_port()
        text = {"node": {"id": "over"}, "admin": {"address": {"socket_address": {"port_value": port}}},
                "static_resources": {"clusters": [config.cluster("more", 2)]}}
        proxy = Proxy(self.directory, made, flags=["--config-yaml", json.dumps(text), "--stats-tag", "zone:eu"])
        proxy.admin_port = port
        self.start(proxy).wait_ready()
        names = {line.split("::")[0] for line in proxy.admin("/clusters")[1].splitlines()}
        self.assertEqual(names, {"origin", "more"})
        self.assertEqual(json.loads(proxy.admin("/server_info")[1])["node"]["id"], "over")
        self.assertIn('envoy_server_live{zone="eu"} 1\n', proxy.admin("/stats/prometheus")[1])
        status, _, err = self.validate("--config-yaml", "node: {idd: x}")
        self.assertEqual(status, 1)
        self.assertIn("--config-yaml:1:8: error: node.idd", err)


@inlay_only("Inlay's command line, its start and its end")
class Validate(TestCase):
    def check(self, text, name="envoy.yaml", flags=()):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text)
        status, out, err = inlay("validate", "-c", path, *flags, directory=self.directory)
        return status, out + err

    def test_the_example_of_the_filter(self):
        status, out, err = inlay("validate", "-c", "filters/header_augmenting/envoy.yaml", directory=ROOT)
        self.assertEqual(status, 0, out + err)

    def test_a_good_file(self):
        made = config.bootstrap([config.cluster("origin", 1)])
        status, text = self.check(json.dumps(made, indent=1))
        self.assertEqual(status, 0, text)

    def test_all_errors_in_one_run_with_their_places(self):
        status, text = self.check("""\
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 9901}}}
static_resources:
  listeners:
  - name: ingress
    adress: {}
    address: {socket_address: {address: 127.0.0.1, port_value: 99999}}
    filter_chains: []
  clusters:
  - name: origin
    connect_timeout: soon
""")
        self.assertEqual(status, 1)
        self.assertIn("envoy.yaml:5:", text)
        self.assertIn("adress", text)
        self.assertIn("envoy.yaml:6:", text)
        self.assertIn("port_value", text)
        self.assertIn("envoy.yaml:10:", text)
        self.assertIn("connect_timeout", text)

    def test_a_struct_is_protobuf_and_no_json_as_in_envoy(self):
        """The filter refuses what a Struct is made of."""
        made = config.bootstrap([config.cluster("origin", 1)], [config.augmenter("origin")])
        plugin = made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"][0]
        written = plugin["typed_config"]["config"]["configuration"]
        written.update({"@type": config.TYPE + "google.protobuf.Struct", "value": json.loads(written["value"])})
        status, text = self.check(json.dumps(made))
        self.assertEqual(status, 1)
        self.assertIn("the guest gets the protobuf bytes of this google.protobuf.Struct", text)
        self.assertIn("unable to create Wasm plugin header_augmenting", text)

    def test_an_envoy_field_that_inlay_lacks_is_named_as_such(self):
        status, text = self.check("dynamic_resources: {cds_config: {ads: {}}}\n")
        self.assertEqual(status, 1)
        self.assertIn("dynamic_resources", text)
        self.assertIn("Inlay asks no xDS server", text)

    def test_what_is_no_yaml_or_not_there(self):
        self.assertEqual(self.check("a: [")[0], 1)
        self.assertEqual(inlay("validate", "-c", "/no/such/file.yaml")[0], 1)

    def test_a_module_that_is_none(self):
        path = os.path.join(self.directory, "junk.wasm")
        with open(path, "wb") as file:
            file.write(b"\0asm\1\0\0\0junk")
        made = config.bootstrap([config.cluster("origin", 1)], [config.wasm(path)])
        made_path = os.path.join(self.directory, "junk.json")
        with open(made_path, "w") as file:
            json.dump(made, file)
        for command in ("run", "validate"):
            status, _, err = inlay(command, "-c", made_path)
            self.assertEqual(status, 1)
            self.assertIn("junk.wasm", err)

    def test_what_a_plugin_refuses(self):
        made = config.bootstrap([config.cluster("origin", 1)], [config.augmenter(header_providing_service_pth="/x")])
        status, text = self.check(json.dumps(made))
        self.assertEqual(status, 1, text)
        self.assertIn("header_providing_service_pth", text)
        self.assertEqual(text.count("unable to create"), 1, text)

    def test_a_module_in_text_form(self):
        path = os.path.join(self.directory, "guest.wat")
        with open(path, "w") as file:
            file.write("(module)")
        status, text = self.check(json.dumps(config.bootstrap([config.cluster("origin", 1)], [config.wasm(path)])))
        self.assertEqual(status, 1, text)
        self.assertIn("guest.wat", text)
        self.assertIn("wat2wasm", text)


@inlay_only("Inlay's command line, its start and its end")
class Life(TestCase):
    def scripted(self, script):
        origin = ScriptedOrigin(script)
        self.addCleanup(origin.close)
        return origin.port

    def test_sigterm_finishes_what_is_under_way(self):
        asked, go = threading.Event(), threading.Event()
        def script(wire):
            read_request(wire)
            asked.set()
            go.wait(PATIENCE)
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone")
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", self.scripted(script))]), concurrency=2)
        with Wire(proxy.port) as wire:
            wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            self.assertTrue(asked.wait(PATIENCE))
            proxy.terminate()
            wait_until(lambda: not listening(proxy.port), "the listener to close")
            self.assertTrue(proxy.running())
            go.set()
            self.assertEqual(wire.response().body, b"done")
            self.assertTrue(wire.ended())
        self.assertEqual(proxy.wait(), 0)

    def test_sigterm_when_idle_ends_at_once(self):
        echo = self.start(Echo(self.directory))
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", echo.port)]), flags=("--drain-time-s", "3600"))
        with Wire(proxy.port) as wire:
            wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            wire.response()
            proxy.terminate()
            self.assertEqual(proxy.wait(), 0)  # and not when the drain's time is over

    def test_sigpipe_changes_nothing(self):
        echo = self.start(Echo(self.directory))
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", echo.port)]))
        proxy.process.send_signal(signal.SIGPIPE)
        self.assertEqual(echoed(proxy.port)["path"], "/")
        proxy.terminate()
        self.assertEqual(proxy.wait(), 0)

    def test_other_signals_end_it(self):
        """As in Envoy 1.40."""
        for number in (signal.SIGUSR2, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)  # a shell's background jobs ignore SIGQUIT, and so would the proxy
            proxy = self.start_proxy(config.bootstrap([config.cluster("origin", 1)]))
            proxy.process.send_signal(number)
            self.assertEqual(proxy.wait(), -number)

    def test_a_port_that_is_taken(self):
        with socket.socket() as holder:  # without SO_REUSEPORT
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            made = config.bootstrap([config.cluster("origin", 1)])
            port = holder.getsockname()[1]
            made["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] = port
            proxy = self.start(Proxy(self.directory, made))
            self.assertNotEqual(proxy.wait(), 0)
        self.assertIn(str(port), proxy.log())

    def test_four_workers_serve(self):
        echo = self.start(Echo(self.directory))
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", echo.port)]), concurrency=4)
        for number in range(64):
            self.assertEqual(echoed(proxy.port, f"/{number}")["path"], f"/{number}")

    def test_the_example_runs_as_it_is(self):
        """The file that ships, but for its ports and relative paths."""
        with open(os.path.join(ROOT, "filters", "header_augmenting", "envoy.yaml")) as file:
            text = file.read()
        echo, provider = self.start(Echo(self.directory)), self.start(Provider(self.directory))
        port, admin = free_port(), free_port()
        for fixed, own in ((8080, port), (8081, echo.port), (8082, provider.port), (9901, admin)):
            self.assertIn(f"port_value: {fixed}", text)
            text = text.replace(f"port_value: {fixed}", f"port_value: {own}")
        path = os.path.join(self.directory, "envoy.yaml")
        with open(path, "w") as file:
            file.write(text)
        os.makedirs(os.path.join(self.directory, "build"))
        os.symlink(filter_module(), os.path.join(self.directory, "build", "header_augmenting.wasm"))
        os.symlink(filter_module(), os.path.join(self.directory, "header_augmenting.wasm"))
        program = self.start_program("example", [INLAY, "run", "-c", path])
        program.wait_for(lambda: listening(admin) and request(admin, "/ready").status == 200, "/ready")
        wait_until(lambda: request(port).status == 200, "the first token")
        self.assertRegex(echoed(port)["headers"]["authorization"], r"^Bearer 1\.")


@inlay_only("Inlay's command line, its start and its end")
class Helpers(TestCase):
    """`inlay echo` and `inlay provider` on real sockets."""

    def test_a_free_port_is_written_to_the_port_file(self):
        path = os.path.join(self.directory, "port")
        self.start_program("echo", [INLAY, "echo", "--port", "0", "--port-file", path])
        port = int(wait_until(lambda: os.path.exists(path) and pathlib.Path(path).read_text(), "the port file"))
        self.assertEqual(request(port, "/x").body[:15], b"GET /x HTTP/1.1")

    def test_pipelining_bodies_and_head(self):
        echo = self.start(Echo(self.directory))
        with Wire(echo.port) as wire:
            wire.send("POST /1 HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabcHEAD /2 HTTP/1.1\r\nhost: a\r\n\r\n"
                      "POST /3 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nx-t: 1\r\n\r\n")
            self.assertIn(b"body: 3 bytes", wire.response().body)
            self.assertEqual(wire.response("HEAD").status, 200)
            self.assertIn(b"body: 2 bytes\ntrailer x-t: 1", wire.response().body)

    def test_rubbish_is_refused(self):
        echo = self.start(Echo(self.directory))
        with Wire(echo.port) as wire:
            wire.send("rubbish\r\n\r\n")
            self.assertEqual(wire.response().status, 400)
            self.assertTrue(wire.ended())
        self.assertEqual(request(echo.port).status, 200)

    def test_provider_counts_and_fails_as_told(self):
        provider = self.start(Provider(self.directory))
        first, second = (json.loads(request(provider.port, "/headers").body)["authorization"] for _ in range(2))
        self.assertNotEqual(first, second)
        provider.set_fault("status")
        self.assertEqual(request(provider.port, "/headers").status, 500)
        provider.set_fault("close")
        with self.assertRaises((EOFError, ConnectionResetError)):
            request(provider.port, "/headers")
        self.assertEqual(provider.polls(), 4)

    def test_they_end_on_sigterm(self):
        echo = self.start(Echo(self.directory))
        with Wire(echo.port):
            echo.process.send_signal(signal.SIGTERM)
            self.assertEqual(echo.wait(), 0)


if __name__ == "__main__":
    unittest.main()
