# SPDX-License-Identifier: Apache-2.0
"""What the tests of real identity providers have in common: where the providers are, and the filter between a client and an upstream that
asks the provider about each token."""

import json
import os
import shutil
import tempfile
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request

from support import config
from support.origins import PythonServer
from support.processes import PATIENCE, ROOT, TestCase, filter_module, wait_until
from support.wire import request

HOME = os.path.join(ROOT, "build", "identity")


def find(part):
    """The folder of a provider that scripts/identity has made; a SkipTest, with the reason, where there is none."""
    folder = os.path.join(HOME, part)
    if os.path.exists(os.path.join(folder, "ready")):
        return folder
    try:
        with open(folder + ".missing") as file:
            why = file.read().strip()
    except OSError:
        why = f"scripts/identity {part} makes it"
    raise unittest.SkipTest(f"{part} is not here: {why}")


def call(url, form=None, body=None, method=None, headers=()):
    """(status, headers, body) of one request: a form, or JSON; redirects are not followed."""
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None
    data = urllib.parse.urlencode(form).encode() if form is not None else json.dumps(body).encode() if body is not None else None
    made = urllib.request.Request(url, data, dict(headers), method=method)
    if body is not None:
        made.add_header("content-type", "application/json")
    try:
        with urllib.request.build_opener(Stay).open(made, timeout=PATIENCE) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def call_json(url, expected=200, **options):
    status, _, body = call(url, **options)
    if status != expected:
        raise AssertionError(f"{url}: {status} {body[:500]!r}")
    return json.loads(body) if body else None


class Upstream(PythonServer):
    """200 to a request whose bearer token `judge` calls active, 401 to any other; `judged` has what was said of each."""

    def __init__(self, judge):
        self.judge = judge
        self.judged = []
        self.lock = threading.Lock()
        super().__init__(self.answer)

    def answer(self, handler):
        values = handler.headers.get_all("authorization") or []
        scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
        said = self.judge(token) if scheme == "Bearer" and token else {"active": False}
        with self.lock:
            self.judged.append((token, said))
        return (200 if said["active"] else 401), {}, str(said.get("sub", "")).encode()


class Provider:
    """A provider that runs as long as its module of tests: begin() starts it, `end` ends it."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="inlay-identity-")
        self.programs = []

    def start(self, program):
        self.programs.append(program)
        return program

    def end(self):
        for program in reversed(self.programs):
            program.end(10)
        shutil.rmtree(self.directory, ignore_errors=True)


class FilterTest(TestCase):
    """The filter with `sources`; what stands for secrets in the environment is `secrets`."""

    planted = ()

    def start_filter(self, sources, clusters, judge, secrets=None, listeners=(), **keys):
        self.upstream = Upstream(judge)
        self.addCleanup(self.upstream.close)
        augmenter = config.wasm(filter_module(), {"sources": sources, **keys}, name="header_augmenting", vm_id="identity")
        augmenter["typed_config"]["config"]["vm_config"]["environment_variables"] = {"key_values": secrets or {}}
        bootstrap = config.bootstrap([config.cluster("origin", self.upstream.port), *clusters], [augmenter])
        bootstrap["static_resources"]["listeners"] += listeners
        self.planted = tuple(line for value in (secrets or {}).values() for line in value.splitlines() if len(line) > 8 and "BEGIN" not in line)
        self.proxy = self.start_proxy(bootstrap, concurrency=2, level="trace")

    def get(self, path="/", **headers):
        return request(self.proxy.port, path, headers=headers)

    def send(self, fields):
        """The status of a request with those header fields, in order."""
        return request(self.proxy.port, headers=fields).status

    def wait_for_tokens(self):
        wait_until(lambda: all(self.get().status == 200 for _ in range(8)), "a token on both workers")

    def assert_nothing_is_shown(self, *more):
        """No secret and no token in the log or on the admin's pages."""
        text = self.proxy.log() + "".join(self.proxy.admin(page)[1] for page in ("/stats", "/stats/prometheus", "/clusters", "/server_info"))
        tokens = [token for token, _ in self.upstream.judged if token]
        for secret in (*self.planted, *tokens, *more):
            self.assertNotIn(secret, text)
