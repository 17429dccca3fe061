// SPDX-License-Identifier: Apache-2.0
// extensions/transport_sockets/tls/v3: the transport sockets of clusters and listeners.
#include <algorithm>

#include "config/builders.h"
#include "config/leave_out.h"
#include "config/pem.h"
#include "config/secrets.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr std::string_view kRawBuffer = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";
// Writes down what passes through it.
constexpr std::string_view kTap = "envoy.extensions.transport_sockets.tap.v3.Tap";
constexpr std::string_view kUpstreamTls = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
constexpr std::string_view kDownstreamTls = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
constexpr size_t kMostPem = 4 * 1024 * 1024;

constexpr std::string_view kAlpnNote = "`h2` is left out, with a warning, where the configuration says HTTP/1.1";

constexpr std::string_view kWatchedNote = "of a secret in a file, whose own files are looked at in any case";

constexpr FieldRule kTransportSocket[] = {{"name"}, {"typed_config"}};
constexpr FieldRule kTapRules[] = {
    {"common_config", Support::kIgnored, "a tap can only be left out"},
    {"transport_socket"},
};
constexpr FieldRule kUpstream[] = {
    {"common_tls_context"},
    {"sni"},
    {"auto_host_sni"},
    {"auto_sni_san_validation"},
    {"allow_renegotiation", Support::kOnly, "", "false"},
    {"max_session_keys", Support::kIgnored, "one session is kept for each cluster and host"},
    {"enforce_rsa_key_usage", Support::kIgnored, "OpenSSL decides"},
};
constexpr FieldRule kDownstream[] = {
    {"common_tls_context"},
    {"require_client_certificate"},
    {"require_sni"},
    {"session_timeout"},
    {"disable_stateless_session_resumption", Support::kOnly, "", "false"},
    {"disable_stateful_session_resumption", Support::kIgnored, "sessions are resumed by tickets only"},
    {"ocsp_staple_policy", Support::kOnly, "no OCSP response is stapled", "LENIENT_STAPLING"},
    {"full_scan_certs_on_sni_mismatch", Support::kIgnored, "the first certificate is used where no other fits"},
    {"prefer_client_ciphers", Support::kIgnored, "the server's order counts"},
};
constexpr FieldRule kCommon[] = {
    {"tls_params"},
    {"tls_certificates"},
    {"tls_certificate_sds_secret_configs"},
    {"validation_context"},
    {"validation_context_sds_secret_config"},
    {"combined_validation_context"},
    {"alpn_protocols", Support::kYes, kAlpnNote},
};
constexpr FieldRule kParameters[] = {
    {"tls_minimum_protocol_version"},
    {"tls_maximum_protocol_version"},
    {"cipher_suites", Support::kYes, "OpenSSL's names, of TLS 1.2 and below; in `[A|B]` the first one is preferred"},
    {"ecdh_curves"},
};
constexpr FieldRule kCertificate[] = {
    {"certificate_chain"},
    {"private_key"},
    {"password"},
    {"watched_directory", Support::kYes, kWatchedNote},
};
constexpr FieldRule kValidation[] = {
    {"trusted_ca"},
    {"system_root_certs"},
    {"watched_directory", Support::kYes, kWatchedNote},
    {"verify_certificate_spki"},
    {"verify_certificate_hash"},
    {"match_typed_subject_alt_names"},
    {"match_subject_alt_names"},
    {"crl"},
    {"allow_expired_certificate"},
    {"trust_chain_verification"},
    {"max_verify_depth"},
};
constexpr FieldRule kSubjectAltName[] = {{"san_type"}, {"matcher"}};
constexpr MessageRules kRules[] = {
    {"envoy.config.core.v3.TransportSocket", kTransportSocket},
    {kTap, kTapRules},
    {"envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", kUpstream},
    {"envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", kDownstream},
    {"envoy.extensions.transport_sockets.tls.v3.CommonTlsContext", kCommon},
    {"envoy.extensions.transport_sockets.tls.v3.TlsParameters", kParameters},
    {"envoy.extensions.transport_sockets.tls.v3.TlsCertificate", kCertificate},
    {"envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext", kValidation},
    {"envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher", kSubjectAltName},
};

