# SPDX-License-Identifier: Apache-2.0
"""TLS at the real proxy: to identity providers and origins, whose certificates are verified, and from clients."""

import hashlib
import json
import os
import socket
import ssl
import unittest

from support import config, guests, tcp
from support.both import in_envoy_too
from support.certificates import Authority, server_context
from support.origins import PythonServer
from support.processes import PATIENCE, TestCase, filter_module, free_port, wait_until
from support.wire import request


def seen(handler):
    """The origin's answer: what it got."""
    return 200, {"content-type": "application/json"}, json.dumps(
        {name.lower(): value for name, value in handler.headers.items()}).encode()


def below(connection):
    """The socket below TLS, which says how a connection ends."""
    plain = socket.socket(fileno=connection.detach())
    plain.settimeout(PATIENCE)
    return plain


class WithAuthority(TestCase):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.directory, "ca")

    def verified(self, name, authority=None, **fields):
        """A transport socket that wants a certificate for `name`."""
        names = [{"san_type": "DNS", "matcher": {"exact": name}}]
        ca = {"filename": (authority or self.authority).certificate}
        return config.upstream_tls(sni=name, common_tls_context={
            "validation_context": {"trusted_ca": ca, "match_typed_subject_alt_names": names}, **fields})


@in_envoy_too
class Tls(WithAuthority):
    def serve(self, answer, name):
        server = PythonServer(answer, server_context(*self.authority.issue(name, f"DNS:{name}")))
        self.addCleanup(server.close)
        return server

    def test_the_filter_gets_its_token_from_an_identity_provider_over_tls(self):
        names_asked_for = []

        def token(handler):
            return 200, {}, json.dumps({"access_token": "tok-1", "token_type": "Bearer", "expires_in": 3600}).encode()

        provider = self.serve(token, "idp.example")
        provider.server.socket.context.sni_callback = lambda _, name, __: names_asked_for.append(name)
        origin = self.serve(seen, "origin.example")
        source = {"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
                  "oauth2": {"client_id": "orders", "client_secret": "s3cret"}}
        augmenter = config.wasm(filter_module(), {"sources": [source], "when_missing": {"action": "hold"}},
                                name="header_augmenting")
        clusters = [config.cluster("idp", provider.port, transport_socket=self.verified("idp.example")),
                    config.cluster("origin", origin.port, transport_socket=self.verified("origin.example"))]
        proxy = self.start_proxy(config.bootstrap(clusters, [augmenter]))
        for _ in range(20):
            answer = request(proxy.port, "/orders")
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(json.loads(answer.body)["authorization"], "Bearer tok-1")
        self.assertEqual(names_asked_for, ["idp.example"])
        stats = proxy.stats()
        self.assertEqual(stats["cluster.idp.ssl.handshake"], 1)
        self.assertLessEqual(stats["cluster.origin.ssl.handshake"], 2)  # connections are kept
        self.assertNotIn("s3cret", proxy.log())

    def test_clients_over_tls(self):
        origin = PythonServer(seen)
        self.addCleanup(origin.close)
        own = self.authority.issue("proxy.example", "DNS:proxy.example")
        client = self.authority.issue("client", "URI:spiffe://mesh/ns/default/sa/client")
        ca = {"trusted_ca": {"filename": self.authority.certificate}}
        log = {"name": "log", "typed_config": {
            "@type": config.TYPE + "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
            "log_format": {"text_format_source": {"inline_string": (
                "tls=%DOWNSTREAM_TLS_VERSION% sni=%REQUESTED_SERVER_NAME% peer=%DOWNSTREAM_PEER_URI_SAN%\n")}}}}
        bootstrap = config.bootstrap([config.cluster("origin", origin.port)], access_log=[log])
        entry = bootstrap["static_resources"]["listeners"][0]
        entry["listener_filters"] = [config.tls_inspector()]
        entry["filter_chains"][0]["transport_socket"] = config.downstream_tls(
            *own, common={"validation_context": ca, "alpn_protocols": ["http/1.1"]}, require_client_certificate=True)
        proxy = self.start_proxy(bootstrap)

        trusting = ssl.create_default_context(cafile=self.authority.certificate)
        trusting.set_alpn_protocols(["http/1.1"])
        trusting.load_cert_chain(*client)
        body = b"x" * 300_000
        with socket.create_connection(("127.0.0.1", proxy.port), 10) as plain:
            with trusting.wrap_socket(plain, server_hostname="proxy.example") as connection:
                self.assertEqual(connection.selected_alpn_protocol(), "http/1.1")
                for _ in range(3):
                    connection.sendall(b"POST / HTTP/1.1\r\nhost: a\r\nx-forwarded-client-cert: URI=spiffe://forged\r\n"
                                       b"content-length: %d\r\n\r\n" % len(body) + body)
                    answer = connection.recv(65536)
                    while b"\r\n\r\n" not in answer or b"}" not in answer:
                        answer += connection.recv(65536)
                    self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer)
                    self.assertIn(b'"x-forwarded-proto": "https"', answer)
                    self.assertNotIn(b"forged", answer)

        # Without a certificate of its own a client is not let in, and one that speaks no TLS is not answered.
        anonymous = ssl.create_default_context(cafile=self.authority.certificate)
        with socket.create_connection(("127.0.0.1", proxy.port), 10) as plain:
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                with anonymous.wrap_socket(plain, server_hostname="proxy.example") as connection:
                    connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                    self.assertEqual(connection.recv(1), b"")
                    raise ConnectionError("closed")
        with socket.create_connection(("127.0.0.1", proxy.port), 10) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            self.assertNotIn(b"HTTP/1.1", plain.recv(4096))
        self.assertEqual(origin.requests, 3)
        listener = f"listener.127.0.0.1_{proxy.port}.ssl."
        wait_until(lambda: proxy.stats()[listener + "connection_error"] == 1, "the one without TLS is counted")
        wait_until(lambda: proxy.stats()[listener + "fail_verify_no_cert"] == 1, "the one without a certificate is counted")
        self.assertEqual(proxy.stats()[listener + "handshake"], 1)
        proxy.end()
        self.assertEqual(proxy.log().count("tls=TLSv1.3 sni=proxy.example peer=spiffe://mesh/ns/default/sa/client"), 3)

    def test_a_listener_shows_the_certificate_for_the_name_that_is_asked_for(self):
        own = [self.authority.issue(name, "DNS:" + name) for name in ("one.example", "two.example")]
        bootstrap = config.bootstrap([config.cluster("origin", 1)])
        socket_config = config.downstream_tls(*own[0])
        socket_config["typed_config"]["common_tls_context"]["tls_certificates"].append(
            {"certificate_chain": {"filename": own[1][0]}, "private_key": {"filename": own[1][1]}})
        bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["transport_socket"] = socket_config
        proxy = self.start_proxy(bootstrap)
        trusting = ssl.create_default_context(cafile=self.authority.certificate)
        for name in ("one.example", "two.example"):
            with socket.create_connection(("127.0.0.1", proxy.port), 10) as plain:
                with trusting.wrap_socket(plain, server_hostname=name) as connection:  # verifies the name
                    self.assertEqual(connection.getpeercert()["subjectAltName"], (("DNS", name),))


