// SPDX-License-Identifier: Apache-2.0
#include "proxy/downstream/client_address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace inlay::proxy::downstream {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool starts_with_bits(const unsigned char* address, const unsigned char* prefix, uint32_t bits) {
  const size_t whole = bits / 8;
  if (!std::equal(prefix, prefix + whole, address)) return false;
  const uint32_t rest = bits % 8;
  return rest == 0 || ((address[whole] ^ prefix[whole]) >> (8 - rest)) == 0;
}

}  // namespace

bool join_forwarded_for(const http::HeaderMap& headers, std::string& out) {
  bool found = false;
  out.clear();
  for (const auto& entry : headers) {
    if (entry.id != http::HeaderId::kXForwardedFor) continue;
    if (found) out += ',';
    out += entry.value;
    found = true;
  }
  return found;
}

std::optional<std::string> forwarded_address(std::string_view forwarded_for, uint32_t skip) {
  for (; skip > 0; --skip) {
    const size_t comma = forwarded_for.rfind(',');
    if (comma == std::string_view::npos) return std::nullopt;
    forwarded_for = forwarded_for.substr(0, comma);
  }
  const std::string last(trim(forwarded_for.substr(forwarded_for.rfind(',') + 1)));  // npos + 1 is 0
  for (const int family : {AF_INET, AF_INET6}) {
    in6_addr address{};
    char text[INET6_ADDRSTRLEN];
    if (inet_pton(family, last.c_str(), &address) == 1 && inet_ntop(family, &address, text, sizeof text) != nullptr)
      return text;
  }
  return std::nullopt;
}

bool is_in_ranges(const std::string& ip, const std::vector<config::CidrRange>& ranges) {
  unsigned char address[16];
  const bool v6 = ip.find(':') != std::string::npos;
  if (inet_pton(v6 ? AF_INET6 : AF_INET, ip.c_str(), address) != 1) return false;
  return std::any_of(ranges.begin(), ranges.end(), [&](const config::CidrRange& range) {
    return range.v6 == v6 && starts_with_bits(address, range.address.data(), range.prefix_len);
  });
}

}  // namespace inlay::proxy::downstream