// The text of a data source that `check` finds nothing wrong with; empty after an error.
template <class Check>
std::string read_pem(View message, std::string_view field, BuildContext& context, Check check,
                     std::string* name = nullptr) {
  const View source = message[field];
  if (!source) return "";
  auto data = read_data_source(source, kMostPem, context);
  if (!data) return "";
  const std::string fault = check(data->bytes);
  if (name != nullptr) *name = data->name;
  if (fault.empty()) return std::move(data->bytes);
  context.field_error(message, field, data->name == "<inline>" ? fault : document::quote(data->name) + " " + fault);
  return "";
}

std::string read_password(View certificate, BuildContext& context) {
  const View source = certificate["password"];
  if (!source) return "";
  auto data = read_data_source(source, 4096, context);
  if (!data) return "";
  while (data->bytes.ends_with('\n') || data->bytes.ends_with('\r')) data->bytes.pop_back();
  return std::move(data->bytes);
}

}  // namespace

namespace {

void warn_of_watched_directory(View message, BuildContext& context) {
  if (message.has("watched_directory") && !context.is_in_secret_file(message))
    context.report.warning(message["watched_directory"].node(),
                           "is ignored, as in Envoy: what is watched are the files of a secret with `sds_config`");
}

}  // namespace

TlsCertificate build_tls_certificate(View certificate, BuildContext& context) {
  TlsCertificate out;
  warn_of_watched_directory(certificate, context);
  context.require(certificate, "certificate_chain");
  context.require(certificate, "private_key");
  out.password = read_password(certificate, context);
  out.chain = read_pem(certificate, "certificate_chain", context, check_pem_certificates, &out.file);
  out.key = read_pem(certificate, "private_key", context,
                     [&](const std::string& pem) { return check_pem_key(pem, out.password); });
  if (out.chain.empty() || out.key.empty()) return out;
  const std::string fault = check_key_pair(out.chain, out.key, out.password);
  if (!fault.empty()) context.field_error(certificate, "private_key", fault);
  return out;
}

