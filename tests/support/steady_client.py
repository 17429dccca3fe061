# SPDX-License-Identifier: Apache-2.0
"""A client that asks all the time, at one rate, and remembers what it got."""

import threading
import time

from .processes import PATIENCE
from .wire import Wire


class Client(threading.Thread):
    """Asks for /token and /keys by turns, every few milliseconds, on connections of twenty requests. Sends forged headers."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.got = []  # (when it was sent, when it was answered, path, status)
        self.failures = []
        self.stopping = False
        self.start()

    def run(self):
        while not self.stopping:
            try:
                with Wire(self.port) as wire:
                    for path in ("/token", "/keys") * 10:
                        at = time.monotonic()
                        wire.send(f"GET {path} HTTP/1.1\r\nhost: upstream.test\r\nauthorization: forged\r\nx-key: forged\r\n\r\n")
                        answer = wire.response()
                        self.got.append((at, time.monotonic(), path, answer.status))
                        time.sleep(0.01)  # the load's rate
                        if self.stopping or answer.get("connection") == "close":
                            break
            except (OSError, EOFError, ValueError) as error:
                self.failures.append(repr(error))
                time.sleep(0.05)

    def end(self):
        self.stopping = True
        self.join(PATIENCE)
