# SPDX-License-Identifier: Apache-2.0
"""h2spec against a listener of HTTP/2, in clear text and over TLS."""

import os

from support import config, h2spec
from support.both import inlay_only
from support.certificates import Authority
from support.origins import Echo
from support.processes import TestCase

TESTS = 145  # of its version 2.2.1


def setUpModule():
    h2spec.install()


@inlay_only("Envoy 1.40.0 passes 134 of the 145")
class Conformance(TestCase):
    def check(self, transport_socket=None, *options, **manager):
        echo = self.start(Echo(self.directory))
        bootstrap = config.bootstrap([config.cluster("origin", echo.port)], **manager)
        if transport_socket:
            bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["transport_socket"] = transport_socket
        proxy = self.start_proxy(bootstrap, concurrency=1)
        passed, failed, output = h2spec.run(proxy.port, os.path.join(self.directory, "report.xml"), *options)
        self.assertEqual(failed, {}, output[-4000:])
        self.assertEqual(len(passed), TESTS, output[-4000:])

    def test_in_clear_text(self):
        self.check(codec_type="HTTP2")

    def test_over_tls(self):
        chain, key = Authority(self.directory, "ca").issue("server", "DNS:localhost")
        self.check({"name": "tls", "typed_config": {
            "@type": config.TYPE + "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {"alpn_protocols": ["h2"],
                                   "tls_certificates": [{"certificate_chain": {"filename": chain}, "private_key": {"filename": key}}]}}}, "-t", "-k")
