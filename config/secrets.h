// SPDX-License-Identifier: Apache-2.0
#pragma once

// static_resources.secrets, and what names them (extensions/transport_sockets/tls/v3 Secret, SdsSecretConfig).

#include <string_view>

#include "config/builders.h"

namespace inlay::config {

// Takes the secrets into `context`. What is in one is looked at where it is named, as in Envoy.
void take_secrets(View resources, BuildContext& context);
// What a SdsSecretConfig names: the secret's field of that kind ("tls_certificate", "validation_context"); an absent
// one after an error.
View find_secret(View named, std::string_view kind, BuildContext& context);

}  // namespace inlay::config
