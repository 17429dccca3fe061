// SPDX-License-Identifier: Apache-2.0
#include "http/http1_writer.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "http/status_reason.h"

namespace inlay::http {
namespace {

// Writes into space that is known to suffice.
class Cursor {
 public:
  explicit Cursor(char* at) : at_(at) {}
  void put(std::string_view text) {
    if (text.empty()) return;
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void end_line() {
    put("\r\n");
    ++lines_;
  }
  void field(std::string_view name, std::string_view value) {
    put(name);
    put(": ");
    put(value);
    end_line();
  }
  char* at() const { return at_; }
  size_t lines() const { return lines_; }

 private:
  char* at_;
  size_t lines_ = 0;
};

constexpr size_t kFixedText = 128;  // version, reason, framing fields
constexpr size_t kFieldText = 4;    // ": " and CRLF

size_t largest_size(const HeaderMap& headers) {
  return headers.byte_size() + headers.size() * kFieldText + kFixedText;
}

// How many CR and LF there are, sixteen bytes at a time: the cheapest way to see that no value smuggles in a line.
size_t count_line_ends(const char* p, const char* end) {
  using Lanes __attribute__((vector_size(16))) = uint8_t;
  size_t count = 0;
  while (end - p >= 16) {
    Lanes sums{};  // a lane counts at most 2 a step
    for (int i = 0; i < 100 && end - p >= 16; ++i, p += 16) {
      Lanes bytes;
      std::memcpy(&bytes, p, 16);
      sums -= reinterpret_cast<Lanes>(bytes == '\r');
      sums -= reinterpret_cast<Lanes>(bytes == '\n');
    }
    for (int i = 0; i < 16; ++i) count += sums[i];
  }
  for (; p < end; ++p) count += *p == '\r' || *p == '\n';
  return count;
}

bool is_path_text(std::string_view path) {
  for (char c : path) {
    if (static_cast<uint8_t>(c) <= ' ' || c == 0x7f) return false;
  }
  return !path.empty();
}

std::string encode_path(std::string_view path) {
  std::string result;
  for (char c : path) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte > ' ' && byte != 0x7f) {
      result += c;
    } else {
      result += {'%', kUpperHex[byte >> 4], kUpperHex[byte & 15]};
    }
  }
  return result.empty() ? "/" : result;
}

void put_fields(const HeaderMap& headers, BodyFraming framing, bool checked, Cursor& out) {
  const bool drops_length = framing == BodyFraming::kChunked || framing == BodyFraming::kUntilClose;
  for (const auto& entry : headers) {
    if (entry.name.starts_with(':')) continue;
    if (entry.id == HeaderId::kTransferEncoding || (drops_length && entry.id == HeaderId::kContentLength)) continue;
    if (checked && !(is_header_name(entry.name) && is_header_value(entry.value))) continue;
    out.field(entry.name, entry.value);
  }
  if (framing == BodyFraming::kChunked) out.field("transfer-encoding", "chunked");
}

// Writes a head with put(cursor, checked); once more, looking at every field, when a line too many came out.
template <class Put>
void write_head(size_t largest, Buffer& out, Put put) {
  const auto space = out.reserve(largest);
  Cursor cursor(space.data());
  put(cursor, false);
  if (count_line_ends(space.data(), cursor.at()) != 2 * cursor.lines()) [[unlikely]] {
    cursor = Cursor(space.data());
    put(cursor, true);
  }
  out.commit(static_cast<size_t>(cursor.at() - space.data()));
}

std::string_view text_or(std::string_view text, std::string_view fallback, bool valid) {
  return valid && !text.empty() ? text : fallback;
}

}  // namespace

void write_request_head(const HeaderMap& headers, BodyFraming framing, Buffer& out) {
  const bool connect = headers.value(HeaderId::kMethod) == "CONNECT" && !headers.has(HeaderId::kPath);
  std::string_view path = headers.value(connect ? HeaderId::kAuthority : HeaderId::kPath);  // RFC 9112 section 3.2.3
  std::string encoded;
  if (!is_path_text(path)) path = encoded = encode_path(path);
  write_head(largest_size(headers) + encoded.size(), out, [&](Cursor& cursor, bool checked) {
    const std::string_view method = headers.value(HeaderId::kMethod);
    const std::string_view authority = headers.value(HeaderId::kAuthority);
    cursor.put(text_or(method, "GET", !checked || is_header_name(method)));
    cursor.put(" ");
    cursor.put(path);
    cursor.put(" HTTP/1.1");
    cursor.end_line();
    cursor.field("host", text_or(authority, "", !checked || is_header_value(authority)));
    put_fields(headers, framing, checked, cursor);
    cursor.end_line();
  });
}

void write_response_head(const HeaderMap& headers, BodyFraming framing, bool close, Buffer& out) {
  write_head(largest_size(headers), out, [&](Cursor& cursor, bool checked) {
    std::string_view status = headers.value(HeaderId::kStatus);
    if (!is_status(status)) status = "500";
    cursor.put("HTTP/1.1 ");
    cursor.put(status);
    cursor.put(" ");
    cursor.put(status_reason(status));
    cursor.end_line();
    put_fields(headers, framing, checked, cursor);
    if (close) cursor.field("connection", "close");
    cursor.end_line();
  });
}

void write_chunk(Buffer& data, Buffer& out) {
  if (data.empty()) return;  // an empty chunk would be the last one
  std::array<char, 18> size{};
  const auto end = std::to_chars(size.data(), size.data() + 16, data.size(), 16).ptr;
  end[0] = '\r';
  end[1] = '\n';
  out.append({size.data(), static_cast<size_t>(end + 2 - size.data())});
  out.move_from(data);
  out.append("\r\n");
}

void write_last_chunk(const HeaderMap* trailers, Buffer& out) {
  out.append("0\r\n");
  if (trailers) {
    for (const auto& entry : *trailers) {
      if (!is_header_name(entry.name) || !is_header_value(entry.value)) continue;
      out.append(entry.name);
      out.append(": ");
      out.append(entry.value);
      out.append("\r\n");
    }
  }
  out.append("\r\n");
}

}  // namespace inlay::http
