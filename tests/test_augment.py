# SPDX-License-Identifier: Apache-2.0
"""The main job: headers that a service provides are on every request that passes the proxy."""

import json
import re
import threading
import time
import unittest

from support import config
from support.both import in_envoy_too, inlay_only
from support.origins import (
    Echo, Haproxy, Nginx, Provider, PythonServer, ScriptedOrigin, all_workers_answer, echoed, read_request)
from support.processes import TestCase, free_port, wait_until
from support.wire import Wire, request

TOKEN = re.compile(r"^Bearer (\d+)\.[0-9a-f]{16}$")


class Augment(TestCase):
    engine = None

    def start_all(self, expiry="360s", provider=None, concurrency=1, level="info", **keys):
        self.echo = self.start(Echo(self.directory))
        self.provider = provider or self.start(Provider(self.directory))
        self.proxy = self.start_proxy(self.config(expiry, **keys), concurrency=concurrency, level=level, engine=self.engine)

    def config(self, expiry="360s", **keys):
        return config.bootstrap([config.cluster("origin", self.echo.port),
                                 config.cluster("provider", self.provider.port)],
                                [config.augmenter(expiry=expiry, **keys)])

    def token(self, **options):
        """The number of the token that a request carries, or None without one."""
        value = echoed(self.proxy.port, **options)["headers"].get("authorization")
        if value is None:
            return None
        self.assertRegex(value, TOKEN)
        return int(TOKEN.match(value)[1])

    def first_token(self):
        return wait_until(lambda: all_workers_answer(self.proxy.port) and self.token(), "a first token")


@in_envoy_too
class Basics(Augment):
    def test_every_request_carries_the_headers(self):
        self.start_all()
        number = self.first_token()
        seen = echoed(self.proxy.port)["headers"]
        self.assertEqual(seen["x-token-number"], str(number))
        for _ in range(20):
            self.assertEqual(self.token(), number)
        self.assertEqual(self.provider.polls(), number)

    def test_without_the_proxy_there_are_none(self):
        self.start_all()
        self.assertNotIn("authorization", echoed(self.echo.port)["headers"])

    def test_a_forged_header_is_replaced(self):
        self.start_all()
        number = self.first_token()
        forged = [("authorization", "Bearer forged"), ("Authorization", "Bearer forged too"), ("X-Token-Number", "0"),
                  ("accept", "application/json")]
        seen = json.loads(request(self.proxy.port, headers=forged).body)["headers"]
        self.assertRegex(seen["authorization"], TOKEN)  # one value: two would be a list
        self.assertEqual(seen["x-token-number"], str(number))

    def test_a_client_cannot_have_the_token_taken_off(self):
        self.start_all()
        self.first_token()
        nominated = [("authorization", "Bearer forged"), ("Connection", "authorization"), ("accept", "application/json")]
        seen = json.loads(request(self.proxy.port, headers=nominated).body)["headers"]
        self.assertRegex(seen["authorization"], TOKEN)

    def test_the_token_changes_after_the_expiry(self):
        self.start_all(expiry="300ms")
        first = self.first_token()
        wait_until(lambda: self.token() >= first + 2, "the second renewal")

    def test_two_workers_poll_once_an_interval(self):
        self.start_all(expiry="1s", concurrency=2)
        first = self.first_token()
        begin, before = time.monotonic(), self.provider.polls()
        wait_until(lambda: self.provider.polls() >= before + 4, "four more polls")
        polls = self.provider.polls() - before
        elapsed = time.monotonic() - begin
        self.assertLessEqual(polls, elapsed * 1.3 + 1, f"{polls} polls in {elapsed:.1f} s; {first=}")

    def test_a_request_before_the_first_token_is_rejected(self):
        self.echo = self.start(Echo(self.directory))
        self.provider = self.start(Provider(self.directory, fault="hang"))
        self.proxy = self.start_proxy(self.config(), engine=self.engine)
        self.assertEqual(request(self.proxy.port).status, 503)
        self.assertEqual(request(self.proxy.port, "/path", "POST", body=b"x" * 1000).status, 503)
        grpc = request(self.proxy.port, "/service/method", "POST", {"content-type": "application/grpc"}, b"x" * 5)
        self.assertEqual((grpc.get("grpc-status"), grpc.get("grpc-message")),
                         ("14", "the headers that this request needs are not available yet"))

    def test_or_passed_where_that_is_wanted(self):
        self.echo = self.start(Echo(self.directory))
        self.provider = self.start(Provider(self.directory, fault="hang"))
        self.proxy = self.start_proxy(self.config(when_missing={"action": "pass"}), engine=self.engine)
        self.assertIsNone(self.token())

    def test_authority_and_path_of_the_poll(self):
        seen = []
        def answer(handler):
            seen.append((handler.command, handler.path, handler.headers["host"]))
            return 200, {"content-type": "application/json"}, b'{"x-a": "1"}'
        provider = PythonServer(answer)
        self.addCleanup(provider.close)
        self.start_all(provider=provider, header_providing_service_path="/v1/tokens?x=y",
                       header_providing_service_authority="tokens.local")
        wait_until(lambda: request(self.proxy.port).status == 200, "a first answer")
        self.assertEqual(seen[0], ("GET", "/v1/tokens?x=y", "tokens.local"))
        self.assertEqual(echoed(self.proxy.port)["headers"]["x-a"], "1")

    def test_metrics_are_there(self):
        self.start_all(expiry="300ms")
        self.first_token()
        # The filter hands its counts over on its ticks.
        wait_until(lambda: re.search(r"header_augmenting\.injected: [1-9]", self.proxy.admin("/stats")[1]), "the count")
        self.assertRegex(self.proxy.admin("/stats")[1], r"header_augmenting\.\S*fetch_ok: [1-9]")
        self.assertIn("header_augmenting_injected{", self.proxy.admin("/stats/prometheus")[1])


