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
    return {"name": name, "type": kind, "connect_timeout": "10s",
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]}, **fields}


def speaks_http2(**options):
    """Fields of a cluster whose upstreams speak HTTP/2; options of Http2ProtocolOptions."""
    return {"typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": options}}}}


def string_value(text):
    return {"@type": TYPE + "google.protobuf.StringValue", "value": text}


def plugin(code, configuration="", policy="FAIL_CLOSED", root_id="", name=None, vm_id="", vm=None, **fields):
    """A PluginConfig; code is a module's path or a dict as under vm_config.code, vm more fields of vm_config."""
    configuration = configuration if isinstance(configuration, str) else json.dumps(configuration)
    code = {"local": {"filename": code}} if isinstance(code, str) else code
    return {"name": name or "plugin", "root_id": root_id, "failure_policy": policy,
            "configuration": string_value(configuration),
            "vm_config": {"vm_id": vm_id, "runtime": "envoy.wasm.runtime.v8", "code": code, **(vm or {})},
            **fields}


def wasm(code, configuration="", **fields):
    """An envoy.filters.http.wasm filter on a module; arguments as for plugin()."""
    made = plugin(code, configuration, **fields)
    return {"name": made["name"],
            "typed_config": {"@type": TYPE + "envoy.extensions.filters.http.wasm.v3.Wasm", "config": made}}


def wasm_service(code, configuration="", singleton=False, **fields):
    """An envoy.bootstrap.wasm extension; arguments as for plugin()."""
    return {"name": "envoy.bootstrap.wasm",
            "typed_config": {"@type": TYPE + "envoy.extensions.wasm.v3.WasmService", "singleton": singleton,
                             "config": plugin(code, configuration, **fields)}}


def wasm_access_log(code, configuration="", log_filter=None, **fields):
    """An envoy.access_loggers.wasm access log; arguments as for plugin()."""
    log = {"name": "envoy.access_loggers.wasm",
           "typed_config": {"@type": TYPE + "envoy.extensions.access_loggers.wasm.v3.WasmAccessLog",
                            "config": plugin(code, configuration, **fields)}}
    return {**log, "filter": log_filter} if log_filter else log


def file_log(path, log_format=None, **fields):
    """An access log that writes a file; log_format: its text, or a SubstitutionFormatString; more fields of the AccessLog."""
    logger = {"@type": TYPE + "envoy.extensions.access_loggers.file.v3.FileAccessLog", "path": path}
    if isinstance(log_format, str):
        log_format = {"text_format_source": {"inline_string": log_format}}
    return {"name": "log", "typed_config": {**logger, **({"log_format": log_format} if log_format else {})}, **fields}


def listener(filters=(), routes=None, virtual_hosts=None, name="ingress", **manager):
    """A listener on a free port with one connection manager."""
    hosts = virtual_hosts or [{"name": "all", "domains": ["*"], "routes": routes or [route()]}]
    router = {"name": "router", "typed_config": {"@type": TYPE + "envoy.extensions.filters.http.router.v3.Router"}}
    connection_manager = {
        "@type": TYPE + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name, "route_config": {"name": "local", "virtual_hosts": hosts},
        "http_filters": [*filters, router], **manager}
    chain = {"filters": [{"name": "hcm", "typed_config": connection_manager}]}
    return {"name": name, "address": address(free_port()), "filter_chains": [chain]}


def augmenter(provider="provider", expiry="360s", module=None, **keys):
    """The header-augmenting filter, as it was built or from `module`; provider is a cluster's name."""
    return wasm(module or filter_module(), {"header_providing_service_cluster": provider,
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


def tls_inspector():
    """A listener filter."""
    return {"name": "tls_inspector", "typed_config": {"@type": TYPE + "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"}}


def bootstrap(clusters, filters=(), routes=None, virtual_hosts=None, **manager):
    """A listener with one connection manager, and an admin, on free ports."""
    return {"admin": {"address": address(free_port())},
            "static_resources": {"listeners": [listener(filters, routes, virtual_hosts, **manager)],
                                 "clusters": list(clusters)}}
