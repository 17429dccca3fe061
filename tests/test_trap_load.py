# SPDX-License-Identifier: Apache-2.0
"""Four workers whose VMs share data, queues and metrics, trap and are loaded again, all at once and under load.

What must hold: every request gets an answer, the program goes on, and (in the build with the thread sanitizer) no thread
reads what another writes. The sanitizer's reports are looked for by TestCase.
"""

import os
import subprocess
import threading
import time

from support.both import inlay_only
from support.config import bootstrap, cluster, wasm
from support.processes import PATIENCE, TestCase, free_port
from support.wire import request

SECONDS = float(os.environ.get("INLAY_TRAP_LOAD_SECONDS", "2"))
CLIENTS = 8

# Each request changes an entry of the shared data, a queue and two metrics. One to /trap then executes unreachable, one to
# /out reads out of bounds, one to /deep recurses without end; the second byte of the path says which.
GUEST = """(module
  (import "env" "proxy_set_shared_data" (func $set (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_shared_data" (func $get (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_register_shared_queue" (func $register (param i32 i32 i32) (result i32)))
  (import "env" "proxy_enqueue_shared_queue" (func $enqueue (param i32 i32 i32) (result i32)))
  (import "env" "proxy_dequeue_shared_queue" (func $dequeue (param i32 i32 i32) (result i32)))
  (import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))
  (import "env" "proxy_record_metric" (func $record (param i32 i64) (result i32)))
  (import "env" "proxy_get_header_map_value" (func $header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))
  (memory (export "memory") 4)
  (global $heap (mut i32) (i32.const 8192))
  (data (i32.const 16) "key") (data (i32.const 32) "queue") (data (i32.const 48) ":path")
  (data (i32.const 64) "requests_of_it") (data (i32.const 96) "last_value")
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32)
    (global.get $heap)
    (global.set $heap (i32.add (global.get $heap) (i32.and (i32.add (local.get 0) (i32.const 15)) (i32.const -16))))
    (if (i32.gt_u (global.get $heap) (i32.const 200000)) (then (global.set $heap (i32.const 8192)))))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $register (i32.const 32) (i32.const 5) (i32.const 128)))
    (drop (call $define (i32.const 0) (i32.const 64) (i32.const 14) (i32.const 132)))
    (drop (call $define (i32.const 1) (i32.const 96) (i32.const 10) (i32.const 136)))
    (drop (call $tick (i32.const 5)))
    (i32.const 1))
  (func $deep (param i32) (result i32) (i32.add (call $deep (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
  (func $work
    (drop (call $get (i32.const 16) (i32.const 3) (i32.const 140) (i32.const 144) (i32.const 148)))
    (drop (call $set (i32.const 16) (i32.const 3) (i32.const 1024) (i32.const 100) (i32.load (i32.const 148))))
    (drop (call $enqueue (i32.load (i32.const 128)) (i32.const 1024) (i32.const 20)))
    (drop (call $dequeue (i32.load (i32.const 128)) (i32.const 152) (i32.const 156)))
    (drop (call $increment (i32.load (i32.const 132)) (i64.const 1)))
    (drop (call $record (i32.load (i32.const 136)) (i64.extend_i32_u (i32.load (i32.const 148))))))
  (func (export "proxy_on_tick") (param i32) (call $work))
  (func (export "proxy_on_queue_ready") (param i32 i32) (call $work))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (local i32)
    (call $work)
    (drop (call $header (i32.const 0) (i32.const 48) (i32.const 5) (i32.const 160) (i32.const 164)))
    (local.set 3 (i32.load8_u offset=1 (i32.load (i32.const 160))))
    (if (i32.eq (local.get 3) (i32.const 116)) (then unreachable))
    (if (i32.eq (local.get 3) (i32.const 111)) (then (drop (i32.load (i32.const -16)))))
    (if (i32.eq (local.get 3) (i32.const 100)) (then (drop (call $deep (i32.const 0)))))
    (i32.const 0)))
"""


@inlay_only("in Envoy a request may stay without an answer when the VM of its worker fails")
class TrapLoadTest(TestCase):
    def test_workers_trap_and_reload_while_others_work(self):
        module = os.path.join(self.directory, "guest.wasm")
        with open(module + ".wat", "w") as file:
            file.write(GUEST)
        subprocess.run(["wat2wasm", module + ".wat", "-o", module], check=True)
        guest = wasm(module, policy="FAIL_RELOAD", name="guest", vm_id="shared",
                     reload_config={"backoff": {"base_interval": "0.01s"}})
        routes = [{"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}]
        proxy = self.start_proxy(bootstrap([cluster("origin", free_port())], [guest], routes), concurrency=4)
        wanted = ["/", "/", "/", "/", "/trap", "/", "/", "/out", "/", "/deep"]
        counts = {}
        lock = threading.Lock()
        begin = time.monotonic()

        def enough():
            with lock:
                seen = {path for path, _ in counts}
                return ("/", 200) in counts and seen == set(wanted)

        def client(number):
            i = number
            while time.monotonic() < begin + SECONDS or not enough() and time.monotonic() < begin + PATIENCE:
                path = wanted[i % len(wanted)]
                i += 1
                status = request(proxy.port, path).status
                with lock:
                    counts[path, status] = counts.get((path, status), 0) + 1

        threads = [threading.Thread(target=client, args=(i,)) for i in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertGreater(counts.get(("/", 200), 0), 0, counts)
        for path in ("/trap", "/out", "/deep"):
            self.assertGreater(sum(n for (p, _), n in counts.items() if p == path), 0, counts)
            self.assertNotIn((path, 200), counts)
        self.assertEqual({status for _, status in counts} - {200, 500, 503}, set(), counts)
        # It is as if nothing had been: every worker has a VM again, and the metrics count.
        proxy.wait_for(lambda: all(request(proxy.port).status == 200 for _ in range(16)), "every worker to be well again")
        self.assertGreater(proxy.stats().get("wasmcustom.requests_of_it", 0), 0)
        self.assertEqual(proxy.end(), 0)