@in_envoy_too
class WhereTheTokenGoes(Augment):
    def run_proxy(self, made):
        self.proxy = self.start_proxy(made)

    def test_a_rule_by_cluster_goes_by_the_route_and_not_by_the_host_header(self):
        self.echo, stranger = self.start(Echo(self.directory)), self.start(Echo(self.directory, name="stranger"))
        self.provider = self.start(Provider(self.directory))
        payments = "outbound|8081||payments.shop.svc.cluster.local"
        hosts = [{"name": "payments", "domains": ["payments.local"], "routes": [config.route(payments)]},
                 {"name": "search", "domains": ["*.search.local"], "routes": [config.route(payments)]},
                 {"name": "header", "domains": ["header.local"], "routes": [
                     {"match": {"prefix": "/"}, "route": {"cluster_header": "x-to"}}]},
                 {"name": "all", "domains": ["*"], "routes": [config.route("stranger")]}]
        augmenter = config.augmenter(rules=[{"match": {"cluster": payments}}])
        self.run_proxy(config.bootstrap(
            [config.cluster(payments, self.echo.port), config.cluster("stranger", stranger.port),
             config.cluster("provider", self.provider.port)], [augmenter], virtual_hosts=hosts))
        wait_until(lambda: request(self.proxy.port, host="payments.local").status == 200, "a first token")
        self.assertIsNotNone(self.token(host="payments.local"))
        self.assertIsNotNone(self.token(host="a.search.local"))
        self.assertIsNotNone(self.token(host="header.local", headers={"x-to": payments}))
        for elsewhere in ("payments.local:1", "payments.local:", "search.local", "payments.local.evil", "anything"):
            self.assertIsNone(self.token(host=elsewhere), elsewhere)
        self.assertIsNone(self.token(host="header.local", headers={"x-to": "stranger"}))
        for to in ("nobody", payments + "x"):
            self.assertEqual(request(self.proxy.port, host="header.local", headers={"x-to": to}).status, 503)

    def test_what_a_client_could_spoil_or_see_of_an_owned_header(self):
        seen = []  # (request line, headers, trailers)

        def script(wire):
            while True:
                line, headers, _, trailers = read_request(wire)
                seen.append((line, headers, trailers))
                wire.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

        origin = ScriptedOrigin(script)
        self.addCleanup(origin.close)
        provider = PythonServer(lambda _: (200, {}, b'{"authorization": "Bearer real", "x-api-key": "REAL"}'))
        self.addCleanup(provider.close)
        trailers = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": config.TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http_protocol_options": {"enable_trailers": True}}}}
        self.run_proxy(config.bootstrap(
            [config.cluster("origin", origin.port, typed_extension_protocol_options=trailers), config.cluster("provider", provider.port)],
            [config.augmenter(rules=[{"remove": ["x-internal-user"]}])], http_protocol_options={"enable_trailers": True}))
        wait_until(lambda: request(self.proxy.port).status == 200, "the first headers")
        evil = [(name, "evil") for name in ("X_Api_Key", "x-api_key", "x_api-key", "X-Api-Key", "x_internal_user", "x_other_key")]

        request(self.proxy.port, headers=evil)
        headers = seen[-1][1]
        self.assertEqual(headers["x-api-key"], ["REAL"])
        self.assertEqual(headers["x_other_key"], ["evil"])
        self.assertFalse({"x_api_key", "x-api_key", "x_api-key", "x_internal_user"} & headers.keys(), headers)

        self.assertEqual(request(self.proxy.port, method="TRACE", headers=evil).status, 200)
        line, headers, _ = seen[-1]
        self.assertTrue(line.startswith("TRACE "), line)
        self.assertFalse({"authorization", "x-api-key", "x_api_key", "x-api_key", "x_api-key"} & headers.keys(), headers)

        with Wire(self.proxy.port) as wire:
            wire.send("POST / HTTP/1.1\r\nhost: a\r\nte: trailers\r\ntransfer-encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n")
            wire.send("X-Api-Key: evil\r\nx_api_key: evil\r\nAuthorization: evil\r\nx-internal-user: evil\r\nchecksum: 1\r\n\r\n")
            self.assertEqual(wire.response("POST").status, 200)
        self.assertEqual(seen[-1][2], [("checksum", "1")])

    def test_a_route_that_refuses_trace_saves_the_look_at_the_method(self):
        self.echo = self.start(Echo(self.directory))
        self.provider = self.start(Provider(self.directory))
        refused = {"match": {"prefix": "/", "headers": [{"name": ":method", "string_match": {"exact": "TRACE"}}]},
                   "direct_response": {"status": 405}}
        self.run_proxy(config.bootstrap(
            [config.cluster("origin", self.echo.port), config.cluster("provider", self.provider.port)],
            [config.augmenter(trace=False)], [refused, config.route()]))
        self.first_token()
        answer = request(self.proxy.port, method="TRACE")
        self.assertEqual((answer.status, answer.body), (405, b""))
        self.assertIsNotNone(self.token())


