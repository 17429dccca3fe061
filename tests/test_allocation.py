# SPDX-License-Identifier: Apache-2.0
"""What a proxied request costs the heap once the proxy is warm: nothing."""

import contextlib
import mmap
import os
import struct
import subprocess
import unittest
from unittest import mock

from support import config
from support.both import inlay_only
from support.origins import Echo, Provider, all_workers_answer
from support.processes import SANITIZED, TestCase, wait_until
from support.wire import Wire

# Counts every allocation of the process it is loaded into (not of its children) in a file that the test maps, too.
COUNTER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
static unsigned long unmapped, *count = &unmapped;
extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
static void add(void) { __atomic_fetch_add(count, 1, __ATOMIC_RELAXED); }
void* malloc(size_t n) { add(); return __libc_malloc(n); }
void* calloc(size_t n, size_t size) { add(); return __libc_calloc(n, size); }
void* realloc(void* old, size_t n) { add(); return __libc_realloc(old, n); }
__attribute__((constructor)) static void start(void) {
  unsetenv("LD_PRELOAD");
  int file = open(getenv("ALLOCATION_COUNT"), O_RDWR);
  void* shared = mmap(0, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (shared != MAP_FAILED) count = shared;
}
"""

REQUEST = ("GET /orders/17?page=2 HTTP/1.1\r\nhost: shop.example\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
           "accept: text/html,application/xhtml+xml\r\naccept-encoding: gzip, deflate\r\naccept-language: en-GB,en\r\n"
           "cookie: session=0123456789abcdef; theme=dark\r\nauthorization: forged\r\nx-request-id: 7\r\n\r\n")


@inlay_only("counts the allocations of Inlay's own heap")
@unittest.skipIf(SANITIZED, "a sanitizer has an allocator of its own")
class Allocation(TestCase):
    def counter(self):
        """A shared library, and the count that it keeps."""
        source, library = (os.path.join(self.directory, name) for name in ("counter.c", "counter.so"))
        with open(source, "w") as file:
            file.write(COUNTER)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-fno-builtin", "-o", library, source], check=True)
        path = os.path.join(self.directory, "count")
        with open(path, "wb") as file:
            file.write(bytes(mmap.PAGESIZE))
        with open(path, "r+b") as file:
            shared = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.addCleanup(shared.close)
        return {"LD_PRELOAD": library, "ALLOCATION_COUNT": path}, lambda: struct.unpack("L", shared[:8])[0]

    def proxy_and_count(self):
        echo = self.start(Echo(self.directory))
        provider = self.start(Provider(self.directory))
        environment, count = self.counter()
        made = config.bootstrap([config.cluster("origin", echo.port), config.cluster("provider", provider.port)],
                                [config.augmenter()])
        with mock.patch.dict(os.environ, environment):
            proxy = self.start_proxy(made).wait_compiled()
        wait_until(lambda: all_workers_answer(proxy.port), "headers for the worker")
        self.assertGreater(count(), 1000, "the counter does not count")
        return proxy, count

    def assert_allocates_nothing(self, count, number, requests):
        """Sends requests(number) in rounds."""
        def allocations():
            before = count()
            requests(number)
            return count() - before
        allocations()
        # Ticks and the compiler's thread allocate now and then, whatever the requests do: a round without them will come.
        wait_until(lambda: allocations() == 0, f"a round of {number} requests without an allocation")

    def test_a_request_through_the_filter_allocates_nothing(self):
        proxy, count = self.proxy_and_count()
        with Wire(proxy.port) as wire:
            def requests(number):
                for _ in range(number):
                    body = wire.send(REQUEST).response().body
                self.assertIn(b"authorization: Bearer", body)
            self.assert_allocates_nothing(count, 50, requests)

    def test_a_crowd_of_requests_at_once_allocates_nothing(self):
        proxy, count = self.proxy_and_count()
        with contextlib.ExitStack() as stack:
            wires = [stack.enter_context(Wire(proxy.port)) for _ in range(150)]

            def requests(_):
                for wire in wires:  # all are begun before the first can end
                    wire.send(REQUEST.replace("GET", "POST").replace("\r\n\r\n", "\r\ncontent-length: 1\r\n\r\n"))
                for wire in wires:
                    wire.send("!")
                for wire in wires:
                    self.assertIn(b"authorization: Bearer", wire.response().body)
            self.assert_allocates_nothing(count, len(wires), requests)


if __name__ == "__main__":
    unittest.main()
