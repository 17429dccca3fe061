// SPDX-License-Identifier: Apache-2.0
#pragma once

// ClientContext and ServerContext: what all TLS connections of a cluster or a listener have in common (SSL_CTX).
// Immutable once made, but for the session that a client keeps; shared by all workers.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "config/tls.h"
#include "stats/metrics.h"
#include "tls/certificates.h"
#include "tls/openssl.h"
#include "tls/verifier.h"

namespace inlay::tls {

// Stats are Envoy's statistics of TLS, "<prefix>ssl.<name>".
struct Stats {
  Stats(stats::MetricStore& store, const std::string& prefix);
  stats::Counter handshake, session_reused, connection_error, no_certificate, fail_verify_no_cert, fail_verify_error,
      fail_verify_san, fail_verify_cert_hash;
};

class Context {
 public:
  virtual ~Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // A connection's own object; nullptr when there is no memory.
  SslPtr new_ssl() const { return SslPtr(SSL_new(context_.get())); }
  const Stats& stats() const { return stats_; }
  const std::optional<Verifier>& verifier() const { return verifier_; }

 protected:
  explicit Context(Stats stats) : stats_(std::move(stats)) {}
  Result<> prepare(const config::TlsCommon& config, const SSL_METHOD* method);

  SslContextPtr context_;
  Stats stats_;
  Certificates certificates_;
  std::optional<Verifier> verifier_;

 private:
  Result<> set_versions(const config::TlsCommon& config);
  Result<> set_validation(const config::TlsCommon& config);
};

class ClientContext final : public Context {
 public:
  // Errors: kInvalidArgument with the field that OpenSSL does not take.
  static Result<std::shared_ptr<ClientContext>> create(const config::UpstreamTls& config, Stats stats);

  // The name that a connection to a host asks for: with auto_host_sni the host's own if it has one, else `sni`.
  std::string server_name(const std::string& hostname) const {
    return auto_host_sni_ && !hostname.empty() ? hostname : sni_;
  }
  // Whether a certificate must be valid for that name.
  bool verifies_server_name() const { return verifies_server_name_; }

  // The session that a connection with that server name can resume, as it was when the last one ended. Any thread.
  SessionPtr session(const std::string& server_name) const;
  void keep_session(const std::string& server_name, SessionPtr session) const;

 private:
  using Context::Context;
  std::string sni_;
  bool auto_host_sni_ = false;
  bool verifies_server_name_ = false;
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, SessionPtr> sessions_;
};

class ServerContext final : public Context {
 public:
  // Errors: as ClientContext::create.
  static Result<std::shared_ptr<ServerContext>> create(const config::DownstreamTls& config, Stats stats);

  const config::DownstreamTls& config() const { return config_; }

 private:
  using Context::Context;
  config::DownstreamTls config_;
  std::string alpn_;  // in the wire's form
};

// Protocol names in ALPN's wire form, each with its length before it.
std::string alpn_wire(const std::vector<std::string>& protocols);

}  // namespace inlay::tls