@in_envoy_too
class NoConnection(WithAuthority):
    """Upstreams to which there is no connection: the client hears no reason, and the log has it."""

    # A regular expression each of what the log says: Inlay's, and what Envoy, whose TLS is BoringSSL, has other words for.
    REASONS = {"untrusted": "TLS_error:_certificate_verify_failed:_unable_to_get_local_issuer_certificate",
               "misnamed": r"TLS_error:_certificate_verify_failed:_.*_its_names:_DNS_origin\.example",
               "refused": "delayed_connect_error:_Connection_refused",
               "multicast": r"immediate_connect_error:_Network_is_unreachable\|remote_address:224\.0\.0\.1:80"}
    VERIFY = r"TLS_error:\|\d+:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_"
    ENVOYS = {"untrusted": VERIFY + ".*:_unable_to_get_local_issuer_certificate:TLS_error_end",
              "misnamed": VERIFY + r"SAN_matcher,_certificate_SANs_are_\[origin\.example\]:TLS_error_end"}

    def test_the_reason_is_for_the_log(self):
        server = PythonServer(seen, server_context(*self.authority.issue("origin.example", "DNS:origin.example")))
        self.addCleanup(server.close)
        clusters = {"untrusted": config.cluster("untrusted", server.port, transport_socket=self.verified(
                        "origin.example", Authority(self.directory, "stranger"))),
                    "misnamed": config.cluster("misnamed", server.port, transport_socket=self.verified("elsewhere.example")),
                    "refused": config.cluster("refused", free_port()),
                    "multicast": config.cluster("multicast", 80, host="224.0.0.1")}
        path = os.path.join(self.directory, "access.log")
        log = config.file_log(path, "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %UPSTREAM_TRANSPORT_FAILURE_REASON%\n")
        proxy = self.start_proxy(config.bootstrap(
            clusters.values(), routes=[config.route(name, {"prefix": "/" + name}) for name in clusters], access_log=[log]))
        for name in clusters:
            answer = request(proxy.port, "/" + name)
            body, told, _ = answer.body.partition(b", transport failure reason: ")
            self.assertEqual((answer.status, body), (503, b"upstream connect error or disconnect/reset before headers. "
                                                          b"reset reason: remote connection failure"))
            self.assertEqual(bool(told), self.since("1.39", False, True, why="the client is told the reason, too"))
        self.assertEqual(server.requests, 0)
        self.assertEqual(proxy.stats()["cluster.misnamed.ssl.fail_verify_san"], 1)
        proxy.end()
        with open(path) as file:
            lines = file.read().splitlines()
        for name, line in zip(clusters, lines, strict=True):
            reason = self.REASONS[name]
            if name in self.ENVOYS:
                failed = r"TLS_error:\|\d+:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED.*:TLS_error_end"
                reason = self.either(reason, self.since("1.39", self.ENVOYS[name], failed, why="it says less of it"), why="BoringSSL's words")
            self.assertRegex(line, rf"^503 UF upstream_reset_before_response_started\{{remote_connection_failure\|{reason}\}} {reason}$")


