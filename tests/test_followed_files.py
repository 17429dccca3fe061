# SPDX-License-Identifier: Apache-2.0
"""direct_response.body {filename, watched_directory}: files whose content is followed, as those of a Secret that is mounted."""

import concurrent.futures
import json
import os
import re
import subprocess
import threading
import unittest
import urllib.error
import urllib.request

from support import config, pipes
from support.both import in_envoy_too
from support.mount import Mount
from support.origins import Echo
from support.processes import ROOT, TestCase, filter_module, free_port, wait_until
from support.wire import request


def answers_with(path, file, directory=None):
    body = {"filename": file, **({"watched_directory": {"path": directory}} if directory else {})}
    return {"match": {"path": path}, "direct_response": {"status": 200, "body": body}}


class Files(TestCase):
    def mount(self, name="mount", **files):
        return Mount(os.path.join(self.directory, name), **files)

    def serve(self, *routes, most=None, **options):
        made = config.bootstrap([], routes=list(routes))
        if most:
            manager = made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
            manager["route_config"]["max_direct_response_body_size_bytes"] = most
        return self.launch_proxy(made, **options)

    def get(self, proxy, path="/followed"):
        with urllib.request.urlopen(f"http://127.0.0.1:{proxy.port}{path}") as answer:
            return answer.read().decode()

    def wait_for(self, proxy, content, path="/followed"):
        proxy.wait_for(lambda: self.get(proxy, path) == content, f"{content!r:.40}")


@in_envoy_too
class Followed(Files):
    def follow(self, mount, name="token", path="/followed"):
        return answers_with(path, mount.file(name), mount.path)

    def test_a_new_content_is_there_without_a_restart(self):
        mount = self.mount(token="one\n")
        proxy = self.serve(self.follow(mount)).wait_ready()
        self.assertEqual(self.get(proxy), "one\n")
        for content in ("two", "x" * 4096, "three"):
            mount.put(token=content)
            self.wait_for(proxy, content)

    def test_each_answer_is_whole_while_it_changes(self):
        contents = [letter * 3000 for letter in "abcdefghij"]
        mount = self.mount(token=contents[0])
        proxy = self.serve(self.follow(mount), concurrency=2).wait_ready()
        done = threading.Event()

        def ask_on():
            seen = set()
            while not done.is_set():
                seen.add(self.get(proxy))
            return seen
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            clients = [pool.submit(ask_on) for _ in range(4)]
            try:
                for content in contents[1:]:
                    mount.put(token=content)
                    self.wait_for(proxy, content)
            finally:
                done.set()
            self.assertLessEqual(set().union(*(client.result() for client in clients)), set(contents))

    def test_a_content_that_cannot_be_had_leaves_the_old_one(self):
        """Gone, or too large; an empty file is a content."""
        secret, other = self.mount("secret", token="s3cret"), self.mount("other", sign="1")
        proxy = self.serve(self.follow(secret), self.follow(other, "sign", "/sign")).wait_ready()
        secret.put()
        self.wait_for_log(proxy, "No such file or directory", "does not exist")
        self.assertEqual(self.get(proxy), "s3cret")
        secret.put(token="S3CRET" * 1000)
        self.wait_for_log(proxy, "it is larger than 4096 bytes", "size is 6000 bytes; maximum is 4096")
        self.assertEqual(self.get(proxy), "s3cret")
        secret.put(token="")
        self.wait_for(proxy, "")
        secret.put(token="again")
        self.wait_for(proxy, "again")
        self.assertNotIn("s3cret", proxy.log().lower())

    def wait_for_log(self, proxy, inlay, envoy):
        said = self.either(inlay=inlay, envoy=envoy, why="the words of the log are each one's own")
        proxy.wait_for(lambda: said in proxy.log(), said)

    def test_what_is_written_in_place_and_what_is_not_followed(self):
        """What must not come is shown by what comes after it."""
        mount, other = self.mount(token="one"), self.mount("other", token="1")
        proxy = self.serve(self.follow(mount), answers_with("/once", mount.file("token")),
                           self.follow(other, path="/other")).wait_ready()
        with open(mount.file("token"), "w") as file:
            file.write("in place")
        other.put(token="2")
        self.wait_for(proxy, "2", "/other")
        self.assertEqual(self.get(proxy), "one")
        mount.put(token="two")
        self.wait_for(proxy, "two")
        self.assertEqual(self.get(proxy, "/once"), "one")

    def test_a_larger_one_where_it_is_allowed(self):
        mount = self.mount(token="x" * 5000)
        proxy = self.serve(self.follow(mount), most=6000).wait_ready()
        self.assertEqual(self.get(proxy), "x" * 5000)
        mount.put(token="y" * 6000)
        self.wait_for(proxy, "y" * 6000)

    def test_no_start_without_it(self):
        good, full, empty = self.mount("good", token="x"), self.mount("full", token="x" * 4097), self.mount("empty")
        for route, said in ((self.follow(empty), ("No such file or directory", "does not exist")),
                            (self.follow(full), ("it is larger than 4096 bytes", "size is 4097 bytes; maximum is 4096")),
                            (answers_with("/", good.file("token"), os.path.join(self.directory, "none")),
                             ("No such file or directory", "No such file or directory"))):
            with self.subTest(said[0]):
                proxy = self.serve(route)
                self.assertEqual(proxy.wait(), 1)
                self.assertIn(said[self.in_envoy], proxy.log())

    def test_a_filter_takes_its_headers_from_a_file(self):
        """By a listener of its own behind a pipe; a new content is a new header, and no request fails."""
        mount = self.mount(**{"headers": '{"x-token": "one"}'})
        pipe = os.path.join(self.directory, "files.sock")
        echo = {"match": {"prefix": "/"}, "direct_response": {"status": 200},
                "response_headers_to_add": [{"header": {"key": "x-seen", "value": "%REQ(X-TOKEN)%"}}]}
        made = config.bootstrap([pipes.cluster("provider", pipe)], [config.augmenter(
            header_providing_service_path="/headers", expiry="1s")], [echo])
        made["static_resources"]["listeners"].append(
            pipes.listener(pipe, 0o600, name="files", routes=[answers_with("/headers", mount.file("headers"), mount.path)]))
        proxy = self.start_proxy(made)

        def seen():
            with urllib.request.urlopen(f"http://127.0.0.1:{proxy.port}/") as answer:
                return answer.headers["x-seen"]

        def answered():  # 503 until there is a header
            try:
                return seen() == "one"
            except urllib.error.HTTPError:
                return False
        wait_until(answered, "the first header")
        mount.put(headers='{"x-token": "two"}')
        wait_until(lambda: seen() == "two", "the second header")


