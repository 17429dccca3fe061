// SPDX-License-Identifier: Apache-2.0
#include "tls/client_hello.h"

#include <optional>

#include "base/ascii.h"

namespace inlay::tls {
namespace {

constexpr uint8_t kHandshakeRecord = 22;
constexpr uint8_t kClientHello = 1;
constexpr uint16_t kServerNameExtension = 0;
constexpr uint8_t kHostName = 0;
constexpr size_t kMostName = 255;  // of a name in DNS, RFC 1035 section 2.3.4; OpenSSL refuses longer ones
constexpr size_t kRecordHeader = 5;
constexpr size_t kRandom = 32;

// Takes numbers of `size` bytes and pieces off the front; once something is missing nothing is there any more.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool good() const { return good_; }
  bool empty() const { return bytes_.empty(); }
  size_t number(size_t size) {
    const std::string_view taken = bytes(size);
    size_t value = 0;
    for (const char c : taken) value = value << 8 | static_cast<uint8_t>(c);
    return value;
  }
  std::string_view bytes(size_t count) {
    if (!good_ || count > bytes_.size()) {
      good_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  // What stands behind its length.
  std::string_view vector(size_t length_size) { return bytes(number(length_size)); }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

// The handshake message that the records hold the beginning of; nullopt: it is not whole.
std::optional<std::string> first_message(std::string_view bytes) {
  std::string message;
  Reader records(bytes);
  while (!records.empty()) {
    const size_t type = records.number(1);
    records.bytes(2);  // the version of the record layer
    const std::string_view payload = records.vector(2);
    if (!records.good()) return std::nullopt;
    if (type != kHandshakeRecord) return message;
    message += payload;
    Reader header(message);
    header.number(1);
    const size_t length = header.number(3);
    if (header.good() && message.size() >= length + 4) return message.substr(0, length + 4);
  }
  return std::nullopt;
}

std::string server_name_of(std::string_view extension) {
  Reader names(Reader(extension).vector(2));
  while (!names.empty()) {
    const size_t type = names.number(1);
    const std::string_view name = names.vector(2);
    if (!names.good() || type != kHostName) continue;
    return name.size() > kMostName || name.find('\0') != std::string_view::npos ? std::string() : lower(name);
  }
  return {};
}

std::string server_name_in(std::string_view message) {
  Reader reader(message);
  if (reader.number(1) != kClientHello) return {};
  Reader hello(reader.vector(3));
  hello.bytes(2 + kRandom);
  hello.vector(1);  // session
  hello.vector(2);  // cipher suites
  hello.vector(1);  // compressions
  Reader extensions(hello.vector(2));
  while (!extensions.empty()) {
    const size_t type = extensions.number(2);
    const std::string_view body = extensions.vector(2);
    if (extensions.good() && type == kServerNameExtension) return server_name_of(body);
  }
  return {};
}

}  // namespace

FirstBytes read_first_bytes(std::string_view bytes) {
  using Kind = FirstBytes::Kind;
  if (bytes.empty()) return {};
  if (static_cast<uint8_t>(bytes[0]) != kHandshakeRecord) return {Kind::kPlain, {}};
  if (bytes.size() < kRecordHeader) return {};
  if (bytes[1] != 3) return {Kind::kPlain, {}};  // the versions of TLS are 3.1 to 3.4
  const auto message = first_message(bytes);
  if (message) return {Kind::kTls, server_name_in(*message)};
  return {bytes.size() < kMostClientHello ? Kind::kIncomplete : Kind::kTls, {}};
}

}  // namespace inlay::tls
