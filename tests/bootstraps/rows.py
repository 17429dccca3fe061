# SPDX-License-Identifier: Apache-2.0
"""What public bootstraps have beside Wasm filters, in some shapes each: fields by the place of frame.py. "@cert", "@key" and "@ca"
are files of a certificate, its key and its authority."""

from .frame import EXTENSIONS, ROUTER, TYPE, cluster

OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
HTTP = EXTENSIONS + "filters.http."
NETWORK = EXTENSIONS + "filters.network."
LISTENER = EXTENSIONS + "filters.listener."
JWT_ROUTE = HTTP + "jwt_authn.v3.PerRouteConfig"
KEYS = {"issuer": "i", "local_jwks": {"inline_string": '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}'}}
CORS = HTTP + "cors.v3.CorsPolicy"
SWITCH = TYPE + "envoy.config.route.v3.FilterConfig"
ANY_ORIGIN = {"allow_origin_string_match": [{"exact": "https://a.test"}]}
CERTIFICATE = {"certificate_chain": {"filename": "@cert"}, "private_key": {"filename": "@key"}}
CERTIFICATES = {"tls_certificates": [CERTIFICATE]}
GRPC = {"envoy_grpc": {"cluster_name": "app"}}
ADS = {"ads": {}, "resource_api_version": "V3"}
PING = {"timeout": "1s", "interval": "5s", "unhealthy_threshold": 2, "healthy_threshold": 2}
CONNECT = {"prefix": "GONE", "connect_matcher": {}}
FRACTION = {"default_value": {"numerator": 50, "denominator": "HUNDRED"}}
WEIGHTS = [{"name": "app", "weight": 1}, {"name": "other", "weight": 3}]


def options(**fields):
    """A cluster with protocol options."""
    return {"cluster": {"typed_extension_protocol_options": {OPTIONS: {"@type": TYPE + OPTIONS, **fields}}}}


def listener_tls(common, **fields):
    return {"name": "tls", "typed_config": {"@type": EXTENSIONS + "transport_sockets.tls.v3.DownstreamTlsContext", "common_tls_context": common, **fields}}


def cluster_tls(common, **fields):
    return {"name": "tls", "typed_config": {"@type": EXTENSIONS + "transport_sockets.tls.v3.UpstreamTlsContext", "common_tls_context": common, **fields}}


def http(name, kind, **fields):
    """A filter before the router."""
    return {"http_filters": [{"name": name, "typed_config": {"@type": HTTP + kind, **fields}}]}


def chain(match, name="x"):
    return {"name": name, "filter_chain_match": match, "filters": [tcp_proxy()], "transport_socket": listener_tls(CERTIFICATES)}


def network(kind, **fields):
    return {"name": "n", "typed_config": {"@type": NETWORK + kind, **fields}}


def tcp_proxy(**fields):
    return network("tcp_proxy.v3.TcpProxy", stat_prefix="tcp", **{"cluster": "app", **fields})


def log(text):
    return {"manager": {"access_log": [{"name": "log", "typed_config": {
        "@type": EXTENSIONS + "access_loggers.file.v3.FileAccessLog", "path": "/dev/null",
        "log_format": {"text_format_source": {"inline_string": text + "\n"}}}}]}}


def tags(*all_tags):
    return {"top": {"stats_config": {"stats_tags": list(all_tags)}}}


def matcher(on_match, name="x-on"):
    """An xds.type.matcher.v3.Matcher by a header."""
    return {"matcher_tree": {
        "input": {"name": "header", "typed_config": {"@type": TYPE + "envoy.type.matcher.v3.HttpRequestHeaderMatchInput", "header_name": name}},
        "exact_match_map": {"map": {"yes": {"action": on_match}}}}}


SKIP = {"name": "skip", "typed_config": {"@type": TYPE + "envoy.extensions.filters.common.matcher.action.v3.SkipFilter"}}
WRAPPED = TYPE + "envoy.extensions.common.matching.v3.ExtensionWithMatcher"
OTHER = {"more_clusters": [cluster("other", 8082)]}
REQUEST_HEADER = {"header": {"key": "x-a", "value": "b"}}

