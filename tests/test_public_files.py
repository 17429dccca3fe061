# SPDX-License-Identifier: Apache-2.0
"""Bootstrap files in the forms that the examples of public SDKs have them, and what their filters ask for."""

import os
import unittest

from support import guests
from support.both import inlay_only
from support.guests import import_proxy
from support.processes import Program, TestCase, INLAY, BUILD, free_port, wait_until
from support.wire import Wire

# Counts requests under a name with two tags in it, and adds the route's metadata under a name that Envoy has no longer.
# Its start takes a while, as that of a large module does.
GUEST = guests.guest(r"""
  (data (i32.const 1024) "header_counts_value=foo_reporter=guest")
  (data (i32.const 1070) "started")
  (data (i32.const 1100) "route_metadata\00filter_metadata\00envoy.filters.http.wasm\00auth")
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (local $i i32)
    (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 20000000))))
    (call $say (i32.const 1070) (i32.const 7))
    (call $define_metric (i32.const 0) (i32.const 1024) (i32.const 38) (i32.const 2048))
    (i32.eqz))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (drop (call $increment_metric (i32.load (i32.const 2048)) (i64.const 1)))
    (if (i32.eqz (call $get_property (i32.const 1100) (i32.const 59) (i32.const 2056) (i32.const 2060)))
      (then (call $say (i32.load (i32.const 2056)) (i32.load (i32.const 2060)))))
    (i32.const 0))""", import_proxy("define_metric", 4) + import_proxy("get_property", 4)
                     + '(import "env" "proxy_increment_metric" (func $increment_metric (param i32 i64) (result i32)))')

# One listener that is no list, types in lower case, a TypedStruct, a router without a type; the proxy's own admin
# interface is the cluster.
BOOTSTRAP = """
stats_config:
  stats_tags:
    - tag_name: value
      regex: '(_value=([a-zA-Z]+))'
    - tag_name: reporter
      regex: '(_reporter=([a-zA-Z]+))'
static_resources:
  listeners:
    name: main
    address:
      socket_address: {{address: 127.0.0.1, port_value: {port}}}
    filter_chains:
      - filters:
          - name: envoy.http_connection_manager
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
              stat_prefix: ingress_http
              codec_type: auto
              route_config:
                name: local_route
                virtual_hosts:
                  - name: local_service
                    domains:
                      - "*"
                    routes:
                      - match:
                          prefix: "/"
                        route:
                          cluster: admin
                        metadata:
                          filter_metadata:
                            envoy.filters.http.wasm:
                              auth: "cookie"
              http_filters:
                - name: envoy.filters.http.wasm
                  typed_config:
                    "@type": type.googleapis.com/udpa.type.v1.TypedStruct
                    type_url: type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
                    value:
                      config:
                        vm_config:
                          runtime: "envoy.wasm.runtime.v8"
                          code:
                            local:
                              filename: "{module}"
                - name: envoy.filters.http.router
  clusters:
    - name: admin
      connect_timeout: 5000s
      type: strict_dns
      lb_policy: round_robin
      load_assignment:
        cluster_name: admin
        endpoints:
          - lb_endpoints:
              - endpoint:
                  address:
                    socket_address: {{address: localhost, port_value: {admin}}}
admin:
  access_log_path: "/dev/null"
  address:
    socket_address: {{address: 127.0.0.1, port_value: {admin}}}
"""


@inlay_only("forms that Envoy has not taken since 1.22")
class PublicFiles(TestCase):
    def start(self, *flags):
        self.port, self.admin = free_port(), free_port()
        path = os.path.join(self.directory, "envoy.yaml")
        with open(path, "w") as file:
            file.write(BOOTSTRAP.format(port=self.port, admin=self.admin,
                                        module=guests.assemble(self.directory, "guest", GUEST)))
        command = [INLAY, "run", "-c", path, "--concurrency", "2", *flags]
        program = Program("inlay", command, self.directory, {"XDG_CACHE_HOME": os.path.join(BUILD, "test-cache")})
        self.programs.append(program)
        return program

    def first_answer(self, program):
        """The answer to a request that is sent as soon as the listener takes one."""
        def connect():
            self.assertTrue(program.running(), program.log())
            try:
                return Wire(self.port)
            except OSError:
                return None
        with wait_until(connect, "the listener", interval=0.002) as wire:
            wire.send(b"GET /stats/prometheus HTTP/1.1\r\nhost: a\r\n\r\n")
            return wire.response()

    def test_a_file_of_an_example_runs_as_it_is(self):
        program = self.start("--compat-legacy-properties")
        answer = self.first_answer(program)
        # The admin interface is there before the listener.
        self.assertEqual(answer.status, 200)
        self.assertIn(b'header_counts{value="foo",reporter="guest"} 1\n', answer.body)
        log = wait_until(lambda: program.log() if "cookie" in program.log() else None, "the route's metadata")
        # So are the guests of the main thread and of both workers; the canary makes four.
        self.assertEqual(log.partition("cookie")[0].count("started"), 4)
        self.assertIn("asked for the property route_metadata", log)
        self.assertIn("has no `typed_config`, which Envoy demands since 1.22", log)

    def test_legacy_properties_are_answered_when_asked_for(self):
        program = self.start()
        self.assertEqual(self.first_answer(program).status, 200)
        log = wait_until(lambda: program.log() if "route_metadata" in program.log() else None, "the hint")
        self.assertIn("--compat-legacy-properties answers it", log)
        self.assertNotIn("cookie", log)


if __name__ == "__main__":
    unittest.main()
