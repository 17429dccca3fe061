// SPDX-License-Identifier: Apache-2.0
// Foreign functions, through a guest that calls whatever a request asks for.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "base/ascii.h"
#include "base/proto_wire.h"
#include "host/foreign.h"
#include "host/functions_fixture.h"
#include "host/guest_limits.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

using abi::Status;

// Calls the function that the header x-call names with the request's body as the argument; the response's body becomes
// the result. Logs the status.
std::string caller() {
  GuestText text;
  text.allocator = R"((global $next (mut i32) (i32.const 131072))
    (func (export "proxy_on_memory_allocate") (param $n i32) (result i32) (local $at i32)
      (local.set $at (global.get $next))
      (global.set $next (i32.add (global.get $next) (local.get $n)))
      (loop $more
        (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
          (then (if (i32.eq (memory.grow (i32.const 64)) (i32.const -1)) (then (return (i32.const 0)))) (br $more))))
      (local.get $at)))";
  return guest(import_proxy("log", 3) + import_proxy("call_foreign_function", 6) +
                   import_proxy("get_header_map_value", 5) + import_proxy("get_buffer_bytes", 5) +
                   import_proxy("set_buffer_bytes", 5) + import_proxy("set_property", 4),
               kLogNumber + R"(
    (data (i32.const 0) "x-call")
    (data (i32.const 16) "state")
    (global $result (mut i32) (i32.const 0)) (global $size (mut i32) (i32.const 0))
    (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
      (drop (call $get_header_map_value (i32.const 0) (i32.const 0) (i32.const 6) (i32.const 32) (i32.const 36)))
      (drop (call $get_buffer_bytes (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 40) (i32.const 44)))
      (i32.store (i32.const 48) (i32.const 0)) (i32.store (i32.const 52) (i32.const 0))
      (call $log_number (call $call_foreign_function (i32.load (i32.const 32)) (i32.load (i32.const 36))
        (i32.load (i32.const 40)) (i32.load (i32.const 44)) (i32.const 48) (i32.const 52)))
      (global.set $result (i32.load (i32.const 48))) (global.set $size (i32.load (i32.const 52)))
      (i32.const 0))
    (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
      (drop (call $set_buffer_bytes (i32.const 1) (i32.const 0) (i32.const -1) (global.get $result) (global.get $size)))
      (i32.const 0))
    (func (export "proxy_on_request_trailers") (param i32 i32) (result i32)
      (call $log_number (call $set_property (i32.const 16) (i32.const 5) (i32.const 0) (i32.const 1)))
      (i32.const 0)))",
               text);
}

struct Answer {
  Status status;
  std::string result;
};

class HostForeign : public GuestTest {
 protected:
  Answer call(TestProxy& proxy, WorkerPlugin& plugin, const std::string& name, const std::string& argument) {
    proxy.log().clear();
    auto stream = proxy.stream(plugin, {{":path", "/"}, {"x-call", name}});
    stream->request_body(argument, true);
    const std::string status = proxy.log().lines().back().text;
    stream->response_headers({{":status", "200"}}, false);
    stream->response_body("old", true);
    return {static_cast<Status>(std::stoul(status.substr(status.find(": ") + 2))), stream->response_buffer.to_string()};
  }
};
INLAY_BOTH_ENGINES(HostForeign);

TEST_P(HostForeign, CompressedBytesComeBack) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  const std::string text = "to be or not to be, to be or not to be, that is the question";
  const Answer small = call(proxy, plugin, "compress", text);
  EXPECT_EQ(small.status, Status::kOk);
  EXPECT_LT(small.result.size(), text.size());
  EXPECT_EQ(small.result.substr(0, 1), "\x78") << "a zlib stream, not gzip and not bare deflate";
  const Answer back = call(proxy, plugin, "uncompress", small.result + "what follows is ignored");
  EXPECT_EQ(back.status, Status::kOk);
  EXPECT_EQ(back.result, text);
  const Answer nothing = call(proxy, plugin, "compress", "");
  EXPECT_EQ(nothing.status, Status::kOk);
  const Answer empty = call(proxy, plugin, "uncompress", nothing.result);
  EXPECT_EQ(empty.status, Status::kOk);
  EXPECT_EQ(empty.result, "");
}

TEST_P(HostForeign, WhatIsNoZlibStreamIsASerializationFailure) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  const Answer good = call(proxy, plugin, "compress", std::string(1000, 'x'));
  EXPECT_EQ(call(proxy, plugin, "uncompress", "").status, Status::kSerializationFailure);
  EXPECT_EQ(call(proxy, plugin, "uncompress", "no stream").status, Status::kSerializationFailure);
  EXPECT_EQ(call(proxy, plugin, "uncompress", good.result.substr(0, good.result.size() - 1)).status,
            Status::kSerializationFailure);
}

