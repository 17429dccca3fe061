# SPDX-License-Identifier: Apache-2.0
"""A real authorization server: npm's oidc-provider, installed under build/ from the lock file beside tests/oidc/server.mjs."""

import base64
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import unittest
import urllib.error
import urllib.parse
import urllib.request

from .processes import PATIENCE, ROOT, Program, free_port

SOURCE = os.path.join(ROOT, "tests", "oidc")
HOME = os.path.join(ROOT, "build", "oidc")
FILES = ("package.json", "package-lock.json", "server.mjs")
NO_NETWORK = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH", "ERR_SOCKET_TIMEOUT")


def install():
    """Leaves the server ready to run in HOME. Skips, aloud, where there is no Node.js or npm reaches nothing."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise unittest.SkipTest("node and npm are not installed: scripts/bootstrap test installs them")
    os.makedirs(HOME, exist_ok=True)
    with open(os.path.join(HOME, "lock"), "w") as lock:  # jobs run side by side, and npm removes what another one would be reading
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install_alone()


def _install_alone():
    """install(), while nobody else does. The stamp is a digest of all that was installed."""
    digest = hashlib.sha256()
    for name in FILES:
        with open(os.path.join(SOURCE, name), "rb") as file:
            digest.update(file.read())
    version, stamp = digest.hexdigest(), os.path.join(HOME, "installed")
    if os.path.exists(stamp):
        with open(stamp) as file:
            if file.read() == version:
                return
        os.remove(stamp)
    for name in FILES:
        shutil.copy(os.path.join(SOURCE, name), HOME)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=60000"]
    try:
        done = subprocess.run(command, cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              timeout=600, check=False)
    except subprocess.TimeoutExpired:
        raise unittest.SkipTest("npm has not got oidc-provider within 600 s") from None
    output = done.stdout.decode(errors="replace")
    if done.returncode:
        if any(word in output for word in NO_NETWORK):
            raise unittest.SkipTest("npm reaches no registry, so there is no authorization server to test with:\n" + output[-500:])
        raise AssertionError(f"npm ci ended with {done.returncode}:\n{output[-2000:]}")
    with open(stamp, "w") as file:
        file.write(version)


class AuthorizationServer(Program):
    """clients: as oidc-provider takes them. `upstream` may introspect and revoke; resources have JWTs for tokens."""

    UPSTREAM = {"client_id": "upstream", "client_secret": "for introspection"}

    def __init__(self, directory, clients, lifetime, resources=(), port=None, name="authorization-server"):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        configuration = {"clients": [*clients, self.UPSTREAM], "lifetime": lifetime, "resources": list(resources)}
        super().__init__(name, ["node", os.path.join(HOME, "server.mjs"), str(self.port), json.dumps(configuration)], directory)
        self.wait_for(lambda: any("listening" in event for event in self.events()), "its port")

    def events(self):
        """What the server has said: each grant, and each refusal."""
        lines = [line for line in self.log().splitlines() if line.startswith("{") and line.endswith("}")]
        return [json.loads(line) for line in lines]

    def granted(self, client):
        return [event for event in self.events() if event.get("granted") == client]

    def post(self, path, form):
        """(status, body) of a request that `upstream` makes."""
        credentials = ":".join(urllib.parse.quote_plus(self.UPSTREAM[key]) for key in ("client_id", "client_secret"))
        headers = {"authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}
        request = urllib.request.Request(self.url + path, urllib.parse.urlencode(form).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def introspect(self, token):
        """What the server says of a token; {"active": False} of one that is no good any more."""
        status, body = self.post("/token/introspection", {"token": token})
        assert status == 200, (status, body)
        return json.loads(body)

    def jwks(self):
        with urllib.request.urlopen(self.url + "/jwks", timeout=PATIENCE) as answer:
            return json.load(answer)["keys"]


def _decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def jwt_claims(token, keys):
    """The claims of a JWT that one of the keys has signed with RS256 (RFC 7515, RFC 8017 section 8.2.2); else ValueError."""
    signed, _, signature = token.rpartition(".")
    header = json.loads(_decoded(signed.partition(".")[0]))
    key = next((k for k in keys if k["kid"] == header["kid"] and header["alg"] == "RS256"), None)
    if key is None:
        raise ValueError("no key for this token")
    modulus, exponent = (int.from_bytes(_decoded(key[part]), "big") for part in ("n", "e"))
    size = (modulus.bit_length() + 7) // 8
    info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(signed.encode()).digest()
    expected = b"\0\1" + b"\xff" * (size - 3 - len(info)) + b"\0" + info
    if pow(int.from_bytes(_decoded(signature), "big"), exponent, modulus).to_bytes(size, "big") != expected:
        raise ValueError("the signature is wrong")
    return json.loads(_decoded(signed.partition(".")[2]))