namespace {

// 64 hexadecimal digits, or 32 pairs with colons between.
std::string parse_sha256_hex(std::string text) {
  std::erase(text, ':');
  if (text.size() != 64 || text.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) return "";
  std::string out;
  for (size_t i = 0; i < text.size(); i += 2) out += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return out;
}

void build_hashes(View validation, TlsValidation& out, BuildContext& context) {
  for (View hash : validation.list("verify_certificate_hash")) {
    out.certificate_hashes.push_back(parse_sha256_hex(hash.node().text));
    if (out.certificate_hashes.back().empty())
      context.error(hash, "must be a SHA-256 in hexadecimal: 64 digits, or 32 pairs with colons between");
  }
  for (View hash : validation.list("verify_certificate_spki")) {
    out.public_key_hashes.push_back(document::parse_base64(hash.node().text).value_or(""));
    if (out.public_key_hashes.back().size() != 32)
      context.error(hash, "must be a SHA-256 in base64: 44 characters that stand for 32 bytes");
  }
}

void build_subject_alt_names(View validation, TlsValidation& out, BuildContext& context) {
  using Type = TlsValidation::SubjectAltName::Type;
  for (View name : validation.list("match_typed_subject_alt_names")) {
    context.require(name, "matcher");
    const std::string type = name.text("san_type");
    TlsValidation::SubjectAltName built;
    if (type == "DNS") {
      built.type = Type::kDns;
    } else if (type == "URI") {
      built.type = Type::kUri;
    } else if (type == "EMAIL") {
      built.type = Type::kEmail;
    } else if (type == "IP_ADDRESS") {
      built.type = Type::kIpAddress;
    } else {
      context.field_error(name, "san_type", "must be one of DNS, URI, EMAIL, IP_ADDRESS");
      continue;
    }
    if (name.has("matcher")) built.matcher = build_string_matcher(name["matcher"], context);
    out.subject_alt_names.push_back(std::move(built));
  }
  // The deprecated form matches names of every type.
  for (View matcher : validation.list("match_subject_alt_names")) {
    const StringMatcher built = build_string_matcher(matcher, context);
    for (Type type : {Type::kDns, Type::kUri, Type::kEmail, Type::kIpAddress})
      out.subject_alt_names.push_back({type, built});
  }
}

// At `place`.
void check_anchor(View place, const TlsValidation& validation, BuildContext& context) {
  if (!validation.subject_alt_names.empty() && !validation.anchored) {
    context.error(place,
                  "names are matched (`match_typed_subject_alt_names`), but anybody could issue them: "
                  "`trusted_ca` or `system_root_certs` must be set");
  }
}

TlsValidation build_validation(View validation, BuildContext& context) {
  TlsValidation out;
  warn_of_watched_directory(validation, context);
  out.trusted_ca = read_pem(validation, "trusted_ca", context, check_pem_certificates, &out.trusted_ca_file);
  out.system_roots = validation.has("system_root_certs");
  out.anchored = out.system_roots || validation.has("trusted_ca");
  if (out.system_roots && validation.has("trusted_ca"))
    context.field_error(validation, "system_root_certs", "only one of `trusted_ca` and `system_root_certs` can be set");
  build_hashes(validation, out, context);
  build_subject_alt_names(validation, out, context);
  out.revocation_lists = read_pem(validation, "crl", context, check_pem_revocation_lists);
  out.allow_expired = validation.boolean("allow_expired_certificate");
  out.accept_untrusted = validation.text("trust_chain_verification") == "ACCEPT_UNTRUSTED";
  if (validation.has("max_verify_depth")) {
    out.max_depth = validation.uint32("max_verify_depth");
    if (*out.max_depth > 100) context.field_error(validation, "max_verify_depth", "must be at most 100");
  }
  return out;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ":") + text;
  return out;
}

// "[A|B]" is two suites among which the client chooses; here the first is preferred.
std::string cipher_suites(View parameters) {
  std::vector<std::string> all = parameters.texts("cipher_suites");
  for (std::string& text : all) {
    if (!text.starts_with('[') || !text.ends_with(']')) continue;
    text = text.substr(1, text.size() - 2);
    std::replace(text.begin(), text.end(), '|', ':');
  }
  return joined(all);
}

// `http2`: whether it is spoken; else it cannot be offered to the peer.
void build_alpn(View common, TlsCommon& out, bool http2, BuildContext& context) {
  for (View protocol : common.list("alpn_protocols")) {
    const std::string& name = protocol.node().text;
    if (name.empty() || name.size() > 255) {
      context.error(protocol, "must have 1 to 255 bytes");
    } else if (name == "h3" || (name == "h2" && !http2)) {
      context.report.warning(protocol.node(), "`" + name + "` is left out: it is not what is spoken here");
    } else {
      out.alpn.push_back(name);
    }
  }
}

bool verifies_nothing(const TlsValidation& validation) {
  return !validation.anchored && validation.certificate_hashes.empty() && validation.public_key_hashes.empty();
}

// As Envoy has it: secrets count where there are no certificates.
void build_certificates(View common, TlsCommon& out, BuildContext& context) {
  for (View certificate : common.list("tls_certificates"))
    out.certificates.push_back(build_tls_certificate(certificate, context));
  if (!out.certificates.empty()) return;
  for (View named : common.list("tls_certificate_sds_secret_configs")) {
    if (View certificate = find_secret(named, "tls_certificate", context))
      out.certificates.push_back(build_tls_certificate(certificate, context));
  }
}

View place_of_validation(View common) {
  for (const std::string_view field :
       {"validation_context", "combined_validation_context", "validation_context_sds_secret_config"})
    if (View found = common[field]) return found;
  return View();
}

