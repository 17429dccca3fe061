// SPDX-License-Identifier: Apache-2.0
#include "tester/memory_connection.h"

#include <utility>

namespace inlay::tester {

using net::DeferredTask;

MemoryConnection::MemoryConnection(net::EventLoop& loop, Client& client)
    : client_(&client),
      turn_task_(loop, DeferredTask::When::kNextTurn, [this] { turn(); }),
      flush_task_(loop, DeferredTask::When::kAfterEvent, [this] { flush(); }) {
  client_->connection = this;
}

MemoryConnection::~MemoryConnection() {
  if (client_ != nullptr) client_->connection = nullptr;
  if (destroyed_ != nullptr) *destroyed_ = true;
}

void MemoryConnection::receive(std::string_view bytes) {
  in_.append(bytes);
  turn_task_.schedule();
}

void MemoryConnection::receive_end() {
  end_ = true;
  turn_task_.schedule();
}

void MemoryConnection::receive_reset() {
  reset_ = true;
  turn_task_.schedule();
}

void MemoryConnection::resume_reading() {
  reading_ = true;
  turn_task_.schedule();
}

void MemoryConnection::turn() {
  if (handler_ == nullptr) return;
  if (std::exchange(reset_, false)) return handler_->on_closed(net::CloseReason::kRemoteReset, "connection reset");
  if (!reading_ || (in_.empty() && (!end_ || end_told_))) return;
  end_told_ = end_;
  handler_->on_data(in_, end_);
}

void MemoryConnection::write(Buffer& data) {
  out_.move_from(data);
  flush_task_.schedule();
}

void MemoryConnection::write(std::string_view data) {
  out_.append(data);
  flush_task_.schedule();
}

void MemoryConnection::shutdown_write() {
  ending_ = true;
  flush_task_.schedule();
}

void MemoryConnection::flush() {
  if (client_ == nullptr) return;
  if (client_->reads && !out_.empty()) {
    const std::string bytes = out_.to_string();
    out_.clear();
    client_->on_bytes(bytes);
  }
  if (ending_ && out_.empty()) client_->on_close(false);
  if (handler_ == nullptr) return;
  if (out_.size() > high_ && !std::exchange(above_, true)) {
    handler_->on_above_write_watermark();
  } else if (above_ && out_.size() <= high_ / 2) {
    above_ = false;
    handler_->on_below_write_watermark();
  }
}

void MemoryConnection::client_reads_again() {
  flush_task_.schedule();
}

void MemoryConnection::close(Close how) {
  handler_ = nullptr;
  if (client_ == nullptr) return;
  Client& client = *std::exchange(client_, nullptr);
  client.connection = nullptr;
  if (how == Close::kAfterFlush) {
    const std::string bytes = out_.to_string();
    if (client.reads) {
      if (!bytes.empty()) client.on_bytes(bytes);
    } else {
      client.kept = bytes;
      client.close_kept = true;
      return;
    }
  }
  client.on_close(how == Close::kReset);
}

}  // namespace inlay::tester
