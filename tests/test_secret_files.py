# SPDX-License-Identifier: Apache-2.0
"""Certificates and authorities from files of their own (SDS by path_config_source), which change while the proxy runs."""

import json
import os
import shutil
import socket
import ssl
import unittest

from support import config
from support.both import in_envoy_too, inlay_only
from support.certificates import Authority, server_context
from support.origins import PythonServer
from support.processes import PATIENCE, TestCase, free_port, wait_until
from support.wire import request

TLS = config.TYPE + "envoy.extensions.transport_sockets.tls.v3."


class SecretFiles(TestCase):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.directory, "authority")

    def file(self, name):
        return os.path.join(self.directory, name)

    def put(self, name, *secrets):
        """As kubelet does it, and as Envoy wants it: renamed."""
        with open(self.file(name + ".new"), "w") as file:
            json.dump({"resources": [{"@type": TLS + "Secret", **secret} for secret in secrets]}, file)
        os.rename(self.file(name + ".new"), self.file(name))

    def named(self, secret, file):
        return {"name": secret, "sds_config": {"path_config_source": {"path": self.file(file)}}}

    def certificate(self, name):
        chain, key = self.authority.issue(name, f"DNS:{name}")
        return {"name": "own", "tls_certificate": {"certificate_chain": {"filename": chain}, "private_key": {"filename": key}}}

    def bootstrap(self, common, **fields):
        made = config.bootstrap([], routes=[{"match": {"prefix": "/"}, "direct_response": {"status": 200}}])
        made["node"] = {"id": "a", "cluster": "b"}
        made["static_resources"]["listeners"][0]["filter_chains"][0]["transport_socket"] = {
            "name": "tls", "typed_config": {"@type": TLS + "DownstreamTlsContext", "common_tls_context": common, **fields}}
        return made

    def served(self, own=None, port=None):
        """The name of the certificate that a client gets; `own`: the client's certificate and key."""
        context = ssl.create_default_context(cafile=self.authority.certificate)
        context.check_hostname = False
        if own:
            context.load_cert_chain(*own)
        with socket.create_connection(("127.0.0.1", port or self.proxy.port), PATIENCE) as plain, context.wrap_socket(plain, server_hostname="a.test") as wire:
            wire.sendall(b"GET / HTTP/1.1\r\nhost: a.test\r\n\r\n")
            if not wire.recv(100).startswith(b"HTTP/1.1 200"):
                raise OSError("no answer")
            return wire.getpeercert()["subjectAltName"][0][1]

    def serves(self, own=None, port=None):
        try:
            return self.served(own, port)
        except OSError:
            return None


@in_envoy_too
class Certificates(SecretFiles):
    def test_a_file_with_another(self):
        self.put("own.json", self.certificate("first.test"))
        self.proxy = self.start_proxy(self.bootstrap({"tls_certificate_sds_secret_configs": [self.named("own", "own.json")]}))
        wait_until(lambda: self.serves() == "first.test", "the first certificate")
        self.put("own.json", self.certificate("second.test"))
        wait_until(lambda: self.serves() == "second.test", "the second certificate")

    def test_the_files_that_it_names(self):
        """Those of a volume: a folder behind a symbolic link, which is renamed."""
        chain, key = self.authority.issue("first.test", "DNS:first.test")
        for folder, name in (("one", "first.test"), ("two", "second.test")):
            os.mkdir(self.file(folder))
            for path, to in zip(self.authority.issue(name, f"DNS:{name}"), ("tls.crt", "tls.key")):
                shutil.copy(path, os.path.join(self.file(folder), to))
        os.symlink("one", self.file("volume"))
        self.put("own.json", {"name": "own", "tls_certificate": {"certificate_chain": {"filename": self.file("volume/tls.crt")},
                                                                 "private_key": {"filename": self.file("volume/tls.key")},
                                                                 "watched_directory": {"path": self.directory}}})
        self.proxy = self.start_proxy(self.bootstrap({"tls_certificate_sds_secret_configs": [self.named("own", "own.json")]}))
        wait_until(lambda: self.serves() == "first.test", "the first certificate")
        os.symlink("two", self.file("volume.new"))
        os.rename(self.file("volume.new"), self.file("volume"))
        wait_until(lambda: self.serves() == "second.test", "the second certificate")

    def test_of_a_certificate_in_the_bootstrap_nothing_is_watched(self):
        own = {**self.certificate("first.test")["tls_certificate"], "watched_directory": {"path": self.directory}}
        self.put("own.json", self.certificate("second.test"))
        made = self.bootstrap({"tls_certificates": [own]})
        # A listener beside it that has a secret of the same folder shows when its changes have been seen.
        other = json.loads(json.dumps(made["static_resources"]["listeners"][0]))
        other.update(name="other", address=config.address(free_port()))
        other["filter_chains"][0]["transport_socket"]["typed_config"]["common_tls_context"] = {
            "tls_certificate_sds_secret_configs": [self.named("own", "own.json")]}
        made["static_resources"]["listeners"].append(other)
        self.proxy = self.start_proxy(made)
        first, second = self.proxy.port, other["address"]["socket_address"]["port_value"]
        wait_until(lambda: self.serves(port=second) == "second.test", "the secret")
        chain, key = (os.path.join(self.directory, "first.test" + end) for end in (".pem", ".key"))
        for path, to in zip(self.authority.issue("third.test", "DNS:third.test"), (chain, key)):
            shutil.copy(path, path + ".new")
            os.rename(path + ".new", to)
        self.put("own.json", {**self.certificate("fourth.test")})
        wait_until(lambda: self.serves(port=second) == "fourth.test", "the secret's change")
        self.assertEqual(self.served(port=first), self.either("third.test", "first.test", "the change of the secret is one of the whole configuration"))

    def test_what_is_wrong_is_refused(self):
        self.put("own.json", self.certificate("first.test"))
        self.proxy = self.start_proxy(self.bootstrap({"tls_certificate_sds_secret_configs": [self.named("own", "own.json")]}))
        wait_until(lambda: self.serves() == "first.test", "the first certificate")
        wrong = self.certificate("second.test")
        wrong["tls_certificate"]["private_key"] = {"filename": self.authority.key}
        self.put("own.json", wrong)
        self.proxy.wait_for(lambda: self.either("is not the key of", "mismatch", "each has its words").lower() in self.proxy.log().lower(), "the refusal")
        self.assertEqual(self.served(), "first.test")


