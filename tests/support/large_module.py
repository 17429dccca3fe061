# SPDX-License-Identifier: Apache-2.0
"""A large proxy-wasm module, as WebAssembly text: what a filter with a big runtime is like to a compiler."""

import random


def _function(index, number):
    body = []
    for _ in range(4):
        body.append(f"""
    (local.set 2 (i32.add (local.get 0) (i32.const {number(1000)})))
    (block (loop (br_if 1 (i32.eqz (local.get 2)))
      (local.set 3 (i32.load offset={number(4096)} (i32.and (local.get 2) (i32.const 1023))))
      (local.set 2 (i32.shr_u (local.get 2) (i32.const 3)))
      (i32.store offset={number(512)} (i32.const 8) (i32.xor (local.get 3) (local.get 1))) (br 0)))
    (if (i32.lt_s (local.get 3) (i32.const {number(1000)}))
      (then (local.set 4 (i64.mul (i64.const {number(1000)}) (i64.extend_i32_u (local.get 3)))))
      (else (global.set $g (local.get 3))))""")
    if index and index % 3 == 0:
        body.append(f"(local.set 1 (call $f{index // 2} (local.get 3) (i32.const 1)))")
    elif index:
        body.append(f"(local.set 1 (call_indirect (type $t) (local.get 0) (local.get 3) (i32.const {index // 2})))")
    return f"""  (func $f{index} (type $t) (local i32 i32 i64) {''.join(body)}
    (i32.add (i32.add (local.get 1) (global.get $g)) (i32.wrap_i64 (local.get 4))))
"""


def large_module(functions):
    """`functions` functions of some 330 bytes each when assembled, and 64 bytes of data for each. Every request's
    headers run some of them."""
    source = random.Random(1)
    number = lambda limit: source.randrange(limit)
    data = "".join(f"\\{source.randrange(256):02x}" for _ in range(64 * functions))
    pages = 1 + 64 * functions // 65536 + 1
    table = " ".join(f"$f{i}" for i in range(functions))
    return f"""(module
  (type $t (func (param i32 i32) (result i32)))
  (memory (export "memory") {pages + 16})
  (table {functions} funcref)
  (elem (i32.const 0) {table})
  (data (i32.const 65536) "{data}")
  (global $g (mut i32) (i32.const 0))
  (global $heap (mut i32) (i32.const {pages * 65536}))
  (global $count (mut i32) (i32.const 0))
{''.join(_function(i, number) for i in range(functions))}
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (local i32)
    (local.set 1 (global.get $heap)) (global.set $heap (i32.add (local.get 1) (local.get 0))) (local.get 1))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 37)))
    (drop (call_indirect (type $t) (global.get $count) (i32.const 7)
      (i32.rem_u (global.get $count) (i32.const {functions}))))
    (i32.const 0)))
"""
