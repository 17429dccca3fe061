# SPDX-License-Identifier: Apache-2.0
"""What scripts/bench_chain puts eight of into a chain: guests that make some host calls and nothing else, in WebAssembly text, and
what is measured of them."""

import statistics
import subprocess

# Of a request's stream, as a guest may export them: parameters, and whether there is a result.
CALLBACKS = {"context_create": (2, False), "request_headers": (3, True), "response_headers": (3, True), "done": (1, True),
             "log": (1, False), "delete": (1, False)}


def guest(callbacks, headers=(), removed=(), read=(), read_all=False):
    """A module that exports `callbacks`, all idle but request_headers: it reads and removes fields, and sets `headers`. The host
    allocates for what is read; read_all: all fields at once."""
    texts, calls = b"", []

    def place(text):
        nonlocal texts
        at = len(texts)
        texts += text.encode()
        return f"(i32.const {1024 + at}) (i32.const {len(text)})"

    if read_all:
        calls.append("(drop (call $pairs (i32.const 0) (i32.const 8) (i32.const 12)))")
    for name in read:
        calls.append(f"(drop (call $get (i32.const 0) {place(name)} (i32.const 8) (i32.const 12)))")
    for name in removed:
        calls.append(f"(drop (call $remove (i32.const 0) {place(name)}))")
    for name, value in headers:
        calls.append(f"(drop (call $replace (i32.const 0) {place(name)} {place(value)}))")
    made = []
    for name in callbacks:
        count, answers = CALLBACKS[name]
        body = " ".join(calls) if name == "request_headers" else ""
        made.append(f'(func (export "proxy_on_{name}") (param {"i32 " * count}) {"(result i32)" if answers else ""} {body}'
                    f' {"(i32.const %d)" % (name == "done") if answers else ""})')
    data = "".join(f"\\{byte:02x}" for byte in texts)
    new_line = "\n  "
    return f"""(module
  (import "env" "proxy_replace_header_map_value" (func $replace (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_remove_header_map_value" (func $remove (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_header_map_value" (func $get (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_header_map_pairs" (func $pairs (param i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 1024) "{data}")
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 65536))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 1))
  {new_line.join(made)})
"""


def assemble(text, path):
    """Writes the module of that text to `path`, which ends in .wasm, and returns it."""
    with open(path + ".wat", "w") as file:
        file.write(text)
    subprocess.run(["wat2wasm", path + ".wat", "-o", path], check=True)
    return path


def median(values):
    """(median, its interval's ends): the interval has the median of all that could be measured in 95 of 100 cases or more, by the
    binomial distribution, whatever theirs is. Of less than six values it is all of them, and has it in fewer cases."""
    ordered = sorted(values)
    count = len(ordered)
    outside, below, ways = 0, 0.0, 1.0
    for rank in range(count):
        below += ways / 2 ** count
        if below > 0.025:
            break
        outside = rank
        ways = ways * (count - rank) / (rank + 1)
    return statistics.median(ordered), ordered[outside], ordered[count - 1 - outside]
