#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What of Debian's is in a program that was built, and in the modules and the library that ship with it: the packages, by the files that compilers and
linker read and by what dpkg says of those. As an SPDX 2.3 document, or as the licences that go with the program.

    sbom.py BUILD licences FOLDER            a copyright file for each package whose code is in the program
    sbom.py BUILD document FILE ARTIFACT...  the document, which has the artifacts' digests

BUILD is a build folder: ninja knows the headers, and the linker has written inlay.linked, and inlay_dynamic_module.o.linked where there is
that object file.
"""

import datetime
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

# Debian's short names of licences that SPDX spells in another way.
SPDX_NAMES = {"Expat": "MIT", "BSD-2-clause": "BSD-2-Clause", "BSD-3-clause": "BSD-3-Clause", "zlib": "Zlib", "Zlib": "Zlib",
              "Apache-2.0": "Apache-2.0", "Apache-2": "Apache-2.0"}
PROGRAM = "inlay.linked"
LINKED = (PROGRAM, "inlay_dynamic_module.o.linked")
STATIC, DYNAMIC, CONTAINED = "STATIC_LINK", "DYNAMIC_LINK", "CONTAINS"


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def files_read(build):
    """{path: how}, of those outside of the tree."""
    headers = re.findall(r"^    (/.*)$", run("ninja", "-C", build, "-t", "deps"), re.M)
    linked = []
    for name in LINKED:
        if name != PROGRAM and not os.path.exists(os.path.join(build, name)):
            continue
        with open(os.path.join(build, name)) as file:
            rule = file.read().partition("\n\n")[0].replace("\\\n", " ")
        linked += [path for path in rule.split()[1:] if path.startswith("/")]
    found = {os.path.realpath(path): CONTAINED for path in headers}
    # The modules' compiler leaves files of its own. Where a header of their libraries is used, the library is linked.
    for name in glob.glob(os.path.join(build, "wasm", "header_augmenting*.dir", "**", "*.d"), recursive=True):
        with open(name) as file:
            for path in file.read().split():
                if path.startswith("/usr/"):
                    found[os.path.realpath(path)] = STATIC if "/wasm32-wasi/" in path else CONTAINED
    for path in linked:
        found[os.path.realpath(path)] = DYNAMIC if ".so" in os.path.basename(path) else STATIC
    here = os.path.realpath(build)
    return {path: how for path, how in found.items() if not path.startswith(here) and ("/usr/" in path or "/lib/" in path)}


def owners(paths):
    """{path: the package that it is of}"""
    found = {}
    spellings = {}
    for path in paths:
        # What lies in /usr/lib by a link, dpkg may know as /lib.
        for one in (path, path.removeprefix("/usr")):
            spellings[one] = path
    names = sorted(spellings)
    for begin in range(0, len(names), 500):
        for line in run("dpkg", "-S", *names[begin:begin + 500]).splitlines():
            package, _, name = line.partition(": ")
            if name in spellings and not package.startswith("diversion "):
                found[spellings[name]] = package.split(",")[0]
    return found


def packages_of(build):
    """{package: how it is in the program}; of several ways, the one that says most."""
    files = files_read(build)
    result = {}
    for path, package in owners(files).items():
        ways = {result.get(package, CONTAINED), files[path]}
        result[package] = next(way for way in (STATIC, DYNAMIC, CONTAINED) if way in ways)
    return dict(sorted(result.items()))


def declared_licence(package):
    """The SPDX name of what the package's copyright file says of all its files; NOASSERTION where that is more than a name."""
    path = f"/usr/share/doc/{package.split(':')[0]}/copyright"
    try:
        with open(path, errors="replace") as file:
            text = file.read()
    except OSError:
        return "NOASSERTION"
    found = re.search(r"^Files:\s*\*\s*\n(?:.*\n)*?License:\s*(\S+)", text, re.M)
    return SPDX_NAMES.get(found[1], "NOASSERTION") if found else "NOASSERTION"


def identifier(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def package_entry(package):
    line = run("dpkg-query", "-W", "-f", "${Package}\t${Version}\t${Architecture}\t${Homepage}\t${source:Package}\t${source:Version}", package)
    name, version, architecture, homepage, source, source_version = line.split("\t")
    return {"SPDXID": identifier(name), "name": name, "versionInfo": version, "supplier": "Organization: Debian",
            "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "homepage": homepage or "NOASSERTION",
            "sourceInfo": f"Debian's source package {source} {source_version}",
            "licenseConcluded": "NOASSERTION", "licenseDeclared": declared_licence(package), "copyrightText": "NOASSERTION",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                              "referenceLocator": f"pkg:deb/debian/{name}@{version.replace(':', '%3A')}?arch={architecture}"}]}


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def document(build, artifacts):
    version, commit = os.environ["VERSION"], os.environ.get("COMMIT", "")
    created = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    ways = packages_of(build)
    digests = {os.path.basename(path): digest(path) for path in artifacts}
    entries = [{"SPDXID": identifier(name), "name": "inlay", "versionInfo": version, "packageFileName": name,
                "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "supplier": "NOASSERTION",
                "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0", "copyrightText": "NOASSERTION",
                **({"sourceInfo": f"commit {commit}"} if commit else {}),
                "checksums": [{"algorithm": "SHA256", "checksumValue": sum_of}]} for name, sum_of in digests.items()]
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", identifier(name)) for name in digests]
    for package, way in ways.items():
        entry = package_entry(package)
        entries.append(entry)
        relations += [(identifier(name), way, entry["SPDXID"]) for name in digests]
    unique = hashlib.sha256("".join(digests.values()).encode()).hexdigest()
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"inlay-{version}",
            "documentNamespace": f"https://spdx.org/spdxdocs/inlay-{version}-{unique}",
            "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": [f"Tool: inlay-sbom-{version}"]},
            "packages": entries,
            "relationships": [{"spdxElementId": a, "relationshipType": b, "relatedSpdxElement": c} for a, b, c in relations]}


def copy_licences(build, folder):
    os.makedirs(folder, exist_ok=True)
    for package, way in packages_of(build).items():
        name = package.split(":")[0]
        if way != DYNAMIC:
            shutil.copyfile(f"/usr/share/doc/{name}/copyright", os.path.join(folder, name))


def main():
    build, verb, target, *artifacts = sys.argv[1:]
    if verb == "licences":
        copy_licences(build, target)
        return
    with open(target, "w") as file:
        json.dump(document(build, artifacts), file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
