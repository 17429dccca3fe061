# SPDX-License-Identifier: Apache-2.0
"""Small changes of bootstraps, by a seed: a field that goes, comes twice, or has a value of another kind."""

import copy

OTHERS = [True, 0, -1, 1.5, 4294967296, "", "a", "true", "1", "5s", "é", None, [], {}, {"value": 1}, {"seconds": 5}, [[]]]


def leaves(node, path=()):
    """The paths of all nodes but the root."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from leaves(value, (*path, key))


def at(node, path):
    for key in path:
        node = node[key]
    return node


def changed(bootstrap, random):
    """(what was done, the bootstrap with it)."""
    made = copy.deepcopy(bootstrap)
    paths = [path for path in leaves(made) if path[-1] != "@type"]
    path = random.choice(paths)
    parent, key = at(made, path[:-1]), path[-1]
    where = ".".join(str(step) for step in path)
    kind = random.choice(["remove", "other", "other", "unknown", "twice", "empty"])
    if kind == "remove":
        del parent[key]
    elif kind == "other":
        value = random.choice(OTHERS)
        parent[key] = copy.deepcopy(value)
        return f"{where} = {value!r}", made
    elif kind == "unknown":
        target = at(made, path)
        target = target if isinstance(target, dict) else parent if isinstance(parent, dict) else made
        target["unknown_field"] = 1
    elif kind == "twice" and isinstance(at(made, path), list) and at(made, path):
        parent[key] = [*parent[key], copy.deepcopy(parent[key][-1])]
    else:
        kind = "empty"
        parent[key] = type(parent[key])() if not isinstance(parent[key], bool) else False
    return f"{where}: {kind}", made
