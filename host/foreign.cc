// SPDX-License-Identifier: Apache-2.0
#include "host/foreign.h"

#include <algorithm>
#include <array>

namespace inlay::host {
namespace {

constexpr std::string_view kNoCel =
    "Left out: NotFound, as from an Envoy that was built without a CEL parser, and a line of the log says so.";

// In the order of Envoy's manual.
constexpr std::array<ForeignFunction, 10> kFunctions = {{
    {"clear_route_cache", &foreign::clear_route_cache,
     "Nothing goes in or out. The route is chosen after the filters, so there is nothing to clear; always Ok."},
    {"compress", &foreign::compress, "Bytes in, a zlib stream out (RFC 1950). At most 16 MiB, else InternalFailure."},
    {"uncompress", &foreign::uncompress,
     "A zlib stream in, its bytes out; what follows the stream is ignored. SerializationFailure if it is none; at most "
     "16 MiB in and out, else InternalFailure, where Envoy has no limit."},
    {"declare_property", &foreign::declare_property,
     "`DeclarePropertyArguments {string name = 1; bool readonly = 2; WasmType type = 3; bytes schema = 4; LifeSpan "
     "span "
     "= 5}`: what `proxy_set_property` of that path means from then on. `readonly` keeps the first value "
     "(BadArgument for others); span `DownstreamConnection` keeps it for later requests of the connection. Type and "
     "schema are not used: a property reads back as the bytes that were set. For the plugin: to be called "
     "in its root context, as in Envoy a stream's declaration has no effect. BadArgument if it is declared already."},
    {"set_envoy_filter_state", &foreign::set_envoy_filter_state,
     "`SetEnvoyFilterStateArguments {string path = 1; string value = 2; LifeSpan span = 3}`: sets an object that the "
     "proxy itself acts on: of a TCP connection `envoy.tcp_proxy.cluster`, the cluster that it goes to. NotFound for "
     "any other, which a line of the log names."},
    {"verify_signature", &foreign::verify_signature,
     "`VerifySignatureArguments {string hash_function = 1; bytes public_key = 2; bytes signature = 3; bytes text = 4; "
     "string public_key_pem = 5}` in, `VerifySignatureResult {bool result = 1; string error = 2}` out. Hash functions "
     "sha1, sha224, sha256, sha384, sha512; one key, of RSA (PKCS #1 v1.5; at most 8192 bits) or ECDSA (P-224, P-256, "
     "P-384, P-521), as DER SubjectPublicKeyInfo or, in Envoy since 1.37, as PEM; BadArgument for no key or both. "
     "A signature of ECDSA is DER, not the two numbers of a JWT."},
    {"sign", &foreign::sign,
     "`SignArguments {string hash_function = 1; bytes private_key = 2; bytes text = 3; string private_key_pem = 4}` "
     "in, `SignResult {bool result = 1; bytes signature = 2; string error = 3}` out; the same hash functions and kinds "
     "of keys, as DER PKCS #8, or as PEM: PKCS #8, PKCS #1 or SEC 1; without a pass phrase. In Envoy since 1.37."},
    {"expr_create", nullptr, kNoCel},
    {"expr_evaluate", nullptr, kNoCel},
    {"expr_delete", nullptr, kNoCel},
}};

}  // namespace

std::span<const ForeignFunction> foreign_functions() {
  return kFunctions;
}

const ForeignFunction* find_foreign_function(std::string_view name) {
  const auto* found = std::find_if(kFunctions.begin(), kFunctions.end(), [&](const auto& f) { return f.name == name; });
  return found == kFunctions.end() ? nullptr : found;
}

}  // namespace inlay::host
