// SPDX-License-Identifier: Apache-2.0
#include "config/secrets.h"

#include <set>

#include "config/discovery_response.h"
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
    {"name", Support::kYes, "of `static_resources.secrets`, or of the one in the file of `sds_config`"},
    {"sds_config", Support::kYes, "a path"},
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

// `file`: in which of secret_files; 0: in none.
std::string key_of(uint32_t file, std::string_view kind, const std::string& name) {
  return std::to_string(file) + " " + std::string(kind) + " " + name;
}

// Envoy waits for ever for what is not there, or refuses the file's next content.
void no_such_secret(View named, std::string_view kind, const std::string& file, BuildContext& context) {
  context.field_error(named, "name",
                      "there is no secret " + document::quote(named.text("name")) + " with `" + std::string(kind) +
                          "` in " + (file.empty() ? "static_resources.secrets" : document::quote(file)));
}

}  // namespace

std::span<const MessageRules> secret_rules() {
  return kRules;
}

void take_secrets(View resources, BuildContext& context) {
  std::set<uint32_t> files;
  for (View secret : resources.list("secrets")) {
    const std::string name = secret.text("name");
    const uint32_t file = context.is_in_secret_file(secret) ? secret.node().place.file : 0;
    if (file != 0 && !files.insert(file).second)
      context.error(secret, "is a second secret: in the file of a `sds_config` stands one, as in Envoy");
    bool any = false;
    for (const std::string_view kind : kKinds) {
      const View value = secret[kind];
      if (!value) continue;
      any = true;
      if (!context.secrets.emplace(key_of(file, kind, name), value).second)
        context.field_error(secret, "name",
                            document::quote(name) + " is the name of another secret with `" + std::string(kind) + "`");
    }
    if (!any) context.error(secret, "needs one of `tls_certificate`, `validation_context`, `generic_secret`");
  }
}

View find_secret(View named, std::string_view kind, BuildContext& context) {
  if (!context.require(named, "name")) return View();
  std::string path;
  uint32_t file = 0;
  if (const View source = named["sds_config"]) {
    path = path_of(source, context.options);
    const auto known = context.secret_files.find(path);
    if (known == context.secret_files.end() || known->second == 0) return View();  // which has been said
    file = known->second;
  }
  const auto found = context.secrets.find(key_of(file, kind, named.text("name")));
  if (found != context.secrets.end()) return found->second;
  no_such_secret(named, kind, path, context);
  return View();
}

}  // namespace inlay::config
