// SPDX-License-Identifier: Apache-2.0
#pragma once

// /certs: the certificates that the configuration names, with when they end. In JSON, as Envoy's admin.v3.Certificates:
// an entry for each TLS context of a listener or a cluster, in it the first certificate of `trusted_ca` and the leaf of
// each chain.

#include <string>

#include "config/model.h"

namespace inlay::proxy::admin {

std::string certs_json(const config::Bootstrap& bootstrap);

}  // namespace inlay::proxy::admin
