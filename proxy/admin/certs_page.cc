// SPDX-License-Identifier: Apache-2.0
#include "proxy/admin/certs_page.h"

#include <openssl/bn.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <memory>

#include "base/ascii.h"
#include "base/deleter.h"
#include "config/pem_reader.h"
#include "proxy/admin/json_text.h"
#include "tls/verifier.h"

namespace inlay::proxy::admin {
namespace {

using Json = rapidjson::PrettyWriter<rapidjson::StringBuffer>;
using SanType = config::TlsValidation::SubjectAltName::Type;

std::string serial_number(const X509& certificate) {
  const std::unique_ptr<BIGNUM, Deleter<BN_free>> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr));
  char* digits = number ? BN_bn2hex(number.get()) : nullptr;
  std::string out = digits == nullptr ? "" : digits;
  OPENSSL_free(digits);
  std::transform(out.begin(), out.end(), out.begin(), to_lower);
  return out;
}

// Seconds since 1970; 0 for what is no time.
std::time_t seconds_of(const ASN1_TIME* time) {
  std::tm parts = {};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? ::timegm(&parts) : 0;
}

std::string iso_time(std::time_t seconds) {
  std::tm parts = {};
  ::gmtime_r(&seconds, &parts);
  char out[32];
  std::strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return out;
}

void write_names(Json& json, const X509& certificate) {
  constexpr std::pair<SanType, const char*> kKeys[] = {
      {SanType::kDns, "dns"}, {SanType::kUri, "uri"}, {SanType::kIpAddress, "ip_address"}};
  json.Key("subject_alt_names");
  json.StartArray();
  for (const auto& [type, key] : kKeys) {
    for (const std::string& name : tls::subject_alt_names(certificate, type)) {
      json.StartObject();
      write_text(json, key, name);
      json.EndObject();
    }
  }
  json.EndArray();
}

// The first certificate of a PEM text; nothing when there is none.
void write_first(Json& json, const std::string& pem, const std::string& file) {
  const config::CertificatePtr certificate = config::PemReader(pem).certificate();
  if (!certificate) return;
  constexpr std::time_t kDay = 24 * 60 * 60;
  const std::time_t end = seconds_of(X509_get0_notAfter(certificate.get()));
  json.StartObject();
  write_text(json, "path", file);
  write_text(json, "serial_number", serial_number(*certificate));
  write_names(json, *certificate);
  write_text(json, "days_until_expiration",
             std::to_string(std::max<std::time_t>(0, (end - std::time(nullptr)) / kDay)));
  write_text(json, "valid_from", iso_time(seconds_of(X509_get0_notBefore(certificate.get()))));
  write_text(json, "expiration_time", iso_time(end));
  json.EndObject();
}

void write_context(Json& json, const config::TlsCommon& tls) {
  json.StartObject();
  json.Key("ca_cert");
  json.StartArray();
  if (tls.validation) write_first(json, tls.validation->trusted_ca, tls.validation->trusted_ca_file);
  json.EndArray();
  json.Key("cert_chain");
  json.StartArray();
  for (const config::TlsCertificate& certificate : tls.certificates)
    write_first(json, certificate.chain, certificate.file);
  json.EndArray();
  json.EndObject();
}

}  // namespace

std::string certs_json(const config::Bootstrap& bootstrap) {
  rapidjson::StringBuffer buffer;
  Json json(buffer);
  json.SetIndent(' ', 1);
  json.StartObject();
  json.Key("certificates");
  json.StartArray();
  for (const config::Listener& listener : bootstrap.listeners)
    if (listener.tls) write_context(json, *listener.tls);
  for (const config::Cluster& cluster : bootstrap.clusters)
    if (cluster.tls) write_context(json, *cluster.tls);
  json.EndArray();
  json.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace inlay::proxy::admin
