# SPDX-License-Identifier: Apache-2.0
"""examples/monitoring: what alerts and dashboard go by is there, as a running proxy prints it and prometheus.yml labels it."""

import json
import os
import re
import shutil
import subprocess
import unittest

from support import config, promql
from support.both import in_envoy_too, inlay_only
from support.origins import Echo, Provider
from support.processes import ROOT, TestCase, filter_module, wait_until
from support.wire import request

HOME = os.path.join(ROOT, "examples", "monitoring")


def read(name):
    with open(os.path.join(HOME, name)) as file:
        return file.read()


def alerts():
    """The expression of each alert by its name."""
    return dict(re.findall(r"- alert: (\w+)\n    expr: (.*)\n", read("alerts.yaml")))


def panels():
    """(title, expression) of each question that the dashboard asks."""
    return [(panel["title"], target["expr"]) for panel in json.loads(read("grafana.json"))["panels"] for target in panel["targets"]]


def questions():
    """(metric) of each variable of the dashboard that asks Prometheus."""
    dashboard = json.loads(read("grafana.json"))
    return {metric for variable in dashboard["templating"]["list"] if variable["type"] == "query"
            for metric in re.findall(r"label_values\((\w+)", variable["definition"])}


def relabeled(name):
    """(name, labels) that Prometheus makes of a metric, by the rules of prometheus.yml."""
    labels = {"__name__": name}
    for regex, target, replacement in re.findall(
            r"- source_labels: \[__name__\]\n    regex: (.*)\n    target_label: (.*)\n    replacement: (.*)\n", read("prometheus.yml")):
        if match := re.fullmatch(regex, labels["__name__"]):
            labels[target] = re.sub(r"\$(\d)", lambda number, found=match: found[int(number[1])], replacement)
    return labels.pop("__name__"), labels


def wanted():
    named = set().union(*(promql.metrics(expression) for expression in alerts().values()), *(promql.metrics(text) for _, text in panels()))
    return named | questions()


@in_envoy_too
class Exported(TestCase):
    def test_each_metric_is_there(self):
        echo, provider = self.start(Echo(self.directory)), self.start(Provider(self.directory))
        sources = [{"name": "good-one", "cluster": "provider"}, {"name": "bad", "cluster": "no_such_cluster"},
                   {"name": "obo", "cluster": "provider", "path": "/t", "format": "oauth2",
                    "oauth2": {"grant_type": "token_exchange", "client_id": "gw"}}]
        augmenter = config.wasm(filter_module(), {"sources": sources, "rules": [{"use": ["good-one"]}]}, name="header_augmenting", vm_id="monitored")
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", echo.port), config.cluster("provider", provider.port)], [augmenter]))
        wait_until(lambda: request(proxy.port).status == 200, "headers")

        def exported():
            found = {}
            for name in re.findall(r"^(header_augmenting_\w+)(?:\{.*\})? \d+$", proxy.admin("/stats/prometheus")[1], re.M):
                made, labels = relabeled(name)
                found.setdefault(made, []).append(labels)
            return found

        self.assertEqual(wanted() - set(exported()), set())
        names = exported()
        self.assertEqual({labels["source"] for labels in names["header_augmenting_fetch_ok"]}, {"good_one", "bad", "obo"})
        self.assertEqual(names["header_augmenting_exchange_miss"], [{"source": "obo"}])
        self.assertIn({"source": "bad", "reason": "not_sent"}, names["header_augmenting_fetch_failed"])
        self.assertIn({"source": "good_one", "reason": "status"}, names["header_augmenting_fetch_failed"])
        self.assertEqual(names["header_augmenting_rejected"], [{}])

    def test_a_source_without_headers_shows(self):
        """What HeaderAugmentingNoHeaders goes by: the counter is there before it has counted."""
        echo = self.start(Echo(self.directory))
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", echo.port)], [config.augmenter("no_such_cluster")]))
        self.assertEqual(request(proxy.port).status, 503)
        self.assertRegex(proxy.admin("/stats/prometheus")[1], r"(?m)^header_augmenting_default_fetch_ok(\{\})? 0$")
        wait_until(lambda: re.search(r"(?m)^header_augmenting_rejected(\{\})? 1$", proxy.admin("/stats/prometheus")[1]), "the count")


@inlay_only("reads; nothing runs")
class Files(TestCase):
    def test_expressions_are_sound(self):
        self.assertEqual(len(alerts()), read("alerts.yaml").count("- alert:"))
        for name, expression in [*alerts().items(), *panels()]:
            with self.subTest(name):
                self.assertTrue(promql.metrics(expression.replace("$job", "j")))

    def test_what_is_unsound_is_seen(self):
        for expression in ("sum(a", "a)", "rat(a[5m])", "a > \"b", "a{b}", "a[5]", "a ? b"):
            with self.subTest(expression), self.assertRaises(ValueError):
                promql.metrics(expression)

    def test_each_alert_is_in_the_guide(self):
        with open(os.path.join(ROOT, "docs", "guide", "monitoring.md")) as file:
            self.assertEqual(set(re.findall(r"^\| `(HeaderAugmenting\w+)`", file.read(), re.M)), set(alerts()))

    def test_panels_have_ids_of_their_own(self):
        ids = [panel["id"] for panel in json.loads(read("grafana.json"))["panels"]]
        self.assertEqual(len(ids), len(set(ids)))

    def test_prometheus_takes_them(self):
        if not shutil.which("promtool"):
            raise unittest.SkipTest("promtool, which judges rules, is not installed: Debian has it in prometheus")
        for command in (["promtool", "check", "rules", "alerts.yaml"], ["promtool", "check", "config", "prometheus.yml"]):
            done = subprocess.run(command, cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stdout.decode())


if __name__ == "__main__":
    unittest.main()
