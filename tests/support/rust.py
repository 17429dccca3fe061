# SPDX-License-Identifier: Apache-2.0
"""A Rust that makes modules for wasm32-wasip1: an installed one, or that of scripts/rust/install."""

import os
import shutil
import subprocess

from support.processes import ROOT

NO_RUST_FOR_WASI = ("Rust's standard library for wasm32-wasip1 is not installed (Debian 13: cargo, libstd-rust-dev-wasm32, lld; "
                    "on Debian 12 scripts/rust/install makes it)")


def with_rust():
    """Puts the cargo and the rustc of scripts/rust into PATH, where there are some."""
    folder = os.path.join(ROOT, "scripts", "rust")
    if shutil.which("rustc") and folder not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = folder + os.pathsep + os.environ["PATH"]


def has_rust_for_wasi():
    if not shutil.which("rustc"):
        return False
    library = subprocess.run(["rustc", "--print", "target-libdir", "--target", "wasm32-wasip1"], capture_output=True, text=True, check=False)
    # Of Debian 13's, the folder is in its own root.
    folder = library.stdout.strip()
    return library.returncode == 0 and any(map(os.path.isdir, (folder, os.path.join(ROOT, "build", "rust") + folder)))