ROWS = {
    "cluster http2_protocol_options": [
        {"cluster": {"http2_protocol_options": {}}}, {"cluster": {"http2_protocol_options": {"max_concurrent_streams": 100}}},
        {"cluster": {"http2_protocol_options": {}, "http_protocol_options": {}}}],
    "explicit_http_config.http2_protocol_options": [
        options(explicit_http_config={"http2_protocol_options": {}}),
        options(explicit_http_config={"http2_protocol_options": {"connection_keepalive": {"timeout": "1s", "interval": "5s"}}}),
        options(explicit_http_config={"http2_protocol_options": {"initial_stream_window_size": 1}})],
    "virtual host cors": [
        {"host": {"cors": ANY_ORIGIN}},
        {"host": {"cors": {**ANY_ORIGIN, "allow_methods": "GET", "max_age": "10", "allow_credentials": True, "expose_headers": "x-a"}}},
        {"host": {"cors": {"allow_origin_string_match": [{"safe_regex": {"regex": "("}}]}}}],
    "dynamic_resources": [
        {"top": {"dynamic_resources": {"ads_config": {"api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [GRPC]}}, "node": {"id": "a", "cluster": "b"}}},
        {"top": {"dynamic_resources": {"lds_config": {"path_config_source": {"path": "/dev/null"}, "resource_api_version": "V3"}}, "node": {"id": "a", "cluster": "b"}}},
        {"top": {"dynamic_resources": {}}}],
    "http filter cors": [
        http("envoy.filters.http.cors", "cors.v3.Cors"), {**http("cors", "cors.v3.Cors"), "host": {"cors": ANY_ORIGIN}},
        {**http("cors", "cors.v3.Cors"), "host": {"typed_per_filter_config": {"cors": {"@type": CORS, **ANY_ORIGIN, "filter_enabled": FRACTION}}}}],
    "http filter grpc_web": [
        http("envoy.filters.http.grpc_web", "grpc_web.v3.GrpcWeb"), http("web", "grpc_web.v3.GrpcWeb"), http("web", "grpc_web.v3.GrpcWeb", unknown=1)],
    "route action max_stream_duration": [
        {"action": {"max_stream_duration": {"max_stream_duration": "5s"}}},
        {"action": {"max_stream_duration": {"grpc_timeout_header_max": "0s"}}},
        {"action": {"max_grpc_timeout": "0s"}}],
    "http filter ext_authz": [
        http("authz", "ext_authz.v3.ExtAuthz", grpc_service=GRPC), http("authz", "ext_authz.v3.ExtAuthz", http_service={"server_uri": {"uri": "http://a", "cluster": "app", "timeout": "1s"}}),
        http("authz", "ext_authz.v3.ExtAuthz", grpc_service=GRPC, failure_mode_allow=True, transport_api_version="V3")],
    "tls_certificate_sds_secret_configs": [
        {"chain": {"transport_socket": listener_tls({"tls_certificate_sds_secret_configs": [{"name": "own"}]})},
         "resources": {"secrets": [{"name": "own", "tls_certificate": CERTIFICATE}]}},
        {"chain": {"transport_socket": listener_tls({"tls_certificate_sds_secret_configs": [{"name": "absent"}]})}},
        {"chain": {"transport_socket": listener_tls({"tls_certificate_sds_secret_configs": [
            {"name": "own", "sds_config": {"path_config_source": {"path": "@sds"}, "resource_api_version": "V3"}}]})},
         "top": {"node": {"id": "a", "cluster": "b"}}}],
    "http filter lua": [
        http("lua", "lua.v3.Lua", inline_code="function envoy_on_request(h) end"),
        http("lua", "lua.v3.Lua", default_source_code={"inline_string": "function envoy_on_request(h) end"}), http("lua", "lua.v3.Lua")],
    "http filter jwt_authn": [
        http("jwt", "jwt_authn.v3.JwtAuthentication"),
        http("jwt", "jwt_authn.v3.JwtAuthentication", providers={"p": {"issuer": "i", "local_jwks": {"inline_string": '{"keys": []}'}}},
             rules=[{"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}]),
        http("jwt", "jwt_authn.v3.JwtAuthentication", providers={"p": {"issuer": "i", "remote_jwks": {
            "http_uri": {"uri": "http://a/jwks", "cluster": "app", "timeout": "1s"}}}}, rules=[{"match": {"prefix": "/"}, "requires": {"provider_name": "q"}}])],
    "jwt_authn keys and requirements": [
        http("jwt", "jwt_authn.v3.JwtAuthentication", providers={"p": KEYS}, rules=[{"match": {"prefix": "/"}, "requires": {"requires_any": {"requirements": [
            {"provider_name": "p"}, {"allow_missing": {}}]}}}]),
        http("jwt", "jwt_authn.v3.JwtAuthentication", providers={"p": {**KEYS, "claim_to_headers": [{"header_name": "x-a"}]}}),
        http("jwt", "jwt_authn.v3.JwtAuthentication", providers={"p": {"remote_jwks": {
            "http_uri": {"uri": "http://a/jwks", "cluster": "absent", "timeout": "1s"}, "async_fetch": {}, "retry_policy": {}}}})],
    "jwt_authn of routes": [
        {**http("jwt", "jwt_authn.v3.JwtAuthentication", providers={"p": KEYS}, requirement_map={"r": {"provider_name": "p"}}),
         "host": {"typed_per_filter_config": {"jwt": {"@type": JWT_ROUTE, "requirement_name": "r"}}}},
        {**http("jwt", "jwt_authn.v3.JwtAuthentication"), "host": {"typed_per_filter_config": {"jwt": {"@type": JWT_ROUTE, "disabled": False}}}},
        {**http("jwt", "jwt_authn.v3.JwtAuthentication"), "host": {"typed_per_filter_config": {"jwt": {"@type": JWT_ROUTE, "requirement_name": "absent"}}}}],
    "address pipe": [
        {"endpoint": {"address": {"pipe": {"path": "/tmp/absent"}}}}, {"listener": {"address": {"pipe": {"path": "/tmp/a", "mode": 384}}}},
        {"endpoint": {"address": {"pipe": {}}}}],
    "protocol_selection": [
        {"cluster": {"protocol_selection": "USE_DOWNSTREAM_PROTOCOL"}},
        {"cluster": {"protocol_selection": "USE_DOWNSTREAM_PROTOCOL", "http2_protocol_options": {}, "http_protocol_options": {}}},
        {"cluster": {"protocol_selection": "USE_CONFIGURED_PROTOCOL", "http2_protocol_options": {}}}],
    "combined_validation_context": [
        {"cluster": {"transport_socket": cluster_tls({"combined_validation_context": {
            "default_validation_context": {"match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "a"}}]},
            "validation_context_sds_secret_config": {"name": "ca"}}})},
         "resources": {"secrets": [{"name": "ca", "validation_context": {"trusted_ca": {"filename": "@ca"}}}]}},
        {"cluster": {"transport_socket": cluster_tls({"combined_validation_context": {"default_validation_context": {}}})}},
        {"cluster": {"transport_socket": cluster_tls({"combined_validation_context": {
            "default_validation_context": {}, "validation_context_sds_secret_config": {"name": "absent"}}})}}],
    "http filter compressor": [
        http("compressor", "compressor.v3.Compressor", compressor_library={"name": "gzip", "typed_config": {"@type": EXTENSIONS + "compression.gzip.compressor.v3.Gzip"}}),
        http("compressor", "compressor.v3.Compressor"),
        http("decompressor", "decompressor.v3.Decompressor", decompressor_library={"name": "gzip", "typed_config": {"@type": EXTENSIONS + "compression.gzip.decompressor.v3.Gzip"}})],
    "lb_policy CLUSTER_PROVIDED": [
        {"cluster": {"lb_policy": "CLUSTER_PROVIDED"}}, {"cluster": {"lb_policy": "CLUSTER_PROVIDED", "type": "ORIGINAL_DST", "load_assignment": "GONE"}},
        {"cluster": {"lb_policy": "6"}}],
    "cluster health_checks": [
        {"cluster": {"health_checks": [{**PING, "http_health_check": {"path": "/"}}]}}, {"cluster": {"health_checks": [{**PING, "tcp_health_check": {}}]}},
        {"cluster": {"health_checks": [{"http_health_check": {"path": "/"}}]}}],
    "http filter by name only": [
        {"http_filters": [{"name": "envoy.filters.http.cors"}]}, {"http_filters": [{"name": "envoy.filters.http.grpc_web"}]},
        {"http_filters": [{"name": "envoy.cors", "typed_config": {}}]}],
    "scheme_header_transformation": [
        {"manager": {"scheme_header_transformation": {"scheme_to_overwrite": "https"}}}, {"manager": {"scheme_header_transformation": {"match_upstream": True}}},
        {"manager": {"scheme_header_transformation": {"scheme_to_overwrite": "ftp"}}}],
    "route action upgrade_configs": [
        {"action": {"upgrade_configs": [{"upgrade_type": "websocket"}]}},
        {"match": CONNECT, "action": {"upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}]}},
        {"action": {"upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}]}}],
    "udp_listener_config": [
        {"listener": {"address": {"socket_address": {"protocol": "UDP", "address": "127.0.0.1", "port_value": 8080}}, "udp_listener_config": {}, "filter_chains": "GONE",
                      "listener_filters": [{"name": "udp", "typed_config": {"@type": EXTENSIONS + "filters.udp.udp_proxy.v3.UdpProxyConfig", "stat_prefix": "a", "cluster": "app"}}]}},
        {"listener": {"udp_listener_config": {}}}, {"listener": {"address": {"socket_address": {"protocol": "UDP", "address": "127.0.0.1", "port_value": 8080}}}}],
    "bootstrap extension internal_listener": [
        {"top": {"bootstrap_extensions": [{"name": "internal", "typed_config": {"@type": EXTENSIONS + "bootstrap.internal_listener.v3.InternalListener"}}]}},
        {"top": {"bootstrap_extensions": [{"name": "internal", "typed_config": {"@type": EXTENSIONS + "bootstrap.internal_listener.v3.InternalListener"}}]},
         "listener": {"internal_listener": {}, "address": "GONE"}},
        {"listener": {"internal_listener": {}, "address": "GONE"}}],
    "validation_context_sds_secret_config": [
        {"cluster": {"transport_socket": cluster_tls({"validation_context_sds_secret_config": {"name": "ca"}})},
         "resources": {"secrets": [{"name": "ca", "validation_context": {"trusted_ca": {"filename": "@ca"}}}]}},
        {"cluster": {"transport_socket": cluster_tls({"validation_context_sds_secret_config": {"name": "absent"}})}},
        {"chain": {"transport_socket": listener_tls({**CERTIFICATES, "validation_context_sds_secret_config": {"name": "ca"}})},
         "resources": {"secrets": [{"name": "ca", "validation_context": {"trusted_ca": {"filename": "@ca"}}}]}}],
    "route match connect_matcher": [
        {"match": CONNECT}, {"match": CONNECT, "manager": {"upgrade_configs": [{"upgrade_type": "CONNECT"}]}},
        {"match": {"connect_matcher": {}}}],
    "socket_address protocol": [
        {"socket_address": {"protocol": "TCP"}}, {"socket_address": {"protocol": "UDP"}}, {"endpoint_socket": {"protocol": "UDP"}}],
    "stats_sinks": [
        {"top": {"stats_sinks": [{"name": "statsd", "typed_config": {"@type": TYPE + "envoy.config.metrics.v3.StatsdSink", "tcp_cluster_name": "app"}}]}},
        {"top": {"stats_sinks": [{"name": "statsd", "typed_config": {"@type": TYPE + "envoy.config.metrics.v3.StatsdSink", "tcp_cluster_name": "absent"}}]}},
        {"top": {"stats_sinks": []}}],
    "cluster_type": [
        {"cluster": {"load_assignment": "GONE", "lb_policy": "CLUSTER_PROVIDED", "cluster_type": {"name": "forward", "typed_config": {
            "@type": EXTENSIONS + "clusters.dynamic_forward_proxy.v3.ClusterConfig", "dns_cache_config": {"name": "c"}}}}},
        {"cluster": {"cluster_type": {"name": "dns", "typed_config": {"@type": EXTENSIONS + "clusters.dns.v3.DnsCluster"}}}},
        {"cluster": {"cluster_type": {"name": "absent"}}}],
    "cluster type EDS": [
        {"cluster": {"type": "EDS", "load_assignment": "GONE", "eds_cluster_config": {"eds_config": {"path_config_source": {"path": "/dev/null"}, "resource_api_version": "V3"}}},
         "top": {"node": {"id": "a", "cluster": "b"}}},
        {"cluster": {"type": "EDS", "load_assignment": "GONE"}}, {"cluster": {"eds_cluster_config": {"eds_config": ADS}}}],
    "http filter golang": [http("go", "golang.v3alpha.Config"), http("go", "absent.v3.Config"), http("go", "golang.v3alpha.Config", library_id="a")],
    "http filter header_to_metadata": [
        http("meta", "header_to_metadata.v3.Config", request_rules=[{"header": "x", "on_header_present": {"key": "a", "type": "STRING"}}]),
        http("meta", "header_to_metadata.v3.Config"), http("meta", "header_to_metadata.v3.Config", request_rules=[{}])],
    "upstream http_filters": [
        options(explicit_http_config={"http_protocol_options": {}}, http_filters=[{"name": "codec", "typed_config": {"@type": HTTP + "upstream_codec.v3.UpstreamCodec"}}]),
        options(explicit_http_config={"http_protocol_options": {}}, http_filters=[]), options(explicit_http_config={"http_protocol_options": {}}, http_filters=[ROUTER])],
    "virtual host typed_per_filter_config": [
        {"host": {"typed_per_filter_config": {"router": {"@type": SWITCH, "disabled": True}}}},
        {**http("cors", "cors.v3.Cors"), "host": {"typed_per_filter_config": {"cors": {"@type": SWITCH, "config": {"@type": CORS, **ANY_ORIGIN}}}}},
        {"host": {"typed_per_filter_config": {"absent": {"@type": SWITCH}}}}],
    "stats_tags.regex": [
        tags({"tag_name": "a", "regex": "^x(?=\\.)(.y)"}), tags({"tag_name": "a", "regex": "((x)\\2)"}), tags({"tag_name": "a", "regex": "^x("})],
    "stats_tags": [
        tags({"tag_name": "owner"}), tags({"tag_name": "envoy.cluster_name"}),
        tags({"tag_name": "a", "fixed_value": "x"}, {"tag_name": "a", "fixed_value": "y"}, {"tag_name": "", "fixed_value": "z"})],
    "cluster load_balancing_policy": [
        {"cluster": {"load_balancing_policy": {"policies": [{"typed_extension_config": {"name": "rr", "typed_config": {
            "@type": EXTENSIONS + "load_balancing_policies.round_robin.v3.RoundRobin"}}}]}}},
        {"cluster": {"load_balancing_policy": {}}}, {"cluster": {"lb_policy": "LOAD_BALANCING_POLICY_CONFIG"}}],
    "http filter local_ratelimit": [
        http("limit", "local_ratelimit.v3.LocalRateLimit", stat_prefix="a", token_bucket={"max_tokens": 1, "fill_interval": "1s"}),
        http("limit", "local_ratelimit.v3.LocalRateLimit", stat_prefix="a"), http("limit", "local_ratelimit.v3.LocalRateLimit")],
    "network filter redis_proxy": [
        {"chain": {"filters": [network("redis_proxy.v3.RedisProxy", stat_prefix="a", settings={"op_timeout": "1s"}, prefix_routes={"catch_all_route": {"cluster": "app"}})]}},
        {"chain": {"filters": [network("redis_proxy.v3.RedisProxy")]}},
        {"chain": {"filters": [network("redis_proxy.v3.RedisProxy", stat_prefix="a", settings={"op_timeout": "1s"})]}}],
    "transport socket quic": [
        {"chain": {"transport_socket": {"name": "quic", "typed_config": {"@type": EXTENSIONS + "transport_sockets.quic.v3.QuicDownstreamTransport",
                                                                        "downstream_tls_context": {"common_tls_context": CERTIFICATES}}}}},
        {"manager": {"codec_type": "HTTP3"}}, {"manager": {"http3_protocol_options": {}}}],
    "upgrade_configs of a connection manager": [
        {"manager": {"upgrade_configs": [{"upgrade_type": "websocket"}]}}, {"manager": {"upgrade_configs": [{"upgrade_type": "CONNECT"}]}},
        {"manager": {"upgrade_configs": [{"upgrade_type": "websocket"}, {"upgrade_type": "WebSocket"}]}}],
    "cluster type ORIGINAL_DST": [
        {"cluster": {"type": "ORIGINAL_DST", "load_assignment": "GONE", "lb_policy": "CLUSTER_PROVIDED"}}, {"cluster": {"type": "ORIGINAL_DST"}},
        {"listener": {"use_original_dst": True}}],
    "route action retry_policy": [
        {"action": {"retry_policy": {"retry_on": "5xx", "num_retries": 2}}}, {"host": {"retry_policy": {"retry_on": "connect-failure,reset"}}},
        {"action": {"retry_policy": {"retry_on": "5xx", "retry_back_off": {"max_interval": "1s"}}}}],
    "http filter ExtensionWithMatcher": [
        {**http("cors", "cors.v3.Cors"), "http_filters": [{"name": "cors", "typed_config": {"@type": WRAPPED, "extension_config": {
            "name": "cors", "typed_config": {"@type": HTTP + "cors.v3.Cors"}}, "xds_matcher": matcher(SKIP)}}]},
        {"http_filters": [{"name": "cors", "typed_config": {"@type": WRAPPED, "extension_config": {"name": "cors", "typed_config": {"@type": HTTP + "cors.v3.Cors"}}}}]},
        {"http_filters": [{"name": "cors", "typed_config": {"@type": WRAPPED}}]}],
    "several filter_chains": [
        {"listener": {"filter_chains": [chain({"server_names": ["a.test"]}), chain({"server_names": ["*.b.test"]}, "y")],
                      "listener_filters": [{"name": "tls", "typed_config": {"@type": LISTENER + "tls_inspector.v3.TlsInspector"}}]}},
        {"listener": {"filter_chains": [chain({"server_names": ["a.test"]}), chain({"server_names": ["a.test"]}, "y")]}},
        {"listener": {"filter_chains": [{"name": "x", "filters": [tcp_proxy()]}], "default_filter_chain": {"filters": [tcp_proxy()]}}}],
    "filter_chain_match": [
        {"chain": {"filter_chain_match": {"server_names": ["a.test"]}}}, {"chain": {"filter_chain_match": {"transport_protocol": "tls"}}},
        {"chain": {"filter_chain_match": {"server_names": ["a.*"]}}}],
    "virtual host matcher": [
        {"host": {"routes": "GONE", "matcher": matcher({"name": "route", "typed_config": {"@type": TYPE + "envoy.config.route.v3.Route", "match": {"prefix": "/"}, "route": {"cluster": "app"}}})}},
        {"host": {"matcher": {}}}, {"host": {"matcher": matcher(SKIP)}}],
    "Duration as a map": [
        {"action": {"timeout": {"seconds": 60}}}, {"cluster": {"connect_timeout": {"seconds": "5", "nanos": 500}}}, {"action": {"timeout": {"second": 1}}}],
    "wrapper as a map": [
        {"manager": {"use_remote_address": {"value": True}}}, {"manager": {"max_request_headers_kb": {"value": 30}}}, {"manager": {"max_request_headers_kb": {"valu": 30}}}],
    "quoted booleans and numbers": [
        {"manager": {"use_remote_address": "true"}}, {"cluster": {"lb_policy": "1"}}, {"manager": {"use_remote_address": "on"}}],
    "lists in lists": [
        {"host": {"domains": ["*", []]}}, {"host": {"routes": [[{"match": {"prefix": "/"}, "route": {"cluster": "app"}}]]}}, {"host": {"routes": [None]}}],
    "codec_type HTTP2": [
        {"manager": {"codec_type": "HTTP2"}}, {"manager": {"codec_type": "AUTO", "http2_protocol_options": {"max_concurrent_streams": 10}}},
        {"manager": {"codec_type": "HTTP2", "http2_protocol_options": {"max_concurrent_streams": 0}}}],
    "static secrets": [
        {"resources": {"secrets": [{"name": "a", "tls_certificate": CERTIFICATE}]}}, {"resources": {"secrets": [{"name": "a", "generic_secret": {"secret": {"inline_string": "s"}}}]}},
        {"resources": {"secrets": [{"name": "a", "tls_certificate": CERTIFICATE}, {"name": "a", "tls_certificate": CERTIFICATE}]}}],
    "cluster lb_subset_config": [
        {"cluster": {"lb_subset_config": {"fallback_policy": "ANY_ENDPOINT", "subset_selectors": [{"keys": ["a"]}]}}}, {"cluster": {"lb_subset_config": {}}},
        {"cluster": {"lb_policy": "CLUSTER_PROVIDED", "lb_subset_config": {"subset_selectors": [{"keys": ["a"]}]}}}],
    "http filter ext_proc": [
        http("proc", "ext_proc.v3.ExternalProcessor", grpc_service=GRPC), http("proc", "ext_proc.v3.ExternalProcessor"), http("proc", "ext_proc.v3.ExternalProcessor", grpc_service={})],
    "http filter ratelimit": [
        http("limit", "ratelimit.v3.RateLimit", domain="a", rate_limit_service={"grpc_service": GRPC, "transport_api_version": "V3"}), http("limit", "ratelimit.v3.RateLimit"),
        {"action": {"rate_limits": [{"actions": [{"remote_address": {}}]}]}}],
    "auto_sni": [
        options(upstream_http_protocol_options={"auto_sni": True}, explicit_http_config={"http_protocol_options": {}}),
        options(upstream_http_protocol_options={"auto_sni": True, "auto_san_validation": True}, explicit_http_config={"http_protocol_options": {}}),
        {"cluster": {"upstream_http_protocol_options": {"auto_sni": True}}}],
    "common_lb_config": [
        {"cluster": {"common_lb_config": {"healthy_panic_threshold": {"value": 0}}}}, {"cluster": {"common_lb_config": {"healthy_panic_threshold": {"value": 200}}}},
        {"cluster": {"common_lb_config": {"locality_weighted_lb_config": {}}}}],
    "http filter dynamic_forward_proxy": [
        http("forward", "dynamic_forward_proxy.v3.FilterConfig", dns_cache_config={"name": "c"}), http("forward", "dynamic_forward_proxy.v3.FilterConfig"),
        http("forward", "dynamic_forward_proxy.v3.FilterConfig", dns_cache_config={})],
    "route action weighted_clusters": [
        {**OTHER, "action": {"cluster": "GONE", "weighted_clusters": {"clusters": WEIGHTS}}},
        {**OTHER, "action": {"cluster": "GONE", "weighted_clusters": {"clusters": [{"name": "app", "weight": 0}]}}},
        {**OTHER, "action": {"cluster": "GONE", "weighted_clusters": {"clusters": [{"name": "app", "weight": 50, "request_headers_to_add": [REQUEST_HEADER]},
                                                                                   {"name": "absent", "weight": 50}]}}}],
    "client certificate": [
        {"chain": {"transport_socket": listener_tls(CERTIFICATES, require_client_certificate=True)}},
        {"chain": {"transport_socket": listener_tls({**CERTIFICATES, "validation_context": {"trusted_ca": {"filename": "@ca"}}}, require_client_certificate=True)}},
        {"chain": {"transport_socket": listener_tls({})}}],
    "operators of formats": [
        log("%REQUEST_DURATION%"), log("%REQ(X?Y?Z)%"), log("%DURATION:5%"), log("%VIRTUAL_HOST_NAME%"), log("%REQ(X):0%"), log("%DOWNSTREAM_PEER_FINGERPRINT_256%"),
        log("%FILTER_STATE(x:NONE)%"), log("%PROTOCOL()% %START_TIME(%s)% %RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)%"), log("%NONE%"), log("50%")],
    "envoy_internal_address": [
        {"endpoint": {"address": {"envoy_internal_address": {"server_listener_name": "a"}}}}, {"endpoint": {"address": {}}}, {"endpoint": {"address": "GONE"}}],
    "http filter rbac": [http("rbac", "rbac.v3.RBAC"), http("rbac", "rbac.v3.RBAC", rules={"action": "DENY", "policies": {}}),
                         http("rbac", "rbac.v3.RBAC", rules={"policies": {"a": {}}})],
    "http filter set_metadata": [
        http("meta", "set_metadata.v3.Config", metadata=[{"metadata_namespace": "a", "value": {"a": 1}}]), http("meta", "set_metadata.v3.Config", metadata=[{}]),
        http("meta", "set_metadata.v3.Config")],
    "listener filter tls_inspector": [
        {"listener": {"listener_filters": [{"name": "envoy.filters.listener.tls_inspector"}]}},
        {"listener": {"listener_filters": [{"name": "envoy.filters.listener.tls_inspector", "typed_config": {"@type": LISTENER + "tls_inspector.v3.TlsInspector"}}]}},
        {"listener": {"listener_filters": [{"name": "dst", "typed_config": {"@type": LISTENER + "original_dst.v3.OriginalDst"}}]}}],
    "TCP and UDP on one address": [
        {"more_listeners": [{"name": "udp", "address": {"socket_address": {"protocol": "UDP", "address": "127.0.0.1", "port_value": 8080}}, "udp_listener_config": {},
                             "listener_filters": [{"name": "udp", "typed_config": {"@type": EXTENSIONS + "filters.udp.udp_proxy.v3.UdpProxyConfig", "stat_prefix": "a", "cluster": "app"}}]}]},
        {"more_listeners": [{"name": "second", "address": {"socket_address": {"address": "127.0.0.1", "port_value": 8080}}, "filter_chains": [{"filters": [tcp_proxy()]}]}]},
        {"more_listeners": [{"name": "second", "address": {"socket_address": {"address": "127.0.0.1", "port_value": 8089}}, "filter_chains": [{"filters": [tcp_proxy()]}]}]}],
    "equal names": [
        {"more_listeners": [{"name": "ingress", "address": {"socket_address": {"address": "127.0.0.1", "port_value": 8089}}, "filter_chains": [{"filters": [tcp_proxy()]}]}]},
        {"more_clusters": [cluster("app")]},
        {"routes": {"virtual_hosts": [{"name": "a", "domains": ["a"]}, {"name": "a", "domains": ["b"]}]}}],
    "lb_policy": [{"cluster": {"lb_policy": "MAGLEV"}}, {"cluster": {"lb_policy": "RING_HASH"}}, {"cluster": {"lb_policy": "least_request"}}],
    "endpoints priority": [{"locality": {"priority": 1}}, {"locality": {"priority": 129}}, {"locality": {"priority": 0, "load_balancing_weight": 3}}],
    "http filters nobody needs": [
        http("cache", "cache.v3.CacheConfig"), http("tap", "tap.v3.Tap", common_config={"admin_config": {"config_id": "a"}}), http("buffer", "buffer.v3.Buffer", max_request_bytes=1)],
    "empty http_filters": [{"manager": {"http_filters": []}}, {"manager": {"http_filters": "GONE"}}, {"manager": {"http_filters": [{}]}}],
    "empty filters": [{"listener": {"filter_chains": [{}]}}, {"chain": {"filters": []}}, {"listener": {"filter_chains": []}}],
    "forward_client_cert_details": [
        {"manager": {"forward_client_cert_details": "SANITIZE_SET", "set_current_client_cert_details": {"uri": True}}}, {"manager": {"forward_client_cert_details": "SANITIZE"}},
        {"manager": {"forward_client_cert_details": "NONE"}}],
    "path_with_escaped_slashes_action": [
        {"manager": {"path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT"}}, {"manager": {"path_with_escaped_slashes_action": "REJECT_REQUEST"}},
        {"manager": {"path_with_escaped_slashes_action": 9}}],
    "rds": [
        {"manager": {"route_config": "GONE", "rds": {"route_config_name": "a", "config_source": {"path_config_source": {"path": "/dev/null"}, "resource_api_version": "V3"}}},
         "top": {"node": {"id": "a", "cluster": "b"}}},
        {"manager": {"route_config": "GONE"}}, {"manager": {"route_config": {}}}],
    "internal_only_headers": [{"routes": {"internal_only_headers": ["x-internal"]}}, {"routes": {"internal_only_headers": []}}, {"routes": {"internal_only_headers": "x-internal"}}],
    "ipv4_compat": [{"endpoint_socket": {"ipv4_compat": True}}, {"socket_address": {"ipv4_compat": True}}, {"socket_address": {"ipv4_compat": True, "address": "::"}}],
    "config_discovery": [
        {"http_filters": [{"name": "late", "config_discovery": {"config_source": ADS, "type_urls": [HTTP + "cors.v3.Cors"]}}]},
        {"http_filters": [{"name": "late", "config_discovery": {"type_urls": []}}]}, {"chain": {"filters": [{"name": "late", "config_discovery": {}}]}}],
    "use_downstream_protocol_config": [
        options(use_downstream_protocol_config={}), options(use_downstream_protocol_config={"http2_protocol_options": {}}), options(use_downstream_protocol_config={"http3_protocol_options": {}})],
    "auto_config": [
        {"cluster": {**options(auto_config={})["cluster"], "transport_socket": cluster_tls({})}}, options(auto_config={}), options()],
    "path_separated_prefix": [
        {"match": {"prefix": "GONE", "path_separated_prefix": "abc"}}, {"match": {"prefix": "GONE", "path_separated_prefix": "/abc/"}}, {"match": {"prefix": "GONE", "path_separated_prefix": "/"}}],
    "actions that are null": [
        {"route": {"route": None}}, {"route": {"route": "GONE", "direct_response": None}}, {"route": {"route": "GONE", "direct_response": {"status": 200, "body": {"inline_string": None}}}}],
    "LOGICAL_DNS": [
        {"cluster": {"type": "LOGICAL_DNS", "load_assignment": "GONE"}}, {"cluster": {"type": "LOGICAL_DNS"}}, {"cluster": {"type": "STRICT_DNS", "load_assignment": "GONE"}}],
    "socket_options": [
        {"listener": {"socket_options": [{"level": 1, "name": 2}]}}, {"listener": {"socket_options": [{"level": 1, "name": 2, "int_value": 1}]}},
        {"listener": {"socket_options": [{"level": 1, "name": 2, "int_value": 1, "state": 7}]}}],
    "router without a type": [
        {"manager": {"http_filters": [{"name": "envoy.filters.http.router"}]}}, {"manager": {"http_filters": [{"name": "envoy.filters.http.router", "typed_config": {}}]}},
        {"manager": {"http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"a": 1}}]}}],
    "tracing": [
        {"manager": {"tracing": {"random_sampling": {"value": 200}}}}, {"manager": {"tracing": {"provider": {"name": "x", "typed_config": {"@type": TYPE + "a.B"}}}}}, {"manager": {"tracing": {}}}],
    "layered_runtime": [
        {"top": {"layered_runtime": {"layers": [{"static_layer": {}}]}}}, {"top": {"layered_runtime": {"layers": [{"name": "a"}]}}},
        {"top": {"layered_runtime": {"layers": [{"name": "a", "static_layer": {}}, {"name": "b", "admin_layer": {}}]}}}],
    "stats_flush_interval": [{"top": {"stats_flush_interval": "0.0001s"}}, {"top": {"stats_flush_interval": "5s"}}, {"top": {"stats_flush_interval": "300s"}}],
    "types of v2": [
        {"chain": {"filters": [{"name": "x", "typed_config": {"@type": TYPE + "envoy.config.filter.network.http_connection_manager.v2.HttpConnectionManager"}}]}},
        {"http_filters": [{"name": "x", "config": {}}]}, {"cluster": {"hosts": []}}],
    "header names": [
        {"host": {"request_headers_to_add": [{"header": {"key": "a b", "value": "x"}}]}}, {"host": {"request_headers_to_add": [{"header": {"key": ":path", "value": "x"}}]}},
        {"host": {"request_headers_to_remove": ["host"]}}],
    "domains": [{"host": {"domains": [""]}}, {"host": {"domains": ["*.a", "a.*"]}}, {"host": {"domains": ["a*b"]}}],
}
