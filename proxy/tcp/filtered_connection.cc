// SPDX-License-Identifier: Apache-2.0
#include "proxy/tcp/filtered_connection.h"

#include <chrono>
#include <utility>

namespace inlay::proxy::tcp {

using net::DeferredTask;

class FilteredConnection::Last final : public Filter {
 public:
  explicit Last(FilteredConnection& connection) : connection_(connection) {}
  void start(FilterCallbacks& callbacks) override { connection_.last_ = &callbacks; }
  Action on_read(Buffer& data, bool) override {
    if (connection_.end_told_) data.clear();  // held until the client had gone
    connection_.in_.move_from(data);
    connection_.deliver();
    return Action::kContinue;
  }
  void on_close(abi::PeerType) override {}

 private:
  FilteredConnection& connection_;
};

FilteredConnection::FilteredConnection(net::EventLoop& loop, std::unique_ptr<net::Connection> inner,
                                       const config::Listener& listener, const std::vector<FilterFactory*>& factories)
    : inner_(std::move(inner)),
      listener_(listener),
      limit_(listener.per_connection_buffer_limit_bytes > 0 ? listener.per_connection_buffer_limit_bytes : SIZE_MAX),
      chain_(loop, *this, factories, std::make_unique<Last>(*this)),
      turn_task_(loop, DeferredTask::When::kNextTurn, [this] { turn(); }),
      watermark_task_(loop, DeferredTask::When::kAfterEvent, [this] { update_writing(); }) {
  set_id(inner_->id());
  downstream::StreamInfo& info = chain_.info();
  info.protocol.clear();
  info.connection_id = id();
  info.start_monotonic = loop.now();
  info.start_system =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  info.downstream_local = &inner_->local_address();
  info.downstream_remote = info.downstream_direct_remote = &inner_->remote_address();
  inner_->set_handler(this);
}

FilteredConnection::~FilteredConnection() {
  close(Close::kNow);
}

// --- from the client to the handler ---

void FilteredConnection::on_data(Buffer& data, bool end) {
  ended_ = ended_ || end;
  chain_.info().bytes_received += data.size();
  if (!data.empty()) chain_.on_data(data, false);
  if (ended_ && !end_told_) deliver();
}

// As in Envoy, a client that has sent its last byte has gone: what a filter still holds of it goes no further.
void FilteredConnection::deliver() {
  if (closed_ || !handler_reads_ || handler_ == nullptr) return;
  if (in_.empty() && (!ended_ || end_told_)) return;
  end_told_ = ended_;
  handler_->on_data(in_, ended_);
  update_reading();
  if (closing_ && !handler_reads_ && !end_told_) on_peer_closing();
}

void FilteredConnection::on_peer_closing() {
  closing_ = true;
  if (!closed_ && handler_ != nullptr) handler_->on_peer_closing();
}

void FilteredConnection::pause_reading() {
  handler_reads_ = false;
  update_reading();
}

void FilteredConnection::resume_reading() {
  handler_reads_ = true;
  update_reading();
  turn_task_.schedule();
}

// Nothing is received behind what the handler has left.
void FilteredConnection::update_reading() {
  const bool read = handler_reads_ && in_.empty() && chain_.read_waiting() < limit_;
  if (closed_ || read == inner_reads_) return;
  inner_reads_ = read;
  read ? inner_->resume_reading() : inner_->pause_reading();
}

// --- from the handler to the client ---

void FilteredConnection::write(Buffer& data) {
  if (closed_) return data.clear();
  last_->write(data, false);
}

void FilteredConnection::write(std::string_view data) {
  scratch_.append(data);
  write(scratch_);
}

void FilteredConnection::shutdown_write() {
  if (!closed_) last_->write(scratch_, true);
}

void FilteredConnection::send(Buffer& data, bool end_stream) {
  chain_.info().bytes_sent += data.size();
  inner_->write(data);
  if (end_stream) inner_->shutdown_write();
}

void FilteredConnection::set_write_watermark(size_t high) {
  high_ = high;
  inner_->set_write_watermark(high);
  update_writing();
}

void FilteredConnection::on_above_write_watermark() {
  above_ = true;
  update_writing();
}

void FilteredConnection::on_below_write_watermark() {
  above_ = false;
  update_writing();
}

void FilteredConnection::update_writing() {
  const bool blocked = above_ || chain_.write_waiting() > high_;
  if (closed_ || handler_ == nullptr || blocked == told_above_) return;
  told_above_ = blocked;
  blocked ? handler_->on_above_write_watermark() : handler_->on_below_write_watermark();
}

void FilteredConnection::on_buffers_changed() {
  update_reading();
  watermark_task_.schedule();  // this may come from inside of write()
  if (ended_ && !end_told_) turn_task_.schedule();
}

// --- the end ---

void FilteredConnection::turn() {
  if (!std::exchange(close_unsaid_, false)) return deliver();
  if (net::ConnectionHandler* handler = std::exchange(handler_, nullptr)) {
    handler->on_closed(net::CloseReason::kLocal, close_details_);
  }
}

// By the handler.
void FilteredConnection::close(Close how) {
  handler_ = nullptr;
  turn_task_.cancel();
  watermark_task_.cancel();
  if (std::exchange(closed_, true)) return;
  inner_->close(how);
  chain_.on_close(ended_ ? abi::PeerType::kRemote : abi::PeerType::kLocal);
}

// By a filter.
void FilteredConnection::close(Close how, std::string_view details, uint32_t) {
  if (std::exchange(closed_, true)) return;
  close_details_ = details;
  close_unsaid_ = true;
  turn_task_.schedule();
  inner_->close(how);
  chain_.on_close(abi::PeerType::kLocal);
}

void FilteredConnection::on_closed(net::CloseReason reason, std::string_view detail) {
  if (std::exchange(closed_, true)) return;
  if (listener_.tls && inner_->tls() == nullptr) chain_.info().downstream_transport_failure = detail;
  chain_.on_close(abi::PeerType::kRemote);
  if (net::ConnectionHandler* handler = std::exchange(handler_, nullptr)) handler->on_closed(reason, detail);
}

}  // namespace inlay::proxy::tcp
