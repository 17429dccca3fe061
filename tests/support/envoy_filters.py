# SPDX-License-Identifier: Apache-2.0
"""Envoy's own filters that set headers on requests, to be measured beside a guest that does."""

import json

from .config import TYPE


def credential_injector(headers):
    """A filter a header, which sets it to the secret of that name (credential_secrets)."""
    return [{"name": f"credential_injector_{name}", "typed_config": {
        "@type": TYPE + "envoy.extensions.filters.http.credential_injector.v3.CredentialInjector",
        "overwrite": True,
        "credential": {"name": "envoy.http.injected_credentials.generic", "typed_config": {
            "@type": TYPE + "envoy.extensions.http.injected_credentials.generic.v3.Generic",
            "credential": {"name": name}, "header": name}}}} for name in headers]


def credential_secrets(headers):
    return [{"name": name, "generic_secret": {"secret": {"inline_string": value}}} for name, value in headers.items()]


def lua(headers):
    lines = "".join(f"headers:replace({json.dumps(name)}, {json.dumps(value)})\n" for name, value in headers.items())
    return {"name": "lua", "typed_config": {
        "@type": TYPE + "envoy.extensions.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": f"function envoy_on_request(handle)\nlocal headers = handle:headers()\n{lines}end\n"}}}