// 16 MiB come out of 16 KiB; a byte more is refused, and nothing of it is kept.
TEST_P(HostForeign, ABombDoesNotGoOff) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  const Answer fits = call(proxy, plugin, "compress", std::string(limits::kCompressionBytes, '\0'));
  ASSERT_EQ(fits.status, Status::kOk);
  EXPECT_LT(fits.result.size(), 64u * 1024);
  const Answer back = call(proxy, plugin, "uncompress", fits.result);
  EXPECT_EQ(back.status, Status::kOk);
  EXPECT_EQ(back.result.size(), limits::kCompressionBytes);
  EXPECT_EQ(call(proxy, plugin, "compress", std::string(limits::kCompressionBytes + 1, '\0')).status,
            Status::kInternalFailure);
  EXPECT_EQ(proxy.log().count("compression of more than 16 MiB"), 1u) << "it is said once";
}

TEST_P(HostForeign, UnknownAndLeftOutFunctionsAreNotFound) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  EXPECT_EQ(call(proxy, plugin, "no_such_function", "").status, Status::kNotFound);
  EXPECT_EQ(call(proxy, plugin, "", "").status, Status::kNotFound);
  EXPECT_EQ(call(proxy, plugin, "expr_create", "request.path").status, Status::kNotFound);
  EXPECT_EQ(proxy.log().count("the foreign function expr_create is not there: no CEL"), 1u);
}

TEST_P(HostForeign, ProxyStateIsWhatTheProxySaysItIs) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  std::string argument;
  put_string(argument, 1, "envoy.some.object");
  put_string(argument, 2, "value");
  EXPECT_EQ(call(proxy, plugin, "set_envoy_filter_state", argument).status, Status::kNotFound);
  EXPECT_EQ(proxy.log().count("no object 'envoy.some.object' that this proxy acts on"), 1u);
  EXPECT_EQ(call(proxy, plugin, "set_envoy_filter_state", "\x0a").status, Status::kBadArgument);
  auto stream = proxy.stream(plugin, {{":path", "/"}, {"x-call", "set_envoy_filter_state"}});
  stream->proxy_state["envoy.some.object"] = "";
  stream->request_body(argument, true);
  EXPECT_EQ(stream->proxy_state["envoy.some.object"], "value");
}

// --- declare_property ---

std::string declaration(const std::string& name, bool read_only, uint64_t span) {
  std::string out;
  put_string(out, 1, name);
  put_bool(out, 2, read_only);
  put_tag(out, 3, ProtoWire::kVarint);
  put_varint(out, 1);  // String
  put_tag(out, 5, ProtoWire::kVarint);
  put_varint(out, span);
  return out;
}

std::string wat_bytes(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    append_hex(text += '\\', c);
  }
  return text;
}

