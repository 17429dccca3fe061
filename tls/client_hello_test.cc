// SPDX-License-Identifier: Apache-2.0
#include "tls/client_hello.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace inlay::tls {
namespace {

using Kind = FirstBytes::Kind;

// The ClientHello that OpenSSL sends to a server of this name.
std::string client_hello(const char* name) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL* ssl = SSL_new(context.get());
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
  if (name != nullptr) SSL_set_tlsext_host_name(ssl, name);
  SSL_connect(ssl);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string bytes(data, static_cast<size_t>(size));
  SSL_free(ssl);
  return bytes;
}

TEST(ClientHello, NamesTheServerInLowerCase) {
  const FirstBytes first = read_first_bytes(client_hello("A.Test"));
  EXPECT_EQ(first.kind, Kind::kTls);
  EXPECT_EQ(first.server_name, "a.test");
  EXPECT_EQ(read_first_bytes(client_hello(nullptr)).kind, Kind::kTls);
  EXPECT_EQ(read_first_bytes(client_hello(nullptr)).server_name, "");
}

TEST(ClientHello, IsIncompleteUntilItsLastByte) {
  const std::string bytes = client_hello("a.test");
  for (size_t size = 0; size < bytes.size(); ++size)
    ASSERT_EQ(read_first_bytes(bytes.substr(0, size)).kind, Kind::kIncomplete) << size;
  EXPECT_EQ(read_first_bytes(bytes + "more").server_name, "a.test");
}

// A client may cut its message into records as it likes.
TEST(ClientHello, MayStandInSeveralRecords) {
  const std::string bytes = client_hello("a.test");
  std::string cut;
  for (size_t at = 5; at < bytes.size(); at += 7) {
    const std::string piece = bytes.substr(at, 7);
    cut += bytes.substr(0, 3) + '\0' + static_cast<char>(piece.size()) + piece;
  }
  EXPECT_EQ(read_first_bytes(cut).server_name, "a.test");
}

TEST(ClientHello, OfWhatIsNone) {
  for (const std::string_view plain : {"G", "GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0", "\x16\x02zzzz"})
    EXPECT_EQ(read_first_bytes(plain).kind, Kind::kPlain) << plain;
  // An alert in its place, a length beyond the end, and one that never ends: for the handshake to refuse.
  EXPECT_EQ(read_first_bytes(std::string("\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9)).server_name, "");
  EXPECT_EQ(read_first_bytes("\x16\x03\x01" + std::string(kMostClientHello, '\xff')).kind, Kind::kTls);
  std::string bytes = client_hello("a.test");
  for (size_t i = 9; i < bytes.size(); ++i) {
    std::string broken = bytes;
    broken[i] = static_cast<char>(0xff);
    EXPECT_NE(read_first_bytes(broken).kind, Kind::kPlain);
  }
}

// No host has such a name, and a chain is looked for by each rest of it.
TEST(ClientHello, TakesNoNameThatIsNone) {
  const auto named = [](const std::string& name) {
    std::string bytes = client_hello(std::string(name.size(), 'x').c_str());
    const size_t at = bytes.find(std::string(name.size(), 'x'));
    return read_first_bytes(bytes.replace(at, name.size(), name)).server_name;
  };
  EXPECT_EQ(named("a.test"), "a.test");
  EXPECT_EQ(named(std::string(255, '.')), std::string(255, '.'));
  EXPECT_EQ(named(std::string("a\0.test", 7)), "");
  // Longer than OpenSSL would send: of a name of 250 bytes and its lengths.
  std::string longer = client_hello(std::string(250, 'x').c_str());
  const size_t at = longer.find(std::string(250, 'x'));
  const auto add = [&](size_t place, size_t size) {
    size_t value = 0;
    for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<uint8_t>(longer[place + i]);
    value += 6;
    for (size_t i = size; i-- > 0; value >>= 8) longer[place + i] = static_cast<char>(value);
  };
  add(at - 2, 2);  // the name
  add(at - 5, 2);  // the list of names
  add(at - 7, 2);  // the extension
  const size_t session = 43;
  const size_t suites = session + 1 + static_cast<uint8_t>(longer[session]);
  const size_t compressions =
      suites + 2 + (static_cast<uint8_t>(longer[suites]) << 8 | static_cast<uint8_t>(longer[suites + 1]));
  add(compressions + 1 + static_cast<uint8_t>(longer[compressions]), 2);  // all extensions
  add(6, 3);                                                              // the message
  add(3, 2);                                                              // the record
  longer.insert(at, "yyyyyy");
  EXPECT_EQ(read_first_bytes(longer).kind, Kind::kTls);
  EXPECT_EQ(read_first_bytes(longer).server_name, "");
}

}  // namespace
}  // namespace inlay::tls
