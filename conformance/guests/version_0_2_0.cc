// SPDX-License-Identifier: Apache-2.0
#define PUPPET_MARKER "proxy_abi_version_0_2_0"
#define PUPPET_WITHOUT_LOG_LEVEL  // Envoy has proxy_get_log_level for modules of 0.2.1 only
#include "conformance/guests/version_0_2_1.cc"