@inlay_only("its second engine")
class OnTheInterpreter(Basics):
    engine = "interp"


@in_envoy_too
class Faults(Augment):
    def test_the_last_good_token_stays_while_polls_fail(self):
        for fault in ("status", "garbage", "array", "empty", "large", "close"):
            with self.subTest(fault):
                self.start_all(expiry="300ms", provider=self.start(Provider(self.directory, name=f"provider-{fault}")))
                self.first_token()
                self.provider.set_fault(fault)
                polls = self.provider.polls()
                last = self.token()
                wait_until(lambda: self.provider.polls() >= polls + 2, f"polls that get {fault}")
                self.assertLessEqual(self.token(), last + 1)
                kept = self.token()
                wait_until(lambda: self.provider.polls() >= polls + 3, f"more polls that get {fault}")
                self.assertEqual(self.token(), kept)
                self.provider.set_fault("none")
                wait_until(lambda: self.token() > kept, f"recovery from {fault}")
                self.proxy.end()

    def test_a_hanging_poll_times_out_and_is_tried_again(self):
        self.start_all(expiry="300ms")
        first = self.first_token()
        self.provider.set_fault("hang")
        polls = self.provider.polls()
        wait_until(lambda: self.provider.polls() > polls, "a poll that hangs")
        self.assertGreaterEqual(self.token(), first)
        self.provider.set_fault("none")
        wait_until(lambda: self.token() > polls, "a poll after the one that hung")

    def test_a_provider_that_starts_late_is_found(self):
        self.echo = self.start(Echo(self.directory))
        port = free_port()
        self.provider = type("Later", (), {"port": port})
        self.proxy = self.start_proxy(self.config())
        self.assertEqual(request(self.proxy.port).status, 503)
        self.provider = self.start(Provider(self.directory, port=port))
        self.first_token()

    def test_a_provider_that_stops_and_starts_again(self):
        self.start_all(expiry="300ms")
        self.first_token()
        self.provider.end()
        wait_until(lambda: re.search(r"fetch_failed\.\w+: [1-9]", self.proxy.admin("/stats")[1]), "a poll that fails")
        kept = self.token()
        for _ in range(10):
            self.assertEqual(self.token(), kept)
        again = self.start(Provider(self.directory, port=self.provider.port, prefix="900", name="provider-again"))
        wait_until(lambda: self.token() >= 9000, "a token of the new provider")
        self.assertGreater(again.polls(), 0)

    def test_forbidden_and_malformed_headers_are_left_out(self):
        self.start_all(provider=self.start(Provider(self.directory, fault="forbidden")))
        self.first_token()
        seen = echoed(self.proxy.port)["headers"]
        self.assertEqual(seen["host"], "inlay.test")
        self.assertFalse({"content-length", "x-split", "x-evil", "x-number"} & seen.keys(), seen)
        wait_until(lambda: re.search(r"header_augmenting\.refused_header: [1-9]", self.proxy.admin("/stats")[1]), "the metric")