@in_envoy_too
class Tcp(WithAuthority):
    """TLS on both sides of a tcp_proxy, with a network filter that sees what was said."""

    def relay(self, serve, require_client_certificate=False):
        """A proxy with TLS on both sides before a server of bytes, and a guest that tells what it knows of both."""
        server = tcp.ByteServer(self.over_tls(serve, *self.authority.issue("app.example", "DNS:app.example")))
        self.addCleanup(server.close)
        names = ["connection.tls_version", "connection.requested_server_name", "connection.subject_peer_certificate",
                 "upstream.tls_version", "upstream.subject_peer_certificate", "upstream.dns_san_peer_certificate",
                 "upstream.sha256_peer_certificate_digest", "upstream.locality.zone"]
        module = guests.assemble(self.directory, "tells", guests.tells_properties({
            "upstream_data": names, "downstream_connection_close": ["connection.transport_failure_reason"]}))
        upstream = config.cluster("origin", server.port, transport_socket=self.verified("app.example"))
        upstream["load_assignment"]["endpoints"][0]["locality"] = {"region": "eu", "zone": "eu-1"}
        made = tcp.bootstrap([upstream], [tcp.wasm_filter(module)], listener_filters=[config.tls_inspector()])
        made["static_resources"]["listeners"][0]["filter_chains"][0]["transport_socket"] = config.downstream_tls(
            *self.authority.issue("proxy.example", "DNS:proxy.example"),
            common={"validation_context": {"trusted_ca": {"filename": self.authority.certificate}}},
            require_client_certificate=require_client_certificate)
        return self.start_proxy(made)

    def over_tls(self, serve, certificate, key):
        context = server_context(certificate, key)

        def run(connection):
            with context.wrap_socket(connection, server_side=True) as wrapped:
                serve(wrapped)
        return run

    def client(self, proxy):
        trusting = ssl.create_default_context(cafile=self.authority.certificate)
        trusting.load_cert_chain(*self.authority.issue("me", "DNS:me.example"))
        return trusting.wrap_socket(tcp.connect(proxy.port), server_hostname="proxy.example")

    def test_bytes_both_ways_and_what_a_guest_knows(self):
        def double(connection):
            while chunk := connection.recv(1 << 16):
                connection.sendall(chunk)

        proxy = self.relay(double, require_client_certificate=True)
        data = os.urandom(1 << 20)
        with self.client(proxy) as client:
            client.sendall(b"ping")
            self.assertEqual(tcp.read_exactly(client, 4), b"ping")
            self.assertEqual(tcp.exchange(client, data), data)
        told = ["connection.tls_version = TLSv1.3", "connection.requested_server_name = proxy.example",
                "connection.subject_peer_certificate = CN=me", "upstream.tls_version = " + self.either(
                    "TLSv1.3", "TLSv1.2", why="that is the most that it asks a server for by default"),
                "upstream.subject_peer_certificate = CN=app.example", "upstream.dns_san_peer_certificate = app.example",
                "upstream.locality.zone = eu-1"]
        for line in told:
            self.assertIn("wasm log guest: " + line + "\n", proxy.log())
        digest = ssl.PEM_cert_to_DER_cert(open(os.path.join(self.directory, "app.example.pem")).read())
        self.assertIn("digest = " + hashlib.sha256(digest).hexdigest(), proxy.log())
        stats = proxy.stats()
        self.assertEqual(stats["cluster.origin.ssl.handshake"], 1)
        self.assertEqual(stats[f"listener.127.0.0.1_{proxy.port}.ssl.handshake"], 1)

    def test_a_server_that_speaks_first(self):
        def greet(connection):
            connection.sendall(b"220 ready\r\n")
            tcp.read_all(connection)

        proxy = self.relay(greet)
        with self.client(proxy) as client:
            self.assertEqual(tcp.read_exactly(client, 11), b"220 ready\r\n")
        self.assertIn("wasm log guest: connection.subject_peer_certificate = CN=me\n", proxy.log())

    def test_the_end_of_the_server_is_the_end_for_the_client(self):
        proxy = self.relay(lambda connection: connection.sendall(b"all" * 100_000))
        with self.client(proxy) as client:
            self.assertEqual(tcp.read_all(client), b"all" * 100_000)

    def test_a_reset_is_passed_on(self):
        for from_client in (True, False):
            with self.subTest(from_client=from_client):
                seen = []

                def serve(connection, from_client=from_client, seen=seen):
                    seen.append(tcp.read_exactly(connection, 1))
                    if not from_client:
                        return tcp.reset(below(connection))
                    connection.sendall(b"x")
                    seen.append(tcp.how_it_ends(below(connection)))

                client = self.client(self.relay(serve))
                client.sendall(b"x")
                if from_client:
                    self.assertEqual(tcp.read_exactly(client, 1), b"x")
                    tcp.reset(below(client))
                    wait_until(lambda seen=seen: len(seen) == 2, "the server has seen it all")
                    self.assertEqual(seen[1], self.since("1.40", "reset", "end", why="it is no reset for the server"))
                else:
                    with below(client) as plain:
                        self.assertEqual(tcp.how_it_ends(plain), self.since("1.39", "reset", "end", why="it is no reset for the client"))

    def test_a_handshake_that_fails_is_told(self):
        proxy = self.relay(lambda connection: None, require_client_certificate=True)
        with tcp.connect(proxy.port) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            self.assertNotIn(b"HTTP", tcp.read_all(plain))
        reason = self.either("TLS error: ", self.since("1.37", "TLS_error:|", "TLS_error|error:", why="other words"), why="BoringSSL's words")
        proxy.wait_for(lambda: "connection.transport_failure_reason = " + reason in proxy.log(), "the reason")

    def test_a_server_with_the_wrong_certificate_gets_nothing(self):
        got = []
        wrong = self.authority.issue("wrong.example", "DNS:wrong.example")
        server = tcp.ByteServer(self.over_tls(lambda connection: got.append(connection.recv(1)), *wrong))
        self.addCleanup(server.close)
        upstream = config.cluster("origin", server.port, transport_socket=self.verified("app.example"))
        proxy = self.start_proxy(tcp.bootstrap([upstream]))
        with tcp.connect(proxy.port) as client:
            self.assertEqual(tcp.read_all(client), b"")
        self.assertEqual(got, [])
        stats = proxy.stats()
        self.assertEqual(stats["cluster.origin.ssl.fail_verify_san"], 1)
        self.assertEqual(stats["cluster.origin.upstream_cx_connect_fail"], 1)

    def test_a_network_filter_before_http_sees_the_request_in_the_clear(self):
        self.server_name_seen_by_a_guest(listener_filters=[], name="")

    def test_with_a_tls_inspector_guests_know_the_name_that_the_client_asks_for(self):
        self.server_name_seen_by_a_guest(listener_filters=[config.tls_inspector()], name="proxy.example")

    def server_name_seen_by_a_guest(self, listener_filters, name):
        module = guests.assemble(self.directory, "tells", guests.tells_properties({
            "downstream_data": ["connection.requested_server_name"]}))
        origin = PythonServer(seen)
        self.addCleanup(origin.close)
        made = config.bootstrap([config.cluster("origin", origin.port)])
        made["static_resources"]["listeners"][0]["listener_filters"] = listener_filters
        chain = made["static_resources"]["listeners"][0]["filter_chains"][0]
        chain["filters"].insert(0, tcp.wasm_filter(module))
        chain["transport_socket"] = config.downstream_tls(*self.authority.issue("proxy.example", "DNS:proxy.example"))
        proxy = self.start_proxy(made)
        with self.client(proxy) as client:
            client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            self.assertIn(b'"x-forwarded-proto": "https"', tcp.read_all(client))
        self.assertIn(f"wasm log guest: connection.requested_server_name = {name}\n", proxy.log())


if __name__ == "__main__":
    unittest.main()
