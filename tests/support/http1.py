# SPDX-License-Identifier: Apache-2.0
"""A proxy before an origin, for tests of HTTP/1.1."""

from . import config
from .origins import Echo, ScriptedOrigin
from .processes import TestCase

OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n"


class Http1(TestCase):
    """A proxy before an echo; `manager` fields may be changed by a class of tests."""
    manager = {}

    def setUp(self):
        super().setUp()
        self.echo = self.start(Echo(self.directory))
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", self.echo.port)], **self.manager))
        self.port = self.proxy.port

    def scripted(self, script, **manager):
        origin = ScriptedOrigin(script)
        self.addCleanup(origin.close)
        return self.start_proxy(config.bootstrap([config.cluster("origin", origin.port)], **manager)).port