@in_envoy_too
class Example(Files):
    """examples/files, as its README runs it, on other ports and in another directory."""

    def shell(self, commands):
        for command in commands:
            subprocess.run(command, shell=True, check=True, cwd=self.directory)

    def test_as_the_readme_says(self):
        with open(os.path.join(ROOT, "examples", "files", "README.md")) as file:
            readme = file.read()
        commands = re.findall(r"^    \$ ((?:mkdir|echo|ln|mv) .*)$", readme, re.M)
        told = re.findall(r"^    authorization: (.*)$", readme, re.M)
        self.assertEqual((len(commands), len(told)), (8, 2))
        with open(os.path.join(ROOT, "examples", "files", "envoy.yaml")) as file:
            text = file.read()
        os.mkdir(os.path.join(self.directory, "build"))
        self.shell(commands[:4])
        echo, port = self.start(Echo(self.directory)), free_port()
        for theirs, ours in {"port_value: 8080": f"port_value: {port}", "port_value: 8081": f"port_value: {echo.port}",
                             "build/header_augmenting.wasm": filter_module()}.items():
            self.assertEqual(text.count(theirs), 1, theirs)
            text = text.replace(theirs, ours)
        with open(os.path.join(self.directory, "envoy.yaml"), "w") as file:
            file.write(text)
        proxy = self.launch_proxy(os.path.join(self.directory, "envoy.yaml"), cwd=self.directory)

        def seen():
            try:
                answer = request(port, "/hello", headers={"accept": "application/json"})
            except OSError:  # not up yet
                return None
            return json.loads(answer.body)["headers"].get("authorization") if answer.status == 200 else None
        proxy.wait_for(lambda: seen() == told[0], told[0])
        self.assertEqual(os.stat(os.path.join(self.directory, "build", "files.sock")).st_mode & 0o777, 0o600)
        self.shell(commands[4:])
        proxy.wait_for(lambda: seen() == told[1], told[1])
        self.assertNotIn("Bearer", proxy.log())


if __name__ == "__main__":
    unittest.main()