TEST_P(HostForeign, ADeclaredPropertyIsReadOnlyAndOfTheConnection) {
  TestProxy proxy(options());
  const std::string argument = declaration("mine", true, 2);
  auto& plugin = load(
      proxy, guest(import_proxy("log", 3) + import_proxy("call_foreign_function", 6) + import_proxy("set_property", 4),
                   kLogNumber + "(data (i32.const 0) \"declare_property\")(data (i32.const 32) \"" +
                       wat_bytes(argument) + "\")(data (i32.const 96) \"mine\" \"free\")" + R"(
    (func $declare (result i32)
      (call $call_foreign_function (i32.const 0) (i32.const 16) (i32.const 32) (i32.const )" +
                       std::to_string(argument.size()) + R"() (i32.const 0) (i32.const 0)))
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
      (call $log_number (call $declare)) (call $log_number (call $declare)) (i32.const 1)))" +
                       on_request_headers(R"(
      (call $log_number (call $declare)) (call $log_number (call $declare))
      (call $log_number (call $set_property (i32.const 96) (i32.const 4) (i32.const 0) (i32.const 1)))
      (call $log_number (call $set_property (i32.const 96) (i32.const 4) (i32.const 0) (i32.const 2)))
      (call $log_number (call $set_property (i32.const 100) (i32.const 4) (i32.const 0) (i32.const 1)))
      (call $log_number (call $set_property (i32.const 100) (i32.const 4) (i32.const 0) (i32.const 2))))")));
  EXPECT_EQ(story(proxy), "0 2 0 2") << "canary and worker: the second time it is declared already";
  auto stream = proxy.stream(plugin, kRequest);
  stream->request_headers();
  EXPECT_EQ(story(proxy), "0 0 0 2 0 0") << "a stream's own declaration changes nothing";
  EXPECT_EQ(stream->filter_state["wasm.mine"], "d");
  EXPECT_TRUE(stream->traits["wasm.mine"].of_connection);
  EXPECT_EQ(stream->filter_state["wasm.free"], "de");
  EXPECT_FALSE(stream->traits["wasm.free"].of_connection);
}

TEST_P(HostForeign, ADeclarationThatIsNoMessageIsABadArgument) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  EXPECT_EQ(call(proxy, plugin, "declare_property", "\x0a\xff").status, Status::kBadArgument);
}

// --- signatures: OpenSSL is the other side ---

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

template <class Write>
std::string pem(Write write) {
  BIO* bio = BIO_new(BIO_s_mem());
  write(bio);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}
std::string public_pem(EVP_PKEY* key) {
  return pem([&](BIO* bio) { PEM_write_bio_PUBKEY(bio, key); });
}
std::string private_pem(EVP_PKEY* key) {
  return pem([&](BIO* bio) { PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}
std::string encrypted_pem(EVP_PKEY* key) {
  return pem(
      [&](BIO* bio) { PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), "word", 4, nullptr, nullptr); });
}
std::string public_der(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  std::string text(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return text;
}
std::string private_der(EVP_PKEY* key) {
  return pem([&](BIO* bio) { i2d_PKCS8PrivateKey_bio(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

// A message's fields as "1=1 3=..."; the protobuf result of both functions.
std::string fields(std::string_view bytes) {
  std::string text;
  ProtoReader reader(bytes);
  for (ProtoField f; reader.next(f);) {
    text += (text.empty() ? "" : " ") + std::to_string(f.number) + "=";
    text += f.is_bytes() ? std::string(f.bytes) : std::to_string(f.value);
  }
  return text;
}
std::string bytes_of(std::string_view message, uint32_t number) {
  ProtoReader reader(message);
  for (ProtoField f; reader.next(f);)
    if (f.number == number) return std::string(f.bytes);
  return {};
}

std::string signature_by(EVP_PKEY* key, const EVP_MD* digest, std::string_view text) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  size_t size = 512;
  std::string signature(size, '\0');
  const auto* from = reinterpret_cast<const unsigned char*>(text.data());
  EXPECT_EQ(EVP_DigestSignInit(context, nullptr, digest, nullptr, key), 1);
  EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, from, text.size()), 1);
  EVP_MD_CTX_free(context);
  signature.resize(size);
  return signature;
}

std::string to_verify(std::string_view hash, std::string_view der, std::string_view pem_text,
                      std::string_view signature, std::string_view text) {
  std::string out;
  put_string(out, 1, hash);
  put_string(out, 2, der);
  put_string(out, 3, signature);
  put_string(out, 4, text);
  put_string(out, 5, pem_text);
  return out;
}
std::string to_sign(std::string_view hash, std::string_view der, std::string_view pem_text, std::string_view text) {
  std::string out;
  put_string(out, 1, hash);
  put_string(out, 2, der);
  put_string(out, 3, text);
  put_string(out, 4, pem_text);
  return out;
}

TEST_P(HostForeign, SignaturesAreVerified) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  const Key rsa(EVP_RSA_gen(2048));
  const Key ec(EVP_EC_gen("P-256"));
  for (EVP_PKEY* key : {rsa.get(), ec.get()}) {
    const std::string good = signature_by(key, EVP_sha256(), "text");
    const auto verify = [&](std::string_view hash, std::string_view der, std::string_view pem_text,
                            std::string_view signature, std::string_view text) {
      const Answer a = call(proxy, plugin, "verify_signature", to_verify(hash, der, pem_text, signature, text));
      return a.status == Status::kOk ? fields(a.result) : "status " + std::to_string(static_cast<uint32_t>(a.status));
    };
    EXPECT_EQ(verify("sha256", public_der(key), "", good, "text"), "1=1");
    EXPECT_EQ(verify("SHA256", "", public_pem(key), good, "text"), "1=1");
    EXPECT_EQ(verify("sha256", "", public_pem(key), good, "other"), "2=Failed to verify digest. Error code: 0");
    EXPECT_EQ(verify("sha512", "", public_pem(key), good, "text"), "2=Failed to verify digest. Error code: 0");
    EXPECT_EQ(verify("sha256", "", public_pem(key), "short", "text"), "2=Failed to verify digest. Error code: 0");
    EXPECT_EQ(verify("md5", "", public_pem(key), good, "text"), "2=md5 is not supported.");
    EXPECT_EQ(verify("sha256", "no key", "", good, "text"), "2=Failed to initialize digest verify.");
    EXPECT_EQ(verify("sha256", "", "", good, "text"), "status 2") << "no key";
    EXPECT_EQ(verify("sha256", public_der(key), public_pem(key), good, "text"), "status 2") << "two keys";
  }
  EXPECT_EQ(call(proxy, plugin, "verify_signature", "\x0a").status, Status::kBadArgument);
}

TEST_P(HostForeign, SignaturesAreMade) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, caller());
  const Key rsa(EVP_RSA_gen(2048));
  const Key ec(EVP_EC_gen("P-256"));
  for (EVP_PKEY* key : {rsa.get(), ec.get()}) {
    for (const bool as_der : {false, true}) {
      const Answer a = call(proxy, plugin, "sign",
                            to_sign("sha384", as_der ? private_der(key) : "", as_der ? "" : private_pem(key), "text"));
      ASSERT_EQ(a.status, Status::kOk);
      const std::string signature = bytes_of(a.result, 2);
      EVP_MD_CTX* context = EVP_MD_CTX_new();
      EVP_DigestVerifyInit(context, nullptr, EVP_sha384(), nullptr, key);
      EXPECT_EQ(EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                 reinterpret_cast<const unsigned char*>("text"), 4),
                1);
      EVP_MD_CTX_free(context);
    }
  }
  const auto fails = [&](const std::string& argument) {
    const Answer a = call(proxy, plugin, "sign", argument);
    return a.status == Status::kOk ? fields(a.result) : "status " + std::to_string(static_cast<uint32_t>(a.status));
  };
  EXPECT_EQ(fails(to_sign("sha1x", "", private_pem(ec.get()), "t")), "3=sha1x is not supported.");
  EXPECT_EQ(fails(to_sign("sha256", "", encrypted_pem(ec.get()), "t")), "3=Failed to initialize digest sign.")
      << "nobody is asked for a pass phrase";
  EXPECT_EQ(fails(to_sign("sha256", "", public_pem(ec.get()), "t")), "3=Failed to initialize digest sign.");
  EXPECT_EQ(fails(to_sign("sha256", "", std::string(limits::kKeyBytes + 1, '-'), "t")),
            "3=Failed to initialize digest sign.");
  EXPECT_EQ(fails(to_sign("sha256", "", "", "t")), "status 2");
}

