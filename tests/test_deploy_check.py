# SPDX-License-Identifier: Apache-2.0
"""`inlay deploy check`: its forms and exit statuses."""

import json
import os
import re
import unittest
from unittest import mock

from support.both import inlay_only
from support.deploy import EXAMPLES, DeployCase, read
from support.registry import push_filter


@inlay_only("a subcommand of Inlay's")
class CheckBeforeARollout(DeployCase):
    """`inlay deploy check`: its forms and exit statuses; deploy/check/check_resources_test.cc has each rule."""

    def check(self, *arguments):
        return self.inlay("deploy", "check", *arguments)

    def test_a_values_file_and_what_it_is_rendered_to_pass(self):
        status, out, err = self.check("deploy/values.yaml")
        self.assertEqual((status, err), (0, ""))
        self.assertTrue(out.endswith("check: 0 errors, 0 warnings, 1 note\n"), out)
        self.rendered("kubernetes", folder="all/kubernetes")
        self.rendered("istio", folder="all/istio")
        status, out, _ = self.check("all", "--values", "deploy/values.yaml")
        self.assertEqual(status, 0, out)
        self.assertIn("all/istio/traffic-extension.yaml:", out)

    def test_what_somebody_wrote_by_hand_is_found_out(self):
        """A plugin without rules: each host on its port would get the token. For people and as JSON."""
        self.rendered("istio")
        plugin = os.path.join(self.directory, "istio", "traffic-extension.yaml")
        text = read(plugin)
        with open(plugin, "w") as file:
            file.write(text[:text.index("      rules:")])
        os.remove(os.path.join(self.directory, "istio", "sidecar.yaml"))
        status, out, _ = self.check("istio")
        self.assertEqual(status, 1)
        self.assertRegex(out, r"(?m)^istio/traffic-extension\.yaml:\d+:\d+: error: .*every host.*port 8081.*\[token-reach\]$")
        status, out, _ = self.check("istio", "--json")
        found = json.loads(out)
        self.assertEqual((status, found["errors"]), (1, 1))
        self.assertEqual(found["findings"][0]["rule"], "token-reach")
        self.assertEqual(set(found["findings"][0]), {"severity", "rule", "file", "line", "column", "what", "why", "do"})

    def test_a_token_for_a_host_that_the_values_do_not_name(self):
        self.rendered("istio")
        self.write("deploy/other.yaml", read(EXAMPLES, "values.yaml").replace("payments.shop", "ledger.shop"))
        status, out, _ = self.check("istio", "--values", "deploy/other.yaml")
        self.assertEqual(status, 1)
        self.assertIn("payments.shop.svc.cluster.local`, which is no destination of the values file", out)

    def test_what_another_envoy_does_otherwise(self):
        status, out, _ = self.check("deploy/values.yaml", "--from", "1.36.4", "--to", "1.40")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"in Envoy 1\.40: .*\[version\]\n    why: in Envoy 1\.36: .*it changed with 1\.39 \(seen ")

    def test_an_image_that_has_no_module(self):
        self.assertEqual(self.inlay("package", "build/header_augmenting.wasm", "-o", "image")[0], 0)
        status, out, _ = self.check("image")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"image: note: the image sha256:[0-9a-f]{64} has a module of \d+ bytes .*\[image\]")
        blobs = os.path.join(self.directory, "image", "blobs", "sha256")
        largest = max(os.listdir(blobs), key=lambda name: os.path.getsize(os.path.join(blobs, name)))
        os.remove(os.path.join(blobs, largest))
        status, out, _ = self.check("image")
        self.assertEqual(status, 1)
        self.assertRegex(out, r"image: error: .*\[image\]")

    def test_an_image_in_a_registry(self):
        """It is brought by skopeo; tests/mesh has what pilot-agent does with images of all kinds."""
        image = push_filter(self, "artifact")
        status, out, err = self.check(image)
        self.assertEqual((status, err), (0, ""), out)
        self.assertRegex(out, rf"(?m)^{re.escape(image)}: note: the image sha256:[0-9a-f]{{64}} has a module of \d+ bytes \[image\]$")
        status, out, _ = self.check(image[:image.index("@")])
        self.assertEqual(status, 0)
        self.assertIn("warning: what the tag names can become another module [module-source]", out)
        status, out, err = self.check(image[:-8] + "00000000")
        self.assertEqual((status, out), (2, ""))
        self.assertRegex(err, r"^inlay: oci://127\.0\.0\.1:\d+/filter@sha256:\w+: cannot be pulled; skopeo says: ")

    def test_without_skopeo_it_says_what_is_missing(self):
        with mock.patch.dict(os.environ, PATH=self.directory):
            status, out, err = self.check("oci://127.0.0.1:1/filter:latest")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("skopeo, which brings images from registries, is not installed here", err)

    def test_a_certificate_is_not_asked_of_this_machine_alone(self):
        """A name that begins like a loopback's address may be anybody's. This skopeo says how it was called."""
        folder = os.path.join(self.directory, "bin")
        os.makedirs(folder)
        with open(os.path.join(folder, "skopeo"), "w") as file:
            file.write('#!/bin/sh\necho "$@"\nexit 1\n')
        os.chmod(os.path.join(folder, "skopeo"), 0o755)
        with mock.patch.dict(os.environ, {"PATH": folder + ":" + os.environ["PATH"]}):
            for host, at_home in (("127.0.0.1:5000", True), ("127.1.2.3", True), ("localhost:5000", True), ("localhost", True),
                                  ("127.0.0.1.example:5000", False), ("127.example", False), ("localhost.example", False)):
                with self.subTest(host):
                    _, _, err = self.check(f"oci://{host}/filter:1")
                    self.assertIn(f"docker://{host}/filter:1", err)
                    self.assertEqual("--src-tls-verify=false" in err, at_home)

    def test_what_cannot_be_checked_ends_with_2_and_says_why(self):
        self.write("deploy/broken.yaml", "name: [\n")
        os.makedirs(os.path.join(self.directory, "empty"))
        os.makedirs(os.path.join(self.directory, "wrong"))
        self.write("wrong/a.yaml", "kind: Pod\n---\na: [\n")
        for arguments, why in ((["deploy/values.yaml", "--from", "1.36"], "--from and --to go together"),
                               (["deploy/values.yaml", "--from", "1.36", "--to", "new"], "versions of Envoy such as 1.36"),
                               (["deploy/values.yaml", "--values", "deploy/values.yaml"], "--values goes with a folder"),
                               (["deploy/broken.yaml"], "broken.yaml:"), (["empty"], "has no *.yaml"), (["wrong"], "wrong/a.yaml:")):
            status, out, err = self.check(*arguments)
            self.assertEqual((status, out), (2, ""), arguments)
            self.assertIn(why, err)


if __name__ == "__main__":
    unittest.main()
