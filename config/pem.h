// SPDX-License-Identifier: Apache-2.0
#pragma once

// Checks of PEM texts while the configuration is read, so that a wrong file is an error with its place. Pure functions;
// each returns what is wrong, empty when nothing is. No message holds a part of a key.

#include <cstddef>
#include <string>

namespace inlay::config {

// Certificates, at least one.
std::string check_pem_certificates(const std::string& pem);
// Certificate revocation lists, at least one.
std::string check_pem_revocation_lists(const std::string& pem);
// A private key that `password` opens.
std::string check_pem_key(const std::string& pem, const std::string& password);
// Whether the key is that of the chain's first certificate. Both are well-formed.
std::string check_key_pair(const std::string& chain, const std::string& key, const std::string& password);

}  // namespace inlay::config