// --- the function itself ---

TEST_P(HostForeign, AGuestNeedNotTakeTheResult) {
  TestProxy proxy(options());
  auto& plugin = load(
      proxy, guest(import_proxy("log", 3) + import_proxy("call_foreign_function", 6) + import_proxy("grpc_cancel", 1),
                   kLogNumber + R"(
    (data (i32.const 0) "clear_route_cachecompress"))" +
                       on_request_headers(R"(
      (call $log_number (call $call_foreign_function (i32.const 0) (i32.const 17) (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 68)))
      (call $log_number (call $call_foreign_function (i32.const 17) (i32.const 8) (i32.const 0) (i32.const 5) (i32.const 0) (i32.const 0)))
      (call $log_number (i32.load8_u (i32.const 0)))
      (call $log_number (call $call_foreign_function (i32.const 17) (i32.const 8) (i32.const 0) (i32.const 5) (i32.const 0) (i32.const 68)))
      (call $log_number (i32.load (i32.const 68)))
      (call $log_number (call $call_foreign_function (i32.const 0) (i32.const -1) (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 68)))
      (call $log_number (call $call_foreign_function (i32.const 0) (i32.const 17) (i32.const -4) (i32.const 5) (i32.const 64) (i32.const 68)))
      (call $log_number (call $call_foreign_function (i32.const 17) (i32.const 8) (i32.const 0) (i32.const 5) (i32.const -1) (i32.const 68)))
      (call $log_number (call $grpc_cancel (i32.const 1)))
      (call $log_number (call $grpc_cancel (i32.const 3))))")));
  auto stream = proxy.stream(plugin, kRequest);
  stream->request_headers();
  EXPECT_EQ(stream->route_cache_clears, 1u);
  EXPECT_EQ(story(proxy), "0 0 99 0 13 6 6 6 1 2") << "99: 'c', address 0 was not written to";
}

TEST(ForeignFunctions, EachIsDescribed) {
  for (const auto& function : foreign_functions()) EXPECT_FALSE(function.note.empty()) << function.name;
  EXPECT_EQ(find_foreign_function("nope"), nullptr);
}

}  // namespace
}  // namespace inlay::host