@in_envoy_too
class Authorities(SecretFiles):
    def test_clients_of_another_authority(self):
        other = Authority(self.directory, "other")
        mine, theirs = self.authority.issue("mine", "DNS:mine"), other.issue("theirs", "DNS:theirs")
        chain, key = self.authority.issue("a.test", "DNS:a.test")
        common = {"tls_certificates": [{"certificate_chain": {"filename": chain}, "private_key": {"filename": key}}],
                  "validation_context_sds_secret_config": self.named("trust", "trust.json")}
        self.put("trust.json", {"name": "trust", "validation_context": {"trusted_ca": {"filename": self.authority.certificate}}})
        self.proxy = self.start_proxy(self.bootstrap(common, require_client_certificate=True))
        wait_until(lambda: self.serves(mine) == "a.test", "the client of the first authority")
        self.assertIsNone(self.serves(theirs))
        self.put("trust.json", {"name": "trust", "validation_context": {"trusted_ca": {"filename": other.certificate}}})
        wait_until(lambda: self.serves(theirs) == "a.test", "the client of the second authority")
        self.assertIsNone(self.serves(mine))

    def test_an_upstream_of_another_authority(self):
        other = Authority(self.directory, "other")
        origin = PythonServer(lambda _: (200, {}, b""), tls=server_context(*self.authority.issue("origin", "DNS:origin.test")))
        self.addCleanup(origin.close)
        trust = {"common_tls_context": {"combined_validation_context": {"default_validation_context": {},
                                                                        "validation_context_sds_secret_config": self.named("trust", "trust.json")}}}
        made = config.bootstrap([config.cluster("origin", origin.port, transport_socket=config.upstream_tls(sni="origin.test", **trust))])
        made["node"] = {"id": "a", "cluster": "b"}
        self.put("trust.json", {"name": "trust", "validation_context": {"trusted_ca": {"filename": other.certificate}}})
        self.proxy = self.start_proxy(made)
        self.assertEqual(request(self.proxy.port).status, 503)
        self.put("trust.json", {"name": "trust", "validation_context": {"trusted_ca": {"filename": self.authority.certificate}}})
        wait_until(lambda: request(self.proxy.port).status == 200, "the upstream to be trusted")


@inlay_only("an Envoy waits for ever for a secret that is not there")
class Start(SecretFiles):
    def refused(self, *secrets, name="own"):
        self.put("own.json", *secrets)
        proxy = self.launch_proxy(self.bootstrap({"tls_certificate_sds_secret_configs": [self.named(name, "own.json")]}))
        self.assertEqual(proxy.wait(), 1)
        return proxy.log()

    def test_no_such_secret(self):
        self.assertIn(f"there is no secret `other` with `tls_certificate` in `{self.file('own.json')}`", self.refused(self.certificate("a"), name="other"))

    def test_two_secrets(self):
        self.assertIn("own.json:1:", log := self.refused(self.certificate("a"), {**self.certificate("b"), "name": "b"}))
        self.assertIn("resources[1]: is a second secret", log)

    def test_a_secret_that_is_none(self):
        self.assertIn("own.json:1:", log := self.refused({"name": "own", "tls_certificate": {"certificate_chain": {"inline_string": "x"}}}))
        self.assertIn("resources[0].tls_certificate", log)

    def test_no_file(self):
        proxy = self.launch_proxy(self.bootstrap({"tls_certificate_sds_secret_configs": [self.named("own", "absent.json")]}))
        self.assertEqual(proxy.wait(), 1)
        self.assertIn("absent.json", proxy.log())


if __name__ == "__main__":
    unittest.main()