@in_envoy_too
class Secrecy(Augment):
    def test_no_secret_is_logged_or_shown(self):
        secret = "s3cr3t-" + "k" * 24
        self.start_all(expiry="300ms", level="trace", provider=self.start(Provider(self.directory, prefix=secret)))
        wait_until(lambda: request(self.proxy.port).status == 200, "a first token")
        self.assertIn(secret, echoed(self.proxy.port)["headers"]["authorization"])
        for fault in ("garbage", "forbidden", "status", "none"):
            polls = self.provider.polls()
            self.provider.set_fault(fault)
            wait_until(lambda: self.provider.polls() >= polls + 2, f"polls that get {fault}")
            request(self.proxy.port, headers={"authorization": "Bearer client-" + secret})
        for path in ("/stats", "/stats/prometheus", "/config_dump", "/clusters", "/server_info"):
            status, body = self.proxy.admin(path)
            self.assertEqual(status, 200, path)
            self.assertNotIn(secret, body, path)
        self.proxy.end()
        log = self.proxy.log()
        self.assertNotIn(secret, log)
        self.assertGreater(len(log), 500, "a trace log that says nothing proves nothing")

    def test_config_dump_hides_secrets(self):
        self.echo = self.start(Echo(self.directory))
        self.provider = self.start(Provider(self.directory))
        made = self.config()
        plugin = made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"][0]
        plugin["typed_config"]["config"]["vm_config"]["environment_variables"] = {"key_values": {"CLIENT_SECRET": "hunter2-very"}}
        self.proxy = self.start_proxy(made)
        status, dump = self.proxy.admin("/config_dump")
        self.assertEqual(status, 200)
        self.assertEqual("hunter2-very" in dump, self.either(False, True, why="it shows its whole bootstrap"))
        self.assertIn("header_augmenting", dump)


@in_envoy_too
class OtherProviders(Augment):
    ANSWER = '{"authorization": "Bearer 7.0123456789abcdef", "x-tenant": "acme"}'

    def check(self, provider):
        self.start_all(provider=provider, concurrency=2)
        self.assertEqual(self.first_token(), 7)
        self.assertEqual(echoed(self.proxy.port)["headers"]["x-tenant"], "acme")

    def test_python(self):
        server = PythonServer(lambda _: (200, {"content-type": "application/json"}, self.ANSWER.encode()))
        self.addCleanup(server.close)
        self.check(server)

    def test_nginx(self):
        self.check(self.start(Nginx(self.directory, f"location / {{ default_type application/json; return 200 '{self.ANSWER}'; }}")))

    def test_haproxy(self):
        escaped = self.ANSWER.replace('"', '\\"').replace(" ", "\\ ")
        self.check(self.start(Haproxy(self.directory,
                                      f"http-request return status 200 content-type application/json string {escaped}")))

    def test_chunked_and_byte_by_byte(self):
        def script(wire):
            while wire.line():
                pass
            wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            for byte in self.ANSWER:
                wire.send(f"1\r\n{byte}\r\n")
            wire.send("0\r\n\r\n")
        origin = ScriptedOrigin(script)
        self.addCleanup(origin.close)
        self.check(origin)


@in_envoy_too
class Reloading(Augment):
    def test_many_clients_at_once_see_only_good_tokens(self):
        self.start_all(expiry="250ms", concurrency=2)
        self.first_token()
        wrong = []
        def client():
            for _ in range(150):
                seen = echoed(self.proxy.port)["headers"]
                number = TOKEN.match(seen["authorization"])
                if not number or number[1] != seen["x-token-number"]:
                    wrong.append(seen)
        threads = [threading.Thread(target=client) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
