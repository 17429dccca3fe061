# SPDX-License-Identifier: Apache-2.0
"""Pipes, which are Unix domain sockets, in bootstraps and from a client's side. A path "@name" is an abstract one."""

import contextlib
import http.client
import socket

from . import config
from .processes import PATIENCE


def address(path, mode=None):
    return {"pipe": {"path": path, **({"mode": mode} if mode is not None else {})}}


def cluster(name, path, **fields):
    made = config.cluster(name, **fields)
    made["type"] = "STATIC"
    made["load_assignment"]["endpoints"][0]["lb_endpoints"] = [{"endpoint": {"address": address(path)}}]
    return made


def listener(path, mode=None, **fields):
    return {**config.listener(**fields), "address": address(path, mode)}


def answers(text, path="/"):
    """A route that answers itself."""
    return {"match": {"prefix": path}, "direct_response": {"status": 200, "body": {"inline_string": text}}}


def connect(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    try:
        connection.connect("\0" + path[1:] if path.startswith("@") else path)
    except OSError:
        connection.close()
        raise
    return connection


def ask(path, target="/", **headers):
    """(status, body) of a GET on a connection of its own; x_a="1" is a header x-a."""
    client = http.client.HTTPConnection("files.test", timeout=PATIENCE)
    with contextlib.closing(client):
        client.sock = connect(path)
        client.request("GET", target, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = client.getresponse()
        return answer.status, answer.read().decode()


def listening(path):
    """Whether somebody does."""
    try:
        connect(path).close()
    except OSError:
        return False
    return True
