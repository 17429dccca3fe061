# SPDX-License-Identifier: Apache-2.0
"""The bootstrap that rows (rows.py) and seeded changes (changes.py) are made of: a listener with a connection manager and TLS's
absence, a cluster, all as Python's dictionaries, which are written as JSON, as both programs read it."""

import copy

TYPE = "type.googleapis.com/"
EXTENSIONS = TYPE + "envoy.extensions."
ROUTER = {"name": "router", "typed_config": {"@type": EXTENSIONS + "filters.http.router.v3.Router"}}


def cluster(name, port=8081):
    return {"name": name, "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [
        {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}}]}]}}


def frame():
    """A fresh bootstrap that both programs take."""
    manager = {"@type": EXTENSIONS + "filters.network.http_connection_manager.v3.HttpConnectionManager",
               "stat_prefix": "ingress",
               "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
                   {"match": {"prefix": "/"}, "route": {"cluster": "app"}}]}]},
               "http_filters": [copy.deepcopy(ROUTER)]}
    return {"static_resources": {
        "listeners": [{"name": "ingress", "address": {"socket_address": {"address": "127.0.0.1", "port_value": 8080}},
                       "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]}],
        "clusters": [cluster("app")]}}


def places(bootstrap):
    """The parts of a fresh frame that a shape writes into, by name."""
    resources = bootstrap["static_resources"]
    listener, app = resources["listeners"][0], resources["clusters"][0]
    chain = listener["filter_chains"][0]
    manager = chain["filters"][0]["typed_config"]
    host = manager["route_config"]["virtual_hosts"][0]
    route = host["routes"][0]
    locality = app["load_assignment"]["endpoints"][0]
    endpoint = locality["lb_endpoints"][0]["endpoint"]
    return {"top": bootstrap, "resources": resources, "listener": listener, "address": listener["address"],
            "socket_address": listener["address"]["socket_address"], "chain": chain, "manager": manager,
            "routes": manager["route_config"], "host": host, "route": route, "match": route["match"], "action": route["route"],
            "cluster": app, "locality": locality, "lb_endpoint": locality["lb_endpoints"][0], "endpoint": endpoint,
            "endpoint_address": endpoint["address"], "endpoint_socket": endpoint["address"]["socket_address"]}


def shaped(shape):
    """A frame with a shape in it: fields by place, and lists under `http_filters` (before the router), `more_clusters`,
    `listeners` (one more each)."""
    bootstrap = frame()
    at = places(bootstrap)
    for place, fields in copy.deepcopy(shape).items():
        if place == "http_filters":
            at["manager"]["http_filters"][:0] = fields
        elif place == "more_clusters":
            at["resources"]["clusters"] += fields
        elif place == "more_listeners":
            at["resources"]["listeners"] += fields
        else:
            for name, value in fields.items():
                if isinstance(value, str) and value == "GONE":
                    at[place].pop(name, None)
                else:
                    at[place][name] = value
    return bootstrap
