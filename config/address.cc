// SPDX-License-Identifier: Apache-2.0
// config/core/v3 Address, SocketAddress and Pipe.
#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>

#include "config/builders.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr FieldRule kAddress[] = {
    {"socket_address"},
    {"pipe", Support::kYes, "a Unix domain socket"},
    {"envoy_internal_address", Support::kNo, "use a `pipe` or a `socket_address`"},
};
constexpr FieldRule kSocketAddress[] = {
    {"protocol", Support::kOnly, "", "TCP"},
    {"address", Support::kYes, "an IP address; endpoints of DNS clusters may have a name"},
    {"port_value"},
    {"named_port", Support::kNo, "use `port_value`"},
    {"ipv4_compat", Support::kYes,
     "of endpoints, where it means nothing; of a listener it is an error: bind to an IPv4 and an IPv6 address with two "
     "listeners"},
};
constexpr FieldRule kPipe[] = {
    {"path", Support::kYes, "up to 107 bytes; `@name` is an abstract socket, without a file and without permissions"},
    {"mode", Support::kYes, "a listener's file has these permissions; without it those that the umask leaves"},
};
constexpr FieldRule kCidrRange[] = {{"address_prefix"}, {"prefix_len"}};
constexpr MessageRules kRules[] = {
    {"envoy.config.core.v3.Address", kAddress},
    {"envoy.config.core.v3.SocketAddress", kSocketAddress},
    {"envoy.config.core.v3.Pipe", kPipe},
    {"envoy.config.core.v3.CidrRange", kCidrRange},
};

}  // namespace

std::span<const MessageRules> address_rules() {
  return kRules;
}

namespace {

// Whether it is an IP address, which then is as the system writes it: "0:0::1" as "::1". Two that are the same place
// are the same text.
bool make_ip(std::string& host) {
  in6_addr buffer;
  if (host.find('\0') != std::string::npos) return false;
  if (::inet_pton(AF_INET, host.c_str(), &buffer) == 1) return true;
  if (::inet_pton(AF_INET6, host.c_str(), &buffer) != 1) return false;
  char text[INET6_ADDRSTRLEN];
  host = ::inet_ntop(AF_INET6, &buffer, text, sizeof text);
  return true;
}

// What the system has room for, with a NUL at the end.
constexpr size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr uint32_t kMostMode = 0777;

Address build_pipe(View pipe, bool resolved, BuildContext& context) {
  Address out = Address::pipe(pipe.text("path"), pipe.uint32("mode"));
  if (resolved)
    context.error(pipe, "nothing resolves a pipe: it may be an endpoint of a STATIC cluster, not of a DNS cluster");
  if (!context.require(pipe, "path")) return out;
  if (out.host.size() > kLongestPath) {
    context.field_error(pipe, "path",
                        "must have at most " + std::to_string(kLongestPath) + " bytes, has " +
                            std::to_string(out.host.size()) + "; the system takes no longer ones");
  }
  if (!out.is_abstract() && out.host.find('\0') != std::string::npos)
    context.field_error(pipe, "path", "must not have a NUL in it");
  if (out.pipe_mode > kMostMode)
    context.field_error(pipe, "mode", "must be at most 511 (0777), is " + std::to_string(out.pipe_mode));
  if (out.is_abstract() && out.pipe_mode != 0) {
    context.field_error(pipe, "mode",
                        "an abstract socket has no permissions: whoever is in the same network namespace reaches it; "
                        "use a path for what not everybody may have");
  }
  return out;
}

}  // namespace

Address build_address(View address, bool names_allowed, BuildContext& context) {
  Address out;
  if (const View pipe = address["pipe"]) return build_pipe(pipe, names_allowed, context);
  const View socket = address["socket_address"];
  if (!address) return out;
  if (!socket) {
    if (!address.has("envoy_internal_address")) context.require(address, "socket_address");
    return out;
  }
  out.host = socket.text("address");
  if (context.require(socket, "address") && !make_ip(out.host) && !names_allowed) {
    context.field_error(socket, "address",
                        document::quote(out.host) +
                            " is not an IP address; only endpoints of STRICT_DNS and "
                            "LOGICAL_DNS clusters may have a name");
  }
  const uint32_t port = socket.uint32("port_value");
  if (!socket.has("named_port")) context.require(socket, "port_value");
  if (port > 65535) context.field_error(socket, "port_value", "must be at most 65535, is " + std::to_string(port));
  out.port = static_cast<uint16_t>(port);
  return out;
}

CidrRange build_cidr_range(View range, BuildContext& context) {
  CidrRange out;
  const std::string prefix = range.text("address_prefix");
  if (!context.require(range, "address_prefix")) return out;
  out.v6 = prefix.find(':') != std::string::npos;
  if (::inet_pton(out.v6 ? AF_INET6 : AF_INET, prefix.c_str(), out.address.data()) != 1) {
    context.field_error(
        range, "address_prefix",
        document::quote(prefix) + " is not an IP address; how many of its bits count stands in `prefix_len`");
  }
  const uint32_t length = range.uint32("prefix_len");
  if (length > 128) context.field_error(range, "prefix_len", "must be at most 128, is " + std::to_string(length));
  out.prefix_len = std::min(length, out.v6 ? 128u : 32u);
  if (length == 0) {
    context.report.warning(range.node(), "has a `prefix_len` of 0, as when it is not set: every " +
                                             std::string(out.v6 ? "IPv6" : "IPv4") + " address is in this range");
  }
  return out;
}

}  // namespace inlay::config
