// SPDX-License-Identifier: Apache-2.0
#include "tls/context.h"

#include <algorithm>
#include <utility>

#include "tls/tls_connection.h"

namespace inlay::tls {
namespace {

using Version = config::TlsCommon::Version;

int version_number(Version version, int otherwise) {
  switch (version) {
    case Version::kTls10:
      return TLS1_VERSION;
    case Version::kTls11:
      return TLS1_1_VERSION;
    case Version::kTls12:
      return TLS1_2_VERSION;
    case Version::kTls13:
      return TLS1_3_VERSION;
    case Version::kAuto:
      break;
  }
  return otherwise;
}

// OpenSSL passes over a name that it does not know, and what is left of the list may be weaker than was meant.
Result<> check_cipher_suites(const std::string& list) {
  const SslContextPtr probe(SSL_CTX_new(TLS_method()));
  for (std::string_view rest = list; probe && !rest.empty();) {
    const std::string_view item = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(item.size() + 1, rest.size()));
    const std::string name(item.substr(std::min(item.find_first_not_of("!-+"), item.size())));
    if (name.starts_with('@')) continue;  // @STRENGTH
    if (!name.empty() && SSL_CTX_set_cipher_list(probe.get(), name.c_str()) == 1) continue;
    (void)take_openssl_error();
    return Error{ErrorCode::kInvalidArgument,
                 "tls_params.cipher_suites: OpenSSL has no cipher suite of TLS 1.2 or below called '" + name + "'", ""};
  }
  return Unit{};
}

int verify(X509_STORE_CTX* store, void*) {
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  return TlsConnection::of(*ssl).verify_peer(*store) ? 1 : 0;
}

int keep_session(SSL* ssl, SSL_SESSION* session) {
  TlsConnection::of(*ssl).keep_session(SessionPtr(session));
  return 1;  // the session is ours now
}

int choose_alpn(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                unsigned offered_size, void* ours) {
  const auto& wire = *static_cast<const std::string*>(ours);
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, size, reinterpret_cast<const unsigned char*>(wire.data()),
                                          static_cast<unsigned>(wire.size()), offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

int choose_certificate(SSL* ssl, void* certificates) {
  return static_cast<const Certificates*>(certificates)->choose(*ssl) ? 1 : 0;
}

int require_sni(SSL* ssl, int* alert, void*) {
  if (SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) != nullptr) return SSL_TLSEXT_ERR_OK;
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

Stats::Stats(stats::MetricStore& store, const std::string& prefix) {
  const std::pair<stats::Counter*, const char*> counters[] = {
      {&handshake, "handshake"},
      {&session_reused, "session_reused"},
      {&connection_error, "connection_error"},
      {&no_certificate, "no_certificate"},
      {&fail_verify_no_cert, "fail_verify_no_cert"},
      {&fail_verify_error, "fail_verify_error"},
      {&fail_verify_san, "fail_verify_san"},
      {&fail_verify_cert_hash, "fail_verify_cert_hash"},
  };
  for (const auto& [counter, name] : counters)
    *counter = stats::Counter(store.define(abi::MetricType::kCounter, prefix + "ssl." + name));
}

std::string alpn_wire(const std::vector<std::string>& protocols) {
  std::string out;
  for (const std::string& name : protocols) out += static_cast<char>(name.size()) + name;
  return out;
}

Result<> Context::set_versions(const config::TlsCommon& config) {
  SSL_CTX* ctx = context_.get();
  SSL_CTX_set_min_proto_version(ctx, version_number(config.min_version, TLS1_2_VERSION));
  SSL_CTX_set_max_proto_version(ctx, version_number(config.max_version, TLS1_3_VERSION));
  if (config.min_version == Version::kTls10 || config.min_version == Version::kTls11)
    SSL_CTX_set_security_level(ctx, 0);  // OpenSSL 3 has no such version above that level
  INLAY_RETURN_IF_ERROR(check_cipher_suites(config.cipher_suites));
  if (!config.cipher_suites.empty() && SSL_CTX_set_cipher_list(ctx, config.cipher_suites.c_str()) != 1)
    return refused("tls_params.cipher_suites");
  if (!config.curves.empty() && SSL_CTX_set1_groups_list(ctx, config.curves.c_str()) != 1)
    return refused("tls_params.ecdh_curves");
  return Unit{};
}

Result<> Context::set_validation(const config::TlsCommon& config) {
  if (!config.validation) return Unit{};
  INLAY_TRY(verifier_, Verifier::create(*config.validation));
  return verifier_->fill(*SSL_CTX_get_cert_store(context_.get()));
}

Result<> Context::prepare(const config::TlsCommon& config, const SSL_METHOD* method) {
  context_.reset(SSL_CTX_new(method));
  if (!context_) return refused("TLS cannot be used");
  SSL_CTX* ctx = context_.get();
  // An idle connection holds no buffers. A peer that closes without close_notify has ended, as Envoy has it.
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_cert_verify_callback(ctx, verify, nullptr);
  INLAY_RETURN_IF_ERROR(set_versions(config));
  INLAY_TRY(certificates_, Certificates::create(config.certificates, *ctx));
  return set_validation(config);
}

Result<std::shared_ptr<ClientContext>> ClientContext::create(const config::UpstreamTls& config, Stats stats) {
  std::shared_ptr<ClientContext> out(new ClientContext(std::move(stats)));
  INLAY_RETURN_IF_ERROR(out->prepare(config, TLS_client_method()));
  out->sni_ = config.sni;
  out->auto_host_sni_ = config.auto_host_sni;
  out->verifies_server_name_ = config.auto_sni_san_validation;
  SSL_CTX* ctx = out->context_.get();
  SSL_CTX_set_verify(ctx, config.validation ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  const std::string alpn = alpn_wire(config.alpn);
  SSL_CTX_set_alpn_protos(ctx, reinterpret_cast<const unsigned char*>(alpn.data()), static_cast<unsigned>(alpn.size()));
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(ctx, inlay::tls::keep_session);
  return out;
}

SessionPtr ClientContext::session(const std::string& server_name) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(server_name);
  if (found == sessions_.end()) return nullptr;
  SessionPtr out = std::move(found->second);  // a ticket of TLS 1.3 is for one use
  sessions_.erase(found);
  return out;
}

void ClientContext::keep_session(const std::string& server_name, SessionPtr session) const {
  constexpr size_t kMostSessions = 1000;  // hosts of one cluster
  const std::lock_guard lock(mutex_);
  if (sessions_.size() < kMostSessions || sessions_.contains(server_name)) sessions_[server_name] = std::move(session);
}

Result<std::shared_ptr<ServerContext>> ServerContext::create(const config::DownstreamTls& config, Stats stats) {
  std::shared_ptr<ServerContext> out(new ServerContext(std::move(stats)));
  INLAY_RETURN_IF_ERROR(out->prepare(config, TLS_server_method()));
  out->config_ = config;
  out->alpn_ = alpn_wire(config.alpn);
  SSL_CTX* ctx = out->context_.get();
  int mode = config.validation ? SSL_VERIFY_PEER : SSL_VERIFY_NONE;
  if (config.require_client_certificate) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(ctx, mode, nullptr);
  if (out->certificates_.several()) SSL_CTX_set_cert_cb(ctx, choose_certificate, &out->certificates_);
  if (!out->alpn_.empty()) SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, &out->alpn_);
  if (config.require_sni) SSL_CTX_set_tlsext_servername_callback(ctx, require_sni);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);  // tickets only
  static constexpr unsigned char kSessionId[] = "inlay";
  SSL_CTX_set_session_id_context(ctx, kSessionId, sizeof kSessionId - 1);
  if (config.session_timeout.count() > 0)
    SSL_CTX_set_timeout(ctx, static_cast<long>(config.session_timeout.count() / 1000));
  return out;
}

}  // namespace inlay::tls
