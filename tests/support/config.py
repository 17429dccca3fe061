# SPDX-License-Identifier: Apache-2.0
"""Envoy v3 bootstraps as dicts, short to write in a test."""

import json

from .processes import filter_module, free_port

TYPE = "type.googleapis.com/"


def address(port, host="127.0.0.1"):
    return {"socket_address": {"address": host, "port_value": port}}


def cluster(name, *ports, host="127.0.0.1", **fields):
    endpoints = [{"endpoint": {"address": address(port, host)}} for port in ports]
    kind = "STATIC" if host[0].isdigit() else "STRICT_DNS"
    return {"name": name, "type": kind, "connect_timeout": "1s",
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]}, **fields}


def string_value(text):
    return {"@type": TYPE + "google.protobuf.StringValue", "value": text}


def wasm(path, configuration="", policy="FAIL_CLOSED", root_id="", name=None, vm_id="", **fields):
    """An envoy.filters.http.wasm filter on a module."""
    configuration = configuration if isinstance(configuration, str) else json.dumps(configuration)
    plugin = {"name": name or "plugin", "root_id": root_id, "failure_policy": policy,
              "configuration": string_value(configuration),
              "vm_config": {"vm_id": vm_id, "runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": path}}},
              **fields}
    return {"name": name or "plugin",
            "typed_config": {"@type": TYPE + "envoy.extensions.filters.http.wasm.v3.Wasm", "config": plugin}}


def augmenter(provider="provider", expiry="360s", **keys):
    """The header-augmenting filter; provider is a cluster's name."""
    return wasm(filter_module(), {"header_providing_service_cluster": provider,
                                  "header_providing_service_authority": "provider.test",
                                  "header_cache_expiry": expiry, **keys}, name="header_augmenting", vm_id="augmenter")


def route(to="origin", match=None, **action):
    return {"match": match or {"prefix": "/"}, "route": {"cluster": to, **action}}


def upstream_tls(**fields):
    """A cluster's transport socket."""
    return {"name": "tls", "typed_config": {
        "@type": TYPE + "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", **fields}}


def downstream_tls(certificate, key, common=None, **fields):
    """A listener's transport socket."""
    own = {"certificate_chain": {"filename": certificate}, "private_key": {"filename": key}}
    return {"name": "tls", "typed_config": {
        "@type": TYPE + "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {"tls_certificates": [own], **(common or {})}, **fields}}


def bootstrap(clusters, filters=(), routes=None, virtual_hosts=None, **manager):
    """A listener with one connection manager, and an admin, on free ports."""
    hosts = virtual_hosts or [{"name": "all", "domains": ["*"], "routes": routes or [route()]}]
    router = {"name": "router", "typed_config": {"@type": TYPE + "envoy.extensions.filters.http.router.v3.Router"}}
    connection_manager = {
        "@type": TYPE + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "ingress", "route_config": {"name": "local", "virtual_hosts": hosts},
        "http_filters": [*filters, router], **manager}
    chain = {"filters": [{"name": "hcm", "typed_config": connection_manager}]}
    return {"admin": {"address": address(free_port())},
            "static_resources": {"listeners": [{"name": "ingress", "address": address(free_port()),
                                                "filter_chains": [chain]}],
                                 "clusters": list(clusters)}}
