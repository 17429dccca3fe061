// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/forms.h"
#include "base/ascii.h"

#include <algorithm>
#include <charconv>

namespace inlay::deploy {

namespace {

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_lower_alnum(char c) {
  return is_lower(c) || is_digit(c);
}

// Not empty, at most `limit` long, only characters that `good` takes, the first and the last ones that `edge` takes.
template <class Good, class Edge>
bool made_of(std::string_view text, size_t limit, Good good, Edge edge) {
  return !text.empty() && text.size() <= limit && edge(text.front()) && edge(text.back()) &&
         std::all_of(text.begin(), text.end(), good);
}

bool is_label(std::string_view text) {
  constexpr size_t kLongest = 63;
  return made_of(
      text, kLongest, [](char c) { return is_lower_alnum(c) || c == '-'; }, is_lower_alnum);
}

bool is_host(std::string_view text) {
  constexpr size_t kLongest = 253;
  if (text.empty() || text.size() > kLongest) return false;
  while (true) {
    const size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_label_value(std::string_view text) {
  constexpr size_t kLongest = 63;
  return text.empty() ||
         made_of(
             text, kLongest, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; },
             is_alphanumeric);
}

bool is_label_key(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return !text.empty() && is_label_value(text);
  const std::string_view name = text.substr(slash + 1);
  return is_host(text.substr(0, slash)) && !name.empty() && is_label_value(name);
}

bool is_sha256(std::string_view text) {
  constexpr size_t kDigits = 64;
  return text.size() == kDigits &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

bool is_number(std::string_view text, uint64_t least, uint64_t most) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value >= least && value <= most;
}

constexpr uint64_t kLastPort = 65535;

// host[:port]
bool is_authority(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return is_host(text);
  return is_host(text.substr(0, colon)) && is_number(text.substr(colon + 1), 1, kLastPort);
}

// The name of an image with its registry and tag, without a digest.
bool is_image_name(std::string_view text) {
  return made_of(
             text, 512,
             [](char c) { return is_alphanumeric(c) || c == '.' || c == '-' || c == '_' || c == '/' || c == ':'; },
             is_alphanumeric) &&
         text.find("//") == std::string_view::npos;
}

constexpr std::string_view kDigest = "@sha256:";

bool is_image(std::string_view text) {
  const size_t at = text.find('@');
  if (at == std::string_view::npos) return is_image_name(text);
  return is_image_name(text.substr(0, at)) && text.substr(at).starts_with(kDigest) &&
         is_sha256(text.substr(at + kDigest.size()));
}

bool is_oci(std::string_view text) {
  constexpr std::string_view kScheme = "oci://";
  if (!text.starts_with(kScheme)) return false;
  text.remove_prefix(kScheme.size());
  const size_t slash = text.find('/');
  return slash != std::string_view::npos && is_authority(text.substr(0, slash)) &&
         text.find(kDigest) != std::string_view::npos && is_image(text);
}

bool is_url_character(char c) {
  return c > ' ' && c < 0x7f && std::string_view("\"<>\\^`{|}#").find(c) == std::string_view::npos;
}

bool is_http_url(std::string_view text) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    text.remove_prefix(scheme.size());
    const size_t slash = text.find('/');
    return slash != std::string_view::npos && slash + 1 < text.size() && is_authority(text.substr(0, slash)) &&
           std::all_of(text.begin(), text.end(), is_url_character);
  }
  return false;
}

bool is_variable(std::string_view text) {
  return !text.empty() && !is_digit(text[0]) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || c == '_'; });
}

bool is_secret_key(std::string_view text) {
  constexpr size_t kLongest = 253;
  return !text.empty() && text.size() <= kLongest && std::all_of(text.begin(), text.end(), [](char c) {
    return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
  });
}

