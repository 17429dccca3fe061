// SPDX-License-Identifier: Apache-2.0
#define PUPPET_MARKER "proxy_abi_version_0_2_0"
#include "conformance/guests/version_0_2_1.cc"
