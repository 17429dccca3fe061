// SPDX-License-Identifier: Apache-2.0
#include "tls/tls_connection.h"

#include <openssl/err.h>

#include <algorithm>
#include <climits>
#include <utility>

#include "net/destruction_guard.h"
#include "tls/peer_info.h"
#include "tls/wire_bio.h"

namespace inlay::tls {
namespace {

constexpr size_t kReadSize = 4 * 1024;  // at least; in general the rest of a block
// Records of one connection in one turn of the loop, so that a fast sender does not starve the others.
constexpr int kRecordsPerTurn = 16;

const ClientContext& as_client(const Context& context) {
  return static_cast<const ClientContext&>(context);
}

const ServerContext& as_server(const Context& context) {
  return static_cast<const ServerContext&>(context);
}

}  // namespace

TlsConnection::TlsConnection(net::EventLoop& loop, std::shared_ptr<const Context> context, bool client)
    : context_(std::move(context)),
      client_(client),
      ssl_(context_->new_ssl()),
      turn_task_(loop, net::DeferredTask::When::kNextTurn, [this] { turn(); }),
      timer_(loop, [this] {
        fail(client_ ? net::CloseReason::kConnectTimeout : net::CloseReason::kBroken,
             "TLS error: the handshake took too long");
      }) {
  if (!ssl_) return;
  BIO* bio = new_wire_bio(*this);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
}

TlsConnection::~TlsConnection() {
  if (destroyed_) *destroyed_ = true;
}

void TlsConnection::start_client(const Address& address, std::chrono::milliseconds timeout,
                                 net::ConnectionHandler& handler, const ClientContext& context,
                                 std::string server_name) {
  handler_ = &handler;
  server_name_ = std::move(server_name);
  timer_.arm(timeout);
  if (ssl_) {
    SSL_set_connect_state(ssl_.get());
    if (!server_name_.empty()) SSL_set_tlsext_host_name(ssl_.get(), server_name_.c_str());
    if (const SessionPtr session = context.session(server_name_)) SSL_set_session(ssl_.get(), session.get());
  }
  inner_ = net::connect(turn_task_.loop(), address, timeout, *this);
}

void TlsConnection::start_server(std::unique_ptr<net::Connection> plain, std::chrono::milliseconds timeout) {
  inner_ = std::move(plain);
  inner_->set_handler(this);
  if (timeout.count() > 0) timer_.arm(timeout);
  if (ssl_) SSL_set_accept_state(ssl_.get());
  inner_reads_ = true;
  inner_->resume_reading();
}

// --- the connection below ---

void TlsConnection::on_connected() {
  inner_reads_ = true;
  inner_->resume_reading();
  drive();
}

void TlsConnection::on_data(Buffer& data, bool end) {
  cipher_in_.move_from(data);
  inner_ended_ = inner_ended_ || end;
  drive();
}

void TlsConnection::on_peer_closing() {
  inner_closing_ = true;
  if (state_ == State::kOpen && !reading_) handler_->on_peer_closing();
}

void TlsConnection::on_above_write_watermark() {
  note_above();
}

void TlsConnection::note_above() {
  if (std::exchange(above_, true) || handler_ == nullptr) return;
  handler_->on_above_write_watermark();
}

void TlsConnection::on_below_write_watermark() {
  if (waiting_.size() > high_ / 2 || !std::exchange(above_, false) || handler_ == nullptr) return;
  handler_->on_below_write_watermark();
}

void TlsConnection::on_closed(net::CloseReason reason, std::string_view detail) {
  const bool handshake = state_ == State::kHandshake;
  if (handshake && reason == net::CloseReason::kRemoteReset) reason = net::CloseReason::kBroken;
  const bool broken = handshake && reason == net::CloseReason::kBroken;
  if (!broken) return fail(reason, std::string(detail));
  fail(client_ ? net::CloseReason::kConnectFailed : reason,
       "TLS error: the peer ended the connection in the handshake: " + std::string(detail));
}

// --- OpenSSL's side ---

int TlsConnection::read_cipher(char* to, size_t size) {
  const size_t n = std::min({size, cipher_in_.size(), static_cast<size_t>(INT_MAX)});
  if (n == 0) return 0;
  cipher_in_.copy_out(0, n, to);
  cipher_in_.drain(n);
  return static_cast<int>(n);
}

void TlsConnection::flush() {
  if (!cipher_out_.empty()) inner_->write(cipher_out_);
}

void TlsConnection::drive() {
  net::DestructionGuard guard(destroyed_);
  if (state_ == State::kHandshake) handshake();
  if (guard.destroyed() || state_ != State::kOpen) return;
  read_plain();
}

void TlsConnection::handshake() {
  if (!ssl_) return fail(net::CloseReason::kConnectFailed, "TLS error: out of memory");
  clear_openssl_errors();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return finish_handshake();
  const int error = SSL_get_error(ssl_.get(), result);
  flush();  // the alert that says why, or the next flight
  if (error == SSL_ERROR_WANT_READ && !inner_ended_) return;
  count_handshake_fault();
  fail(client_ ? net::CloseReason::kConnectFailed : net::CloseReason::kBroken, handshake_fault(error));
}

// As Envoy: a handshake that the certificate has stopped has a statistic of its own.
void TlsConnection::count_handshake_fault() {
  const unsigned long first = ERR_peek_error();
  if (ERR_GET_LIB(first) == ERR_LIB_SSL && ERR_GET_REASON(first) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
    context_->stats().fail_verify_no_cert.add();
  else if (verify_fault_.empty())
    context_->stats().connection_error.add();
}

std::string TlsConnection::handshake_fault(int error) {
  const std::string reason = take_openssl_error();
  if (!verify_fault_.empty()) return "TLS error: certificate verify failed: " + verify_fault_;
  if (error == SSL_ERROR_SSL && !reason.empty()) return "TLS error: " + reason;
  return "TLS error: the peer ended the connection in the handshake";
}

bool TlsConnection::verify_peer(X509_STORE_CTX& store) {
  const auto& verifier = context_->verifier();
  if (!verifier) return true;
  const bool named = client_ && as_client(*context_).verifies_server_name();
  Verifier::Outcome outcome = verifier->check(store, named ? server_name_ : "");
  if (named && server_name_.empty())
    outcome = {Verifier::Fault::kName, "auto_sni_san_validation is set, but there is no name to compare with"};
  const Stats& stats = context_->stats();
  switch (outcome.fault) {
    case Verifier::Fault::kNone:
      return true;
    case Verifier::Fault::kChain:
      stats.fail_verify_error.add();
      break;
    case Verifier::Fault::kName:
      stats.fail_verify_san.add();
      break;
    case Verifier::Fault::kHash:
      stats.fail_verify_cert_hash.add();
      break;
  }
  verify_fault_ = std::move(outcome.why);
  // OpenSSL makes the alert of this.
  if (X509_STORE_CTX_get_error(&store) == X509_V_OK)
    X509_STORE_CTX_set_error(&store, X509_V_ERR_APPLICATION_VERIFICATION);
  return false;
}

void TlsConnection::keep_session(SessionPtr session) {
  if (client_) as_client(*context_).keep_session(server_name_, std::move(session));
}

void TlsConnection::finish_handshake() {
  state_ = State::kOpen;
  timer_.disarm();
  net::TlsInfo info = describe(*ssl_, context_->verifier().has_value());
  if (!client_ && !as_server(*context_).config().tells_server_name) info.server_name.clear();
  info_ = std::make_shared<const net::TlsInfo>(std::move(info));
  const Stats& stats = context_->stats();
  stats.handshake.add();
  if (SSL_session_reused(ssl_.get()) == 1) stats.session_reused.add();
  if (info_->peer.subject.empty() && info_->peer_digest.empty()) stats.no_certificate.add();
  encrypt(waiting_);
  flush();
  if (shutdown_) {
    shutdown_ = false;
    shutdown_write();
  }
  net::DestructionGuard guard(destroyed_);
  on_below_write_watermark();
  if (guard.destroyed() || state_ != State::kOpen) return;
  if (client_) handler_->on_connected();
  if (guard.destroyed() || state_ != State::kOpen) return;
  update_reading();
}

// --- reading ---

void TlsConnection::pause_reading() {
  reading_ = false;
  if (state_ == State::kOpen) update_reading();
}

void TlsConnection::resume_reading() {
  reading_ = true;
  if (state_ != State::kOpen) return;
  if (!plain_in_.empty() || !cipher_in_.empty() || SSL_pending(ssl_.get()) > 0 || (inner_ended_ && !end_seen_))
    turn_task_.schedule();
  update_reading();
}

// More is taken from the wire only when the handler has taken what was decrypted, and when what is not decrypted is
// little (part of a record, as a rule): what waits for the handler waits in the kernel, where the peer feels it.
void TlsConnection::update_reading() {
  const bool read = reading_ && plain_in_.empty() && cipher_in_.size() < Buffer::kBlockSize;
  if (read == inner_reads_) return;
  inner_reads_ = read;
  read ? inner_->resume_reading() : inner_->pause_reading();
}

void TlsConnection::turn() {
  if (state_ != State::kOpen) return;
  if (write_failed_) return fail(net::CloseReason::kBroken, "TLS error: what was written could not be encrypted");
  read_plain();
}

// Takes one record's bytes to plain_in_, which is empty, or the end. False: there is nothing yet, or the connection has
// failed.
bool TlsConnection::read_record() {
  const auto space = plain_in_.reserve(kReadSize);
  clear_openssl_errors();
  const int n = SSL_read(ssl_.get(), space.data(), static_cast<int>(std::min<size_t>(space.size(), INT_MAX)));
  if (n > 0) {
    plain_in_.commit(static_cast<size_t>(n));
    return true;
  }
  const int error = SSL_get_error(ssl_.get(), n);
  if (plain_in_.empty()) plain_in_ = Buffer();  // gives the reserved block back
  if (error == SSL_ERROR_ZERO_RETURN || (error == SSL_ERROR_WANT_READ && inner_ended_)) {
    end_seen_ = true;
    return true;
  }
  if (error == SSL_ERROR_WANT_READ) return false;
  const std::string reason = take_openssl_error();
  context_->stats().connection_error.add();
  fail(net::CloseReason::kBroken, "TLS error: " + (reason.empty() ? "the connection broke" : reason));
  return false;
}

void TlsConnection::read_plain() {
  net::DestructionGuard guard(destroyed_);
  deliver_records();
  if (guard.destroyed() || state_ != State::kOpen) return;
  update_reading();
  if (inner_closing_ && !reading_ && !end_seen_) handler_->on_peer_closing();
}

// Whether SSL_read() would find nothing, which spares the call: as a rule a message is one record.
bool TlsConnection::nothing_to_read() const {
  return cipher_in_.empty() && !inner_ended_ && SSL_pending(ssl_.get()) == 0;
}

// What the handler has left goes first, then record by record.
void TlsConnection::deliver_records() {
  net::DestructionGuard guard(destroyed_);
  if (reading_ && !plain_in_.empty()) {
    handler_->on_data(plain_in_, false);
    if (guard.destroyed()) return;
  }
  for (int i = 0; i < kRecordsPerTurn; ++i) {
    if (!reading_ || end_seen_ || state_ != State::kOpen || !plain_in_.empty()) return;
    const bool more = read_record();
    if (guard.destroyed() || state_ != State::kOpen || !answer() || !more) return;
    handler_->on_data(plain_in_, end_seen_);
    if (guard.destroyed() || nothing_to_read()) return;
  }
  if (state_ == State::kOpen && reading_ && !end_seen_) turn_task_.schedule();
}

// Sends what OpenSSL has to say of its own accord: to key updates, and to attempts to negotiate anew. What of it waits
// because the peer does not read is bounded: false, and the connection has failed, when there is more.
bool TlsConnection::answer() {
  constexpr size_t kMostAnswers = 64 * 1024;
  if (cipher_out_.empty()) return true;
  if (inner_->unsent() == 0) answered_ = 0;
  answered_ += cipher_out_.size();
  flush();
  if (answered_ <= kMostAnswers) return true;
  context_->stats().connection_error.add();
  fail(net::CloseReason::kBroken, "TLS error: too many messages that are to be answered, and no answer is read");
  return false;
}

// --- writing ---

void TlsConnection::set_write_watermark(size_t high) {
  high_ = high;
  inner_->set_write_watermark(high);
}

void TlsConnection::write(Buffer& data) {
  if (state_ == State::kOpen) {
    encrypt(data);
    flush();
  } else if (state_ == State::kHandshake) {
    waiting_.move_from(data);
    if (waiting_.size() > high_) note_above();
  }
  data.clear();
}

void TlsConnection::write(std::string_view data) {
  Buffer buffer;
  buffer.append(data);
  write(buffer);
}

void TlsConnection::encrypt(Buffer& data) {
  while (!data.empty() && !write_failed_) {
    const std::string_view front = data.front();
    clear_openssl_errors();
    const int n = SSL_write(ssl_.get(), front.data(), static_cast<int>(std::min<size_t>(front.size(), INT_MAX)));
    if (n > 0) {
      data.drain(static_cast<size_t>(n));
      continue;
    }
    write_failed_ = true;
    turn_task_.schedule();
  }
}

void TlsConnection::shutdown_write() {
  if (std::exchange(shutdown_, true) || state_ != State::kOpen) return;
  clear_openssl_errors();
  SSL_shutdown(ssl_.get());
  flush();
  inner_->shutdown_write();
}

void TlsConnection::close(Close how) {
  if (state_ == State::kClosed) return;
  const bool open = state_ == State::kOpen;
  state_ = State::kClosed;
  handler_ = nullptr;
  turn_task_.cancel();
  timer_.disarm();
  if (how == Close::kAfterFlush && open && !shutdown_) {
    clear_openssl_errors();
    SSL_shutdown(ssl_.get());
    flush();
  }
  inner_->close(open ? how : Close::kNow);
}

// Never from inside of a call of the handler's: each caller is an event of the loop.
void TlsConnection::fail(net::CloseReason reason, std::string detail) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  turn_task_.cancel();
  timer_.disarm();
  inner_->close(Close::kAfterFlush);
  net::ConnectionHandler* handler = std::exchange(handler_, nullptr);
  if (handler) handler->on_closed(reason, detail);
}

std::unique_ptr<net::Connection> connect(net::EventLoop& loop, const Address& ip_address,
                                         std::chrono::milliseconds timeout, net::ConnectionHandler& handler,
                                         std::shared_ptr<const ClientContext> context, std::string server_name) {
  const ClientContext& client = *context;
  auto connection = std::make_unique<TlsConnection>(loop, std::move(context), true);
  connection->start_client(ip_address, timeout, handler, client, std::move(server_name));
  return connection;
}

std::unique_ptr<net::Connection> accept(net::EventLoop& loop, std::unique_ptr<net::Connection> plain,
                                        std::shared_ptr<const ServerContext> context) {
  const auto timeout = context->config().handshake_timeout;
  auto connection = std::make_unique<TlsConnection>(loop, std::move(context), false);
  connection->start_server(std::move(plain), timeout);
  return connection;
}

}  // namespace inlay::tls