bool is_plain_text(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

bool is_name(std::string_view text) {
  constexpr size_t kLongest = 253;
  return !text.empty() && text.size() <= kLongest && std::all_of(text.begin(), text.end(), is_url_character) &&
         text.find('\'') == std::string_view::npos;
}

bool is_path(std::string_view text) {
  return text.starts_with('/') && std::all_of(text.begin(), text.end(), is_url_character);
}

bool is_file(std::string_view text) {
  return !text.empty() && is_plain_text(text) && text.back() != '/';
}

// A whole number with a unit: 50m, 64Mi.
bool is_quantity(std::string_view text) {
  const size_t unit = text.find_first_not_of("0123456789");
  if (unit == 0) return false;
  if (unit == std::string_view::npos) return !text.empty();
  static constexpr std::string_view kUnits[] = {"m", "k", "M", "G", "Ki", "Mi", "Gi"};
  return std::find(std::begin(kUnits), std::end(kUnits), text.substr(unit)) != std::end(kUnits);
}

// 1.30
bool is_istio_version(std::string_view text) {
  return text.starts_with("1.") && is_number(text.substr(2), 1, 99) && text[2] != '0';
}

struct FormRule {
  Form form;
  bool (*good)(std::string_view);
  std::string_view name;
  std::string_view example;
};

constexpr FormRule kRules[] = {
    {Form::kText, is_plain_text, "", "text on one line"},
    {Form::kLabel, is_label, "DNS label", "a DNS label: up to 63 of `a-z`, `0-9` and `-`, as in `orders`"},
    {Form::kLabelKey, is_label_key, "label's key", "a label's key such as `app` or `app.kubernetes.io/name`"},
    {Form::kLabelValue, is_label_value, "label's value",
     "a label's value: up to 63 letters, digits, `-`, `_` and `.`, as in `orders`"},
    {Form::kName, is_name, "name", "a name without white space or quotes, as in `header_augmenting`"},
    {Form::kFile, is_file, "file", "a file's name"},
    {Form::kHost, is_host, "host",
     "a host name in lower case such as `payments.shop.svc.cluster.local`, without scheme, port or path"},
    {Form::kIp, is_ipv4, "IPv4 address", "an IPv4 address such as `127.0.0.1`"},
    {Form::kSha256, is_sha256, "SHA-256", "64 hexadecimal digits in lower case, as `sha256sum` prints them"},
    {Form::kOci, is_oci, "OCI URL",
     "oci://registry/name@sha256:<64 hexadecimal digits>; a tag alone can be moved to another module, the digest is "
     "what "
     "`skopeo inspect --format '{{.Digest}}' docker://registry/name:tag` prints"},
    {Form::kHttpUrl, is_http_url, "HTTP URL", "a URL such as `https://modules.example.com/filter.wasm`"},
    {Form::kImage, is_image, "image", "an image such as `docker.io/envoyproxy/envoy:v1.36.2`"},
    {Form::kVariable, is_variable, "variable", "a variable's name such as `CLIENT_SECRET`"},
    {Form::kSecretKey, is_secret_key, "Secret's key", "a key of a Secret such as `client-secret`"},
    {Form::kPath, is_path, "path", "a path such as `/ready`"},
    {Form::kQuantity, is_quantity, "quantity", "a quantity such as `50m` or `64Mi`"},
    {Form::kIstio, is_istio_version, "version of Istio", "a version of Istio in quotes, such as `'1.30'`"},
};

}  // namespace

bool is_ipv4(std::string_view text) {
  constexpr int kParts = 4;
  for (int part = 0; part < kParts; ++part) {
    const size_t dot = text.find('.');
    if ((dot == std::string_view::npos) != (part == kParts - 1)) return false;
    const std::string_view digits = text.substr(0, dot);
    if (!is_number(digits, 0, 255) || (digits.size() > 1 && digits[0] == '0')) return false;
    if (dot != std::string_view::npos) text.remove_prefix(dot + 1);
  }
  return true;
}

std::string check_form(Form form, std::string_view text) {
  for (const FormRule& rule : kRules)
    if (rule.form == form) return rule.good(text) ? "" : "expected " + std::string(rule.example);
  return "";
}

std::string check_form(Form form, uint64_t number) {
  if (form == Form::kPort && (number == 0 || number > kLastPort)) return "expected a port from 1 to 65535";
  if (form == Form::kUser && number == 0) return "expected a user's number from 1 on; 0 is root";
  constexpr uint64_t kShortestToken = 600;
  if (form == Form::kTokenLife && number < kShortestToken)
    return "expected 600 or more, since Kubernetes gives no token for less";
  return "";
}

std::string_view form_name(Form form) {
  if (form == Form::kPort) return "port";
  if (form == Form::kUser || form == Form::kTokenLife) return "number";
  for (const FormRule& rule : kRules)
    if (rule.form == form) return rule.name;
  return "";
}

HttpUrl split_http_url(std::string_view url) {
  HttpUrl out;
  out.tls = url.starts_with("https://");
  url.remove_prefix(url.find("//") + 2);
  const size_t slash = url.find('/');
  const std::string_view authority = url.substr(0, slash);
  const size_t colon = authority.find(':');
  out.host = authority.substr(0, colon);
  out.path = url.substr(slash);
  out.port = out.tls ? 443 : 80;
  if (colon != std::string_view::npos)
    std::from_chars(authority.data() + colon + 1, authority.data() + authority.size(), out.port);
  return out;
}

}  // namespace inlay::deploy
