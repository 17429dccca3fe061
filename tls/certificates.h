// SPDX-License-Identifier: Apache-2.0
#pragma once

// Certificates is what a side shows of itself: certificate chains with their keys. A server with several shows the one
// for the name that the client asks for. Immutable once made; any thread. Inside of tls/.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/tls.h"
#include "tls/openssl.h"

namespace inlay::tls {

class Certificates {
 public:
  // Puts them into `context`, which is given to no connection yet: of each type of key the first one, from which
  // OpenSSL chooses by what the peer can verify. Errors: kInvalidArgument with the field that OpenSSL does not take.
  static Result<Certificates> create(const std::vector<config::TlsCertificate>& configs, SSL_CTX& context);

  // For a server's connection whose client has said its name, before a certificate is chosen: leaves it those that are
  // for that name, else those for a wildcard that fits, else what `context` holds. False when there is no memory.
  bool choose(SSL& ssl) const;
  bool several() const { return all_.size() > 1; }

 private:
  struct One {
    CertificatePtr leaf;
    KeyPtr key;
    ChainPtr chain;  // without the leaf
    std::vector<std::string> names;
  };
  static Result<One> load(const config::TlsCertificate& config);
  template <class Fits>
  bool use_those(SSL& ssl, Fits fits, bool& found) const;

  std::vector<One> all_;
};

}  // namespace inlay::tls
