#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a Python wheel of an installed tree: `pip install` puts it below the environment's prefix as it is, bin/inlay included.

    wheel.py TREE FOLDER PROCESSOR    prints the path of the wheel; VERSION and SOURCE_DATE_EPOCH are in the environment

Its tag names the oldest C library that has every symbol that the program needs (PEP 600).
"""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile

MODULE = '''# SPDX-License-Identifier: Apache-2.0
"""Where the program `inlay` is, and `python -m inlay`."""
import os
import sysconfig


def find():
    """The path of the program that was installed with this module."""
    return os.path.join(sysconfig.get_path("scripts"), "inlay")
'''
MAIN = '''# SPDX-License-Identifier: Apache-2.0
import os
import sys

from inlay import find

os.execv(find(), ["inlay", *sys.argv[1:]])
'''


def needed_glibc(program, processor):
    """The newest version of glibc's symbols that the program refers to: (2, 34)."""
    objdump = shutil.which(f"{processor}-linux-gnu-objdump") or "objdump"
    symbols = subprocess.run([objdump, "-T", program], capture_output=True, text=True, check=True).stdout
    return max(tuple(int(part) for part in found.split(".")) for found in re.findall(r"GLIBC_(\d+\.\d+)", symbols))


def metadata(version, readme):
    return ("Metadata-Version: 2.1\nName: inlay\n" f"Version: {version}\n"
            "Summary: Run, test and package proxy-wasm filters: the host, its command line and the C++ SDK\n"
            "License: Apache-2.0\nRequires-Python: >=3.8\nDescription-Content-Type: text/markdown\n\n" + readme)


def contents(tree, version, tag):
    """(path in the wheel, bytes, mode) of each file but RECORD."""
    info = f"inlay-{version}.dist-info"
    data = f"inlay-{version}.data"
    yield "inlay/__init__.py", MODULE.encode(), 0o644
    yield "inlay/__main__.py", MAIN.encode(), 0o644
    for folder, folders, names in os.walk(tree):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            inside = os.path.relpath(path, tree)
            place = f"{data}/scripts/{name}" if inside.startswith("bin/") else f"{data}/data/{inside}"
            with open(path, "rb") as file:
                yield place, file.read(), 0o755 if os.access(path, os.X_OK) else 0o644
    with open(os.path.join(tree, "share/doc/inlay/LICENSE"), "rb") as file:
        yield f"{info}/LICENSE", file.read(), 0o644
    with open(os.path.join(tree, "share/doc/inlay/README.md")) as file:
        yield f"{info}/METADATA", metadata(version, file.read()).encode(), 0o644
    yield f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: inlay {version}\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(), 0o644


def main():
    tree, folder, processor = sys.argv[1:]
    version = os.environ["VERSION"]
    date = time.gmtime(max(int(os.environ["SOURCE_DATE_EPOCH"]), 315532800))[:6]  # a zip file knows no time before 1980
    major, minor = needed_glibc(os.path.join(tree, "bin", "inlay"), processor)
    tag = f"py3-none-manylinux_{major}_{minor}_{processor}"
    path = os.path.join(folder, f"inlay-{version}-{tag}.whl")
    record = ""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        def add(name, content, mode):
            entry = zipfile.ZipInfo(name, date)
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, content)
        for name, content, mode in contents(tree, version, tag):
            add(name, content, mode)
            checksum = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={checksum},{len(content)}\n"
        name = f"inlay-{version}.dist-info/RECORD"
        add(name, (record + f"{name},,\n").encode(), 0o644)
    print(path)


if __name__ == "__main__":
    main()
