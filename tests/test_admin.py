# SPDX-License-Identifier: Apache-2.0
"""The admin interface."""

import json
import socket
import unittest

from support import config
from support.both import in_envoy_too, inlay_only
from support.guests import assemble, guest, import_proxy
from support.origins import Echo
from support.processes import TestCase, filter_module
from support.wire import request


@in_envoy_too
class Admin(TestCase):
    def setUp(self):
        super().setUp()
        self.echo = self.start(Echo(self.directory))
        self.proxy = self.start_proxy(config.bootstrap([config.cluster("origin", self.echo.port)]))

    def test_ready(self):
        self.assertEqual(self.proxy.admin("/ready"), (200, "LIVE\n"))

    def test_stats_count_requests(self):
        for _ in range(3):
            request(self.proxy.port)
        stats = self.proxy.stats()
        self.assertEqual(stats["http.ingress.downstream_rq_total"], 3)
        self.assertEqual(stats["http.ingress.downstream_rq_2xx"], 3)
        self.assertEqual(stats["cluster.origin.upstream_rq_total"], 3)
        self.assertEqual(stats["server.live"], 1)

    def test_stats_filter_and_json(self):
        request(self.proxy.port)
        text = self.proxy.admin("/stats?filter=ingress.downstream_rq_total")[1]
        self.assertEqual(text.strip(), "http.ingress.downstream_rq_total: 1")
        stats = json.loads(self.proxy.admin("/stats?format=json")[1])["stats"]
        self.assertIn("http.ingress.downstream_rq_total", [stat.get("name") for stat in stats])

    def test_prometheus(self):
        request(self.proxy.port)
        status, text = self.proxy.admin("/stats/prometheus")
        self.assertEqual(status, 200)
        lines = text.splitlines()
        self.assertTrue("# TYPE envoy_server_live gauge" in lines)
        requests = [line for line in lines if "downstream_rq_total" in line]
        self.assertIn('envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="ingress"} 1', requests)
        requests = [line for line in lines if "upstream_rq_total" in line]
        self.assertIn('envoy_cluster_upstream_rq_total{envoy_cluster_name="origin"} 1', requests)
        types = [line for line in lines if line.startswith("# TYPE")]
        self.assertEqual(len(types), len(set(types)), "a family is declared once")
        for line in lines:
            self.assertRegex(line, r"^(# (TYPE|HELP) .*|[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? ([-+0-9.eE]+|NaN|[+-]Inf)|)$")

    def test_clusters(self):
        status, text = self.proxy.admin("/clusters")
        self.assertEqual(status, 200)
        self.assertIn(f"origin::127.0.0.1:{self.echo.port}::", text)

    def test_allow_paths(self):
        made = config.bootstrap([config.cluster("origin", self.echo.port)])
        made["admin"]["allow_paths"] = [{"exact": "/ready"}, {"prefix": "/stats"}]
        if self.since("1.37", False, True, why="there is no such field"):
            self.assertEqual(self.launch_proxy(made).wait(), 1)
            return
        proxy = self.start_proxy(made)
        self.assertEqual(proxy.admin("/ready"), (200, "LIVE\n"))
        self.assertEqual(proxy.admin("/stats?usedonly")[0], 200)
        self.assertEqual(proxy.admin("/config_dump"), (403, "request to path /config_dump not allowed"))
        self.assertEqual(proxy.admin("/quitquitquit", "POST")[0], 403)

    def test_server_info(self):
        info = json.loads(self.proxy.admin("/server_info")[1])
        self.assertEqual(info["state"], "LIVE")

    def test_config_dump_is_json_with_the_listener(self):
        dump = json.loads(self.proxy.admin("/config_dump")[1])
        self.assertIn("ingress", json.dumps(dump))

    @inlay_only("Envoy shows its whole bootstrap")
    def test_config_dump_shows_no_secret(self):
        """Envoy 1.40 shows all of these as they are written."""
        keys = {"sources": [{"name": "tokens", "cluster": "origin", "path": "/token?sig=hunter2", "timeout": "7s",
                             "body": "client_secret=hunter2", "request_headers": {"x-auth": "hunter2"},
                             "headers": {"x-key": "hunter2"}, "format": "template"},
                            {"name": "oauth", "cluster": "origin", "path": "/oauth", "format": "oauth2",
                             "oauth2": {"client_id": "hunter2", "client_secret": "${env:CLIENT_SECRET}",
                                        "endpoint_params": {"assertion": "hunter2"}}}],
                "rules": [{"match": {"headers": [{"name": "x-client", "exact": "hunter2"}]}, "use": ["tokens"]}]}
        known = config.wasm(filter_module(), keys, name="by_its_module",
                            vm={"environment_variables": {"key_values": {"CLIENT_SECRET": "hunter2"}},
                                "configuration": config.string_value("hunter2")})
        module = assemble(self.directory, "other", guest(""))
        other = config.wasm(module, {"cluster": "hunter2"}, name="other")
        made = config.bootstrap([config.cluster("origin", self.echo.port)], [known, other], routes=[{
            **config.route(match={"prefix": "/", "headers": [{"name": "x-key", "string_match": {"exact": "hunter2"}}]}),
            "request_headers_to_add": [{"header": {"key": "x-plain", "value": "hunter2"}}]}])
        made["node"] = {"id": "me", "metadata": {"kind": "hunter2"}}
        proxy = self.start_proxy(made)
        text = proxy.admin("/config_dump")[1]
        self.assertNotIn("hunter2", text)
        manager = json.loads(text)["configs"][0]["bootstrap"]["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
        filters = manager["typed_config"]["http_filters"]
        shown = json.loads(filters[0]["typed_config"]["config"]["configuration"]["value"])
        self.assertEqual(shown["sources"][0], {
            "name": "tokens", "cluster": "origin", "path": "/token?[redacted]", "timeout": "7s", "body": "[redacted]",
            "request_headers": "[redacted]", "headers": "[redacted]", "format": "template"})
        self.assertEqual(shown["sources"][1]["oauth2"], {
            "client_id": "[redacted]", "client_secret": "${env:CLIENT_SECRET}", "endpoint_params": "[redacted]"})
        self.assertEqual(filters[1]["typed_config"]["config"]["configuration"]["value"], "[redacted: 22 bytes]")

    @inlay_only("Envoy writes what a guest says as it is")
    def test_a_guest_forges_no_line(self):
        """Neither of /stats nor of the log. Envoy 1.40 writes both as the guest made them, but for the JSON."""
        log = r"said\0a[2026-01-01 00:00:00.000][1][info][main] forged\0d\1b[2K\ff"
        names = r"x\0aserver.live: 77", r"quote\22 \ff"
        text = "".join(f'(data (i32.const {at}) "{text}")' for at, text in ((1024, log), (2048, names[0]), (3072, names[1])))
        module = assemble(self.directory, "forger", guest(f"""{text}
          (func (export "proxy_on_configure") (param i32 i32) (result i32)
            (call $say (i32.const 1024) (i32.const 58))
            (drop (call $define_metric (i32.const 0) (i32.const 2048) (i32.const 17) (i32.const 16)))
            (drop (call $define_metric (i32.const 1) (i32.const 3072) (i32.const 8) (i32.const 16)))
            (i32.const 1))""", import_proxy("define_metric", 4)))
        proxy = self.start_proxy(config.bootstrap([config.cluster("origin", self.echo.port)], [config.wasm(module)]))
        self.assertEqual(proxy.stats()["server.live"], 1)
        text = proxy.admin("/stats?filter=wasmcustom")[1]
        self.assertEqual(text, 'wasmcustom.quote" \\xff: 0\nwasmcustom.x\\nserver.live: 77: 0\n')
        stats = json.loads(proxy.admin("/stats?format=json&filter=wasmcustom")[1])["stats"]
        self.assertEqual([stat["name"] for stat in stats], ['wasmcustom.quote" \xff', "wasmcustom.x\nserver.live: 77"])
        self.assertIn("\nquote___{} 0\n", proxy.admin("/stats/prometheus")[1])
        lines = [line for line in proxy.log().splitlines() if "forged" in line]
        self.assertTrue(lines)
        for line in lines:
            self.assertRegex(line, r"^\[[^]]*\]\[\d+\]\[info\]\[wasm\] .*said\\n\[2026.*forged\\r\\x1b\[2K\\xff$")

    def test_what_is_not_there(self):
        self.assertEqual(self.proxy.admin("/nonsense")[0], 404)

    @inlay_only("Envoy takes a POST from any page")
    def test_a_page_of_another_site_changes_nothing(self):
        """Envoy 1.40 lets it."""
        def post(**headers):
            return request(self.proxy.admin_port, "/quitquitquit", method="POST",
                           headers=[(name.replace("_", "-"), value) for name, value in headers.items()])
        self.assertEqual(post(origin="http://evil.example").status, 403)
        self.assertEqual(post(sec_fetch_site="cross-site").status, 403)
        self.assertEqual(self.proxy.admin("/ready"), (200, "LIVE\n"))

    def test_idle_clients_keep_nobody_out(self):
        idle = [socket.create_connection(("127.0.0.1", self.proxy.admin_port)) for _ in range(300)]
        try:
            self.assertEqual(self.proxy.admin("/ready"), (200, "LIVE\n"))
        finally:
            for one in idle:
                one.close()

    def test_quitquitquit_by_post_only(self):
        self.assertEqual(self.proxy.admin("/quitquitquit"), (405, "Method GET not allowed, POST required."))
        self.assertTrue(self.proxy.running())
        self.assertEqual(self.proxy.admin("/quitquitquit", "POST"), (200, "OK\n"))
        self.assertEqual(self.proxy.wait(), 0)


if __name__ == "__main__":
    unittest.main()
