# SPDX-License-Identifier: Apache-2.0
"""Inlay as a dynamic module of Envoy: libinlay.so, and filters that run in it."""

import copy
import hashlib
import os
import subprocess
import unittest

from . import config
from .processes import BUILD, INLAY

LIBRARY = os.path.join(BUILD, "libinlay.so")


def needs_library():
    """Skips a class, aloud, in a build that has none."""
    return unittest.skipUnless(os.path.exists(LIBRARY), "this build has no libinlay.so (cmake/DynamicModule.cmake says why)")


def compiled(directory, module):
    """The artifact of a module, made once in a directory."""
    artifact = os.path.join(directory, os.path.basename(module) + ".aot")
    if not os.path.exists(artifact):
        subprocess.run([INLAY, "compile", module, "-o", artifact], check=True, capture_output=True)
    return artifact


def struct(fields):
    return {"@type": config.TYPE + "google.protobuf.Struct", "value": fields}


def dynamic_module(library, filter_config, name="plugin"):
    """An envoy.filters.http.dynamic_modules filter; filter_config: what stands in its Struct, or a text for a StringValue."""
    value = config.string_value(filter_config) if isinstance(filter_config, str) else struct(filter_config)
    return {"name": name, "typed_config": {
        "@type": config.TYPE + "envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter",
        "dynamic_module_config": {"module": {"local": {"filename": library}}},
        "filter_name": name, "filter_config": value}}


def loads(directory, module, name="plugin", **fields):
    """The same of libinlay.so, which loads that module and its artifact; fields of filter_config."""
    return dynamic_module(LIBRARY, {"module": module, "artifact": compiled(directory, module), **fields}, name)


def linked(directory, *modules, name="libfilters.so"):
    """A library that has modules in it; each a path, or NAME=PATH."""
    path = os.path.join(directory, name)
    subprocess.run([INLAY, "compile", "--dynamic-module", *modules, "-o", path], check=True, capture_output=True)
    return path


WASM = config.TYPE + "envoy.extensions.filters.http.wasm.v3.Wasm"


def _cached(module):
    """The artifact of a module, made once in a build."""
    with open(module, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    folder = os.path.join(BUILD, "test-cache", "modules")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    artifact = os.path.join(folder, digest + ".aot")
    if not os.path.exists(artifact):
        subprocess.run([INLAY, "compile", module, "-o", artifact], check=True, capture_output=True)
    return artifact


def _in_place_of_wasm(plugin):
    """The same plugin as a filter of libinlay.so's; its metrics have the names that they have with the Wasm filter."""
    machine = plugin["vm_config"]
    module = machine["code"]["local"]["filename"]
    fields = {"module": module, "artifact": _cached(module), "vm_id": machine.get("vm_id", "")}
    for name in ("name", "root_id", "failure_policy", "capability_restriction_config", "allow_on_headers_stop_iteration"):
        if name in plugin:
            fields[name] = plugin[name]
    if "configuration" in plugin:
        fields["configuration"] = plugin["configuration"]["value"]
    if "configuration" in machine:
        fields["vm_configuration"] = machine["configuration"]["value"]
    if "environment_variables" in machine:
        fields["environment"] = machine["environment_variables"]
    made = dynamic_module(LIBRARY, fields, plugin.get("name") or "plugin")
    made["typed_config"]["dynamic_module_config"]["metrics_namespace"] = "wasmcustom"
    return made


def without_v8(bootstrap):
    """A bootstrap in whose chains of HTTP filters libinlay.so is in the place of Envoy's Wasm filter."""
    changed = copy.deepcopy(bootstrap)

    def walk(node):
        for filters in [node[key] for key in ("http_filters",) if key in node]:
            filters[:] = [_in_place_of_wasm(one["typed_config"]["config"])
                          if one.get("typed_config", {}).get("@type") == WASM else one for one in filters]
        for child in node.values():
            for one in child if isinstance(child, list) else [child]:
                if isinstance(one, dict):
                    walk(one)
    walk(changed)
    return changed
