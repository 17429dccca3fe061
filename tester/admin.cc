// SPDX-License-Identifier: Apache-2.0
#include "tester/admin.h"

#include <poll.h>

#include <chrono>
#include <cstdlib>

#include "tester/socket.h"

namespace inlay::tester {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{10};

// Of a body in chunks.
std::string joined(const std::string& chunks) {
  std::string body;
  for (size_t at = 0; at < chunks.size();) {
    const size_t line = chunks.find("\r\n", at);
    const size_t size = std::strtoul(chunks.c_str() + at, nullptr, 16);
    if (line == std::string::npos || size == 0) break;
    body += chunks.substr(line + 2, size);
    at = line + 2 + size + 2;
  }
  return body;
}

}  // namespace

std::string admin_get(uint16_t port, const std::string& path) {
  Socket admin = Socket::connect(port);
  if (!admin.open()) return {};
  admin.send("GET " + path + " HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
  std::string page;
  std::string bytes;
  for (const auto begin = Clock::now(); Clock::now() - begin < kPatience;) {
    const Socket::Read got = admin.read(bytes);
    if (got == Socket::Read::kBytes) page += bytes;
    if (got == Socket::Read::kEnd || got == Socket::Read::kReset) break;
    if (got == Socket::Read::kNothing) poll(nullptr, 0, 1);
  }
  const size_t end = page.find("\r\n\r\n");
  if (end == std::string::npos) return {};
  const bool chunked = page.substr(0, end).find("transfer-encoding: chunked") != std::string::npos;
  page.erase(0, end + 4);
  return chunked ? joined(page) : page;
}

std::string stat_of(const std::string& page, const std::string& name) {
  const std::string line = name + ": ";
  const size_t at = page.starts_with(line) ? 0 : page.find("\n" + line);
  if (at == std::string::npos) return "absent";
  const size_t from = page.find(line, at) + line.size();
  return page.substr(from, page.find_first_of("\r\n", from) - from);
}

}  // namespace inlay::tester
