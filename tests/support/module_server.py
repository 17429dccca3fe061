# SPDX-License-Identifier: Apache-2.0
"""A server of modules, for code.remote."""

import hashlib
import threading

from support.origins import PythonServer
from support.processes import PATIENCE


class ModuleServer:
    """Serves a module at /guest.wasm, once it is let to; `status` is what it answers otherwise."""

    def __init__(self, module):
        with open(module, "rb") as file:
            self.module = file.read()
        self.sha256 = hashlib.sha256(self.module).hexdigest()
        self.hold = threading.Event()
        self.hold.set()
        self.failures = 0  # how many more answers are 503
        self.headers = []
        self.server = PythonServer(self.answer)
        self.port = self.server.port

    def answer(self, request):
        self.headers.append(dict(request.headers))
        self.hold.wait(PATIENCE)
        if self.failures > 0:
            self.failures -= 1
            return 503, {}, b"not yet"
        if request.path == "/moved":
            return 302, {"location": "http://elsewhere.test/guest.wasm?signature=s3cret"}, b""
        if request.path != "/guest.wasm":
            return 404, {}, b"no such module"
        return 200, {"content-type": "application/wasm"}, self.module

    def close(self):
        self.hold.set()
        self.server.close()