// The secret's fields over those of the default, lists after lists, as protobuf merges messages.
TlsValidation merge(TlsValidation base, TlsValidation secret) {
  const auto append = [](auto& to, auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  if (!secret.trusted_ca.empty()) {
    base.trusted_ca = std::move(secret.trusted_ca);
    base.trusted_ca_file = std::move(secret.trusted_ca_file);
  }
  if (!secret.revocation_lists.empty()) base.revocation_lists = std::move(secret.revocation_lists);
  append(base.subject_alt_names, secret.subject_alt_names);
  append(base.certificate_hashes, secret.certificate_hashes);
  append(base.public_key_hashes, secret.public_key_hashes);
  base.anchored |= secret.anchored;
  base.system_roots |= secret.system_roots;
  base.allow_expired |= secret.allow_expired;
  base.accept_untrusted |= secret.accept_untrusted;
  if (secret.max_depth) base.max_depth = secret.max_depth;
  return base;
}

std::optional<TlsValidation> build_validations(View common, BuildContext& context) {
  if (View validation = common["validation_context"]) return build_validation(validation, context);
  const View combined = common["combined_validation_context"];
  if (combined) {
    context.require(combined, "default_validation_context");
    context.require(combined, "validation_context_sds_secret_config");
  }
  const View named = (combined ? combined : common)["validation_context_sds_secret_config"];
  if (!named) return std::nullopt;
  const View secret = find_secret(named, "validation_context", context);
  if (!secret) return TlsValidation{};
  TlsValidation built = build_validation(secret, context);
  if (!combined) return built;
  return merge(build_validation(combined["default_validation_context"], context), std::move(built));
}

void build_common(View tls, TlsCommon& out, bool http2, BuildContext& context) {
  const View common = tls["common_tls_context"];
  const View parameters = common["tls_params"];
  out.min_version = static_cast<TlsCommon::Version>(parameters.enumerator("tls_minimum_protocol_version"));
  out.max_version = static_cast<TlsCommon::Version>(parameters.enumerator("tls_maximum_protocol_version"));
  using Version = TlsCommon::Version;
  if (out.max_version != Version::kAuto) {
    const bool above = out.min_version > out.max_version;
    if (above)
      context.field_error(parameters, "tls_minimum_protocol_version", "is higher than tls_maximum_protocol_version");
    if (out.min_version == Version::kAuto && out.max_version < Version::kTls12)
      context.field_error(parameters, "tls_maximum_protocol_version",
                          "is lower than tls_minimum_protocol_version, which is TLSv1_2 where it is not set");
  }
  out.cipher_suites = cipher_suites(parameters);
  out.curves = joined(parameters.texts("ecdh_curves"));
  build_certificates(common, out, context);
  out.validation = build_validations(common, context);
  if (out.validation) {
    const View validation = place_of_validation(common);
    check_anchor(validation, *out.validation, context);
    if (verifies_nothing(*out.validation))
      context.report.warning(validation.node(),
                             "any certificate is accepted, as in Envoy: `trusted_ca`, `system_root_certs` or "
                             "`verify_certificate_hash` would say which are good");
  }
  build_alpn(common, out, http2, context);
}

const TreeNode* tls_of(View socket, std::string_view type, std::string_view what, BuildContext& context) {
  context.require(socket, "name");
  if (!context.require(socket, "typed_config")) return nullptr;
  const View wrapper = socket["typed_config"];
  if (wrapper.node().any_type == kTap && is_left_out(context.options.leave_out, socket.text("name"), kTap)) {
    context.report.warning(socket.node(), "the tap is left out, and what it is around works as if by itself");
    context.left_out.push_back(socket.node().path() + ": " + socket.text("name") + " (" + std::string(kTap) + ")");
    return context.require(wrapper, "transport_socket") ? tls_of(wrapper["transport_socket"], type, what, context)
                                                        : nullptr;
  }
  const TreeNode* node = context.typed(socket["typed_config"], {kRawBuffer, type}, what);
  return node == nullptr || node->any_type == kRawBuffer ? nullptr : node;
}

// What a server's certificate is not asked for, so that others may answer in its place; empty: it is asked for enough.
// A validation context that verifies nothing at all has been warned of.
std::string unverified(const UpstreamTls& tls) {
  if (!tls.validation) {
    return " is not verified, as in Envoy: anybody on the way can answer in its place, and gets what is sent. "
           "`common_tls_context.validation_context` with `trusted_ca` would say whom to trust, `sni` and "
           "`auto_sni_san_validation: true` for which name";
  }
  const TlsValidation& validation = *tls.validation;
  if (validation.accept_untrusted) {
    return " is not verified, as in Envoy, since `trust_chain_verification` is ACCEPT_UNTRUSTED: anybody on the way "
           "can "
           "answer in its place, and gets what is sent";
  }
  const bool anchored = !validation.trusted_ca.empty() || validation.system_roots;
  const bool pinned = !validation.certificate_hashes.empty() || !validation.public_key_hashes.empty();
  const bool named = tls.auto_sni_san_validation || !validation.subject_alt_names.empty();
  if (!anchored || pinned || named) return "";
  return " may be for any name, as in Envoy: whoever has any certificate of those authorities can answer in its place, "
         "and "
         "gets what is sent. `sni` and `auto_sni_san_validation: true`, or `match_typed_subject_alt_names`, would say "
         "for "
         "which name it must be";
}

}  // namespace

