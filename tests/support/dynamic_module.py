# SPDX-License-Identifier: Apache-2.0
"""Inlay as a dynamic module of Envoy: libinlay.so, and filters that run in it."""

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
