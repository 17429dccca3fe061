// SPDX-License-Identifier: Apache-2.0
#pragma once

// Forms: what the text of a value must look like, beyond being a string or a number.

#include <cstdint>
#include <string>
#include <string_view>

namespace inlay::deploy {

enum class Form : uint8_t {
  kText,        // any text without control characters
  kLabel,       // an RFC 1123 label: what Kubernetes takes for a Namespace, a Service, a container
  kLabelKey,    // a label's key: [prefix/]name
  kLabelValue,  // a label's value
  kName,        // a plugin's, a VM's or a cluster's name: no white space, no quotes
  kFile,        // a file's name
  kHost,        // a DNS name or an IPv4 address
  kIp,          // an IPv4 address
  kPort,        // 1 to 65535 (a number)
  kUser,        // a user's number, 1 or more: root is not for workloads
  kTokenLife,   // seconds for which the API server gives a token: 600 or more (a number)
  kSha256,      // 64 hexadecimal digits
  kOci,         // oci://registry/name[:tag]@sha256:<64 hexadecimal digits>
  kHttpUrl,     // http:// or https://, a host, a path
  kImage,       // a container image
  kVariable,    // an environment variable
  kSecretKey,   // a key in a Secret's data
  kPath,        // an HTTP path
  kQuantity,    // a Kubernetes quantity of processor time or memory
  kIstio,       // a version of Istio, MAJOR.MINOR
};

// "" when `text` has the form, else what would be right: "expected a DNS label such as `orders`".
std::string check_form(Form form, std::string_view text);
// The same for the forms of a number.
std::string check_form(Form form, uint64_t number);
// For the reference: "DNS label"; "" for kText.
std::string_view form_name(Form form);

// The parts of a URL that check_form(Form::kHttpUrl) takes. The port is that of the scheme when none is written.
struct HttpUrl {
  bool tls = false;
  std::string host;
  uint32_t port = 0;
  std::string path;  // with its slash
};
HttpUrl split_http_url(std::string_view url);

// Whether `text` is an IPv4 address in dotted form.
bool is_ipv4(std::string_view text);

}  // namespace inlay::deploy