std::span<const MessageRules> tls_rules() {
  return kRules;
}

std::optional<UpstreamTls> build_upstream_tls(View socket, const std::string& cluster, bool http2,
                                              BuildContext& context) {
  const TreeNode* node = tls_of(socket, kUpstreamTls, "a transport socket of a cluster", context);
  if (node == nullptr) return std::nullopt;
  const View tls(node);
  UpstreamTls out;
  build_common(tls, out, http2, context);
  out.sni = tls.text("sni");
  if (out.sni.size() > 255) context.field_error(tls, "sni", "must have at most 255 bytes");
  out.auto_host_sni = tls.boolean("auto_host_sni");
  out.auto_sni_san_validation = tls.boolean("auto_sni_san_validation");
  if (out.certificates.size() > 1)
    context.field_error(tls["common_tls_context"], "tls_certificates", "a client has at most one certificate");
  if (out.auto_sni_san_validation && !out.validation)
    context.field_error(tls, "auto_sni_san_validation", "needs a `validation_context` with `trusted_ca`");
  if (out.auto_sni_san_validation && out.sni.empty() && !out.auto_host_sni)
    context.field_error(tls, "auto_sni_san_validation",
                        "there is no name to compare with: `sni` or `auto_host_sni` must be set");
  if (const std::string fault = unverified(out); !fault.empty())
    context.report.warning(socket.node(), "the server's certificate of cluster " + document::quote(cluster) + fault);
  return out;
}

std::optional<DownstreamTls> build_downstream_tls(View socket, bool http2, BuildContext& context) {
  const TreeNode* node = tls_of(socket, kDownstreamTls, "a transport socket of a listener", context);
  if (node == nullptr) return std::nullopt;
  const View tls(node);
  DownstreamTls out;
  build_common(tls, out, http2, context);
  if (tls["common_tls_context"].list("tls_certificates").empty() &&
      !tls["common_tls_context"].has("tls_certificate_sds_secret_configs"))
    context.error(socket, "a listener needs `common_tls_context.tls_certificates`, its own certificate and key");
  out.require_client_certificate = tls.boolean("require_client_certificate");
  if (out.require_client_certificate && !out.validation)
    context.field_error(tls, "require_client_certificate", "needs a `validation_context` with `trusted_ca`");
  out.require_sni = tls.boolean("require_sni");
  out.session_timeout = tls.duration("session_timeout", Milliseconds(0));
  return out;
}

}  // namespace inlay::config
