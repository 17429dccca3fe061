// SPDX-License-Identifier: Apache-2.0
#include "config/secrets.h"

#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr FieldRule kSecret[] = {
    {"name"},
    {"tls_certificate"},
    {"validation_context"},
    {"session_ticket_keys", Support::kIgnored, "each run has its own keys of tickets"},
    {"generic_secret", Support::kIgnored, "nothing in Inlay takes one"},
};
constexpr FieldRule kSdsSecret[] = {
    {"name", Support::kYes, "of `static_resources.secrets`"},
    {"sds_config", Support::kNo, "write the secret into `static_resources.secrets`, and name it"},
};
constexpr FieldRule kCombined[] = {
    {"default_validation_context"},
    {"validation_context_sds_secret_config"},
};
constexpr MessageRules kRules[] = {
    {"envoy.extensions.transport_sockets.tls.v3.Secret", kSecret},
    {"envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig", kSdsSecret},
    {"envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CombinedCertificateValidationContext", kCombined},
};

constexpr std::string_view kKinds[] = {"tls_certificate", "validation_context", "session_ticket_keys",
                                       "generic_secret"};

std::string key_of(std::string_view kind, const std::string& name) {
  return std::string(kind) + " " + name;
}

}  // namespace

std::span<const MessageRules> secret_rules() {
  return kRules;
}

void take_secrets(View resources, BuildContext& context) {
  for (View secret : resources.list("secrets")) {
    const std::string name = secret.text("name");
    bool any = false;
    for (const std::string_view kind : kKinds) {
      const View value = secret[kind];
      if (!value) continue;
      any = true;
      if (!context.secrets.emplace(key_of(kind, name), value).second)
        context.field_error(secret, "name",
                            document::quote(name) + " is the name of another secret with `" + std::string(kind) + "`");
    }
    if (!any) context.error(secret, "needs one of `tls_certificate`, `validation_context`, `generic_secret`");
  }
}

View find_secret(View named, std::string_view kind, BuildContext& context) {
  if (!context.require(named, "name") || named.has("sds_config")) return View();
  const std::string name = named.text("name");
  const auto found = context.secrets.find(key_of(kind, name));
  if (found != context.secrets.end()) return found->second;
  context.field_error(
      named, "name",
      "there is no secret " + document::quote(name) + " with `" + std::string(kind) + "` in static_resources.secrets");
  return View();
}

}  // namespace inlay::config
