# SPDX-License-Identifier: Apache-2.0
"""Guests in WebAssembly text. A guest is guest(body): around it stand the ABI's marker, a memory, an allocator, and a
way to say something:

    (call $say (i32.const OFFSET) (i32.const LENGTH))      logs a text of the guest's data at level info
    (call $add_header (i32.const OFFSET) (i32.const LENGTH))    adds it as x-guest to the request
"""

import os
import subprocess


def assemble(directory, name, text):
    """The path of a module made from WebAssembly text."""
    source = os.path.join(directory, name + ".wat")
    with open(source, "w") as file:
        file.write(text)
    path = os.path.join(directory, name + ".wasm")
    subprocess.run(["wat2wasm", source, "-o", path], check=True)
    return path


def import_proxy(name, parameters):
    """(import "env" "proxy_NAME" (func $NAME (param i32 ...) (result i32)))"""
    return f'(import "env" "proxy_{name}" (func ${name} (param {"i32 " * parameters}) (result i32)))\n'


def guest(body, imports=""):
    return f"""(module
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))
  {imports}
  (memory (export "memory") 2)
  (data (i32.const 32) "x-guest")
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 65536))
  (func $say (param i32 i32) (drop (call $log (i32.const 2) (local.get 0) (local.get 1))))
  (func $add_header (param i32 i32)
    (drop (call $add (i32.const 0) (i32.const 32) (i32.const 7) (local.get 0) (local.get 1))))
  {body}
)
"""


def tells_properties(callbacks):
    """A guest that logs "PATH = VALUE" of properties: `callbacks` has a list of paths for each callback's name. What is not
    there is "PATH = -"."""
    imports = import_proxy("get_property", 4)
    texts = ""
    bodies = ""
    at = 2048
    for name, paths in callbacks.items():
        calls = ""
        for path in paths:
            texts += f'(data (i32.const {at}) "{path} = ")\n'
            texts += f'(data (i32.const {at + 256}) "{path.replace(".", chr(92) + "00")}")\n'
            calls += f"(call $tell (i32.const {at}) (i32.const {len(path)}))\n"
            at += 512
        parameters = {"new_connection": 1, "downstream_connection_close": 2, "upstream_connection_close": 2,
                      "log": 1}.get(name, 3)
        result = "" if name.endswith("close") or name == "log" else "(result i32)"
        value = "(i32.const 0)" if result else ""
        bodies += f"""
  (func (export "proxy_on_{name}") (param {"i32 " * parameters}) {result}
    {calls}
    {value})"""
    return guest(f"""
  {texts}
  (data (i32.const 1024) "-")
  (func $tell (param $text i32) (param $size i32) (local $end i32)
    ;; the text ends behind "PATH = "; the value is copied there
    (local.set $end (i32.add (local.get $text) (i32.add (local.get $size) (i32.const 3))))
    (i32.store (i32.const 16) (i32.const 1024))
    (i32.store (i32.const 20) (i32.const 1))
    (drop (call $get_property (i32.add (local.get $text) (i32.const 256)) (local.get $size) (i32.const 16) (i32.const 20)))
    (memory.copy (local.get $end) (i32.load (i32.const 16)) (i32.load (i32.const 20)))
    (call $say (local.get $text)
      (i32.add (i32.add (local.get $size) (i32.const 3)) (i32.load (i32.const 20)))))
  {bodies}""", imports)


def answers(text):
    """A filter that adds x-guest: TEXT to each request."""
    return guest(f"""
  (data (i32.const 1024) "{text}")
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (call $add_header (i32.const 1024) (i32.const {len(text)}))
    (i32.const 0))""")
