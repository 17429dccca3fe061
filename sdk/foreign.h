// SPDX-License-Identifier: Apache-2.0
#pragma once

// Foreign functions: what a host offers beyond the ABI, by name. Those below are Envoy's (1.40, "foreign functions" of
// its Wasm extension; docs/reference/abi.md has what Inlay does for each). They act at once, in the callback or task
// that calls them; arguments are only read during the call. Each gives kNotFound on a host without the function, and
// kInternalFailure when there is no memory for its argument.
//
//     auto small = compress("a long text");  // a zlib stream
//     if (small) (void)set_shared_data("cache", small->view());
//
//     // In on_configure: the property lives as long as the connection, and its first value stays.
//     auto declared = declare_property(
//         {.name = "tenant", .read_only = true, .span = LifeSpan::kDownstreamConnection});
//     if (!declared) log_error("tenant: ", declared.error());

#include <cstdint>
#include <cstring>
#include <string_view>

#include "sdk/bytes.h"
#include "sdk/detail/proto.h"
#include "sdk/host_functions.h"

namespace inlay::sdk {

// call_foreign_function: any function, by name, with an argument in the form that the function asks for, often
// protobuf. Gives its result, which may be empty. kNotFound if the host has none of that name; what else may go wrong
// is the function's.
inline Result<Bytes> call_foreign_function(std::string_view name, std::string_view argument = {}) {
  char* data = nullptr;
  size_t size = 0;
  const Status status =
      proxy_call_foreign_function(name.data(), name.size(), argument.data(), argument.size(), &data, &size);
  if (status != Status::kOk) return status;
  return Bytes(data, size);
}

// compress, uncompress: zlib streams (RFC 1950). kSerializationFailure: what is to be uncompressed is none.
// kInternalFailure: larger than the host allows.
inline Result<Bytes> compress(std::string_view bytes) {
  return call_foreign_function("compress", bytes);
}
inline Result<Bytes> uncompress(std::string_view stream) {
  return call_foreign_function("uncompress", stream);
}

// clear_route_cache: makes the host choose the request's route anew, after a filter has changed what it is chosen by
// (headers, mostly). In a stream's callback, before the request goes on. In Inlay the route is chosen after the filters
// anyway.
inline Result<> clear_route_cache() {
  auto done = call_foreign_function("clear_route_cache");
  if (!done) return done.error();
  return {};
}

// LifeSpan: how long filter state lives: the first two, as long as the request; kDownstreamConnection, so that later
// requests of the connection see it too.
enum class LifeSpan : uint32_t { kFilterChain = 0, kDownstreamRequest = 1, kDownstreamConnection = 2 };

// PropertyDeclaration: of a property that the plugin's streams will set.
struct PropertyDeclaration {
  std::string_view name;   // as set_property's path
  bool read_only = false;  // the first set_property counts; later ones are kBadArgument
  LifeSpan span = LifeSpan::kFilterChain;
};

// declare_property: what set_property(name) of the plugin's streams means from now on. In a root context, before the
// first stream. kBadArgument if it is declared already.
inline Result<> declare_property(const PropertyDeclaration& declaration) {
  constexpr uint32_t kString = 1;
  detail::ProtoWriter message(declaration.name.size() + 4 * detail::ProtoWriter::kFieldCost);
  message.add(1, declaration.name).add(2, declaration.read_only ? 1u : 0u).add(3, kString);
  message.add(5, static_cast<uint32_t>(declaration.span));
  if (!message.ok()) return Status::kInternalFailure;
  auto done = call_foreign_function("declare_property", message.view());
  if (!done) return done.error();
  return {};
}

// set_envoy_filter_state: sets an object that the proxy itself acts on, such as "envoy.tcp_proxy.cluster" of a TCP
// connection, the cluster that it goes to. In a stream's or connection's callback. kNotFound: the proxy has none of
// that key; kBadArgument: it does not take that value. (Inlay has that one.)
inline Result<> set_envoy_filter_state(std::string_view key, std::string_view value,
                                       LifeSpan span = LifeSpan::kFilterChain) {
  detail::ProtoWriter message(key.size() + value.size() + 3 * detail::ProtoWriter::kFieldCost);
  message.add(1, key).add(2, value).add(3, static_cast<uint32_t>(span));
  if (!message.ok()) return Status::kInternalFailure;
  auto done = call_foreign_function("set_envoy_filter_state", message.view());
  if (!done) return done.error();
  return {};
}

// CryptoKey: an RSA (at most 8192 bits in Inlay) or ECDSA key, in one of both forms. A public one is a
// SubjectPublicKeyInfo, a private one PKCS #8 without a pass phrase.
struct CryptoKey {
  std::string_view der;
  std::string_view pem;
};

// verify_signature: whether `signature` is that of `text` under the hash function (sha1, sha224, sha256, sha384,
// sha512) and the key; RSA signatures are PKCS #1 v1.5. False also for a key or hash function that the host does not
// know; kBadArgument for no key or two.
inline Result<bool> verify_signature(std::string_view hash, const CryptoKey& public_key, std::string_view signature,
                                     std::string_view text) {
  detail::ProtoWriter message(hash.size() + public_key.der.size() + public_key.pem.size() + signature.size() +
                              text.size() + 5 * detail::ProtoWriter::kFieldCost);
  message.add(1, hash).add(2, public_key.der).add(3, signature).add(4, text).add(5, public_key.pem);
  if (!message.ok()) return Status::kInternalFailure;
  auto answer = call_foreign_function("verify_signature", message.view());
  if (!answer) return answer.error();
  const auto verified = detail::proto_field(answer->view(), 1);
  return verified && verified->number != 0;
}

// sign: the signature of `text`, as verify_signature takes it. Envoy has it since 1.37. kInternalFailure for a key or
// hash function that the host does not know; kBadArgument for no key or two.
inline Result<Bytes> sign(std::string_view hash, const CryptoKey& private_key, std::string_view text) {
  detail::ProtoWriter message(hash.size() + private_key.der.size() + private_key.pem.size() + text.size() +
                              4 * detail::ProtoWriter::kFieldCost);
  message.add(1, hash).add(2, private_key.der).add(3, text).add(4, private_key.pem);
  if (!message.ok()) return Status::kInternalFailure;
  auto answer = call_foreign_function("sign", message.view());
  if (!answer) return answer.error();
  const auto done = detail::proto_field(answer->view(), 1);
  const auto signature = detail::proto_field(answer->view(), 2);
  if (!done || done->number == 0 || !signature) return Status::kInternalFailure;
  Bytes copy = Bytes::allocate(signature->text.size());
  if (copy.data() == nullptr) return Status::kInternalFailure;
  std::memcpy(copy.data(), signature->text.data(), signature->text.size());
  return copy;
}

}  // namespace inlay::sdk
