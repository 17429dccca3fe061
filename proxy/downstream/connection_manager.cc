// SPDX-License-Identifier: Apache-2.0
#include "proxy/downstream/connection_manager.h"

#include <algorithm>
#include <utility>

#include "base/buffer_memory.h"
#include "proxy/downstream/connection_manager_impl.h"
#include "proxy/downstream/server_connection.h"
#include "proxy/downstream/server_stream.h"

namespace inlay::proxy::downstream {
namespace {

// Streams kept for later requests, however few there are; each holds its filters and a few KiB of header memory.
constexpr size_t kFreeStreams = 64;
// Blocks of buffers that a peak must have had more than there are now, for the allocator's pages to be worth a look: 16
// MiB.
constexpr int64_t kPeakBlocks = 1024;
constexpr std::chrono::seconds kLookForPeakAfter(5);

}  // namespace

ConnectionManager::Impl::Impl(net::EventLoop& event_loop, Options manager_options)
    : loop(event_loop),
      options(std::move(manager_options)),
      http(options.listener.http),
      limits{size_t{http.max_request_headers_kb} * 1024, http.max_headers_count, http.allow_custom_methods, true},
      stats(options.metrics, options.listener),
      rules(options.listener),
      drained_task(loop, net::DeferredTask::When::kNextTurn, [this] { report_drained(); }),
      trim_timer(loop, [this] { trim_streams(); }),
      memory_timer(loop, [this] { look_for_peak(); }) {}

ConnectionManager::Impl::~Impl() {
  on_drained = nullptr;
  close_all();
  loop.delete_now();  // their streams' filters refer to the factories
}

std::unique_ptr<ServerStream> ConnectionManager::Impl::acquire_stream() {
  std::unique_ptr<ServerStream> stream;
  if (free_streams.empty()) {
    stream = std::make_unique<ServerStream>(loop, options.listener, options.factories);
  } else {
    stream = std::move(free_streams.back());
    free_streams.pop_back();
  }
  most_streams = std::max(most_streams, ++active_streams);
  return stream;
}

void ConnectionManager::Impl::recycle_stream(std::unique_ptr<ServerStream> stream) {
  --active_streams;
  free_streams.push_back(std::move(stream));
  if (free_streams.size() > kFreeStreams && !trim_timer.armed()) trim_timer.arm(options.trim_streams_every);
}

// As many as were ever needed at the same time stay. With fewer, each peak of some hundred connections that send at
// once would make the others anew.
void ConnectionManager::Impl::trim_streams() {
  const size_t needed = std::max(most_streams, kFreeStreams) - active_streams;
  if (free_streams.size() > needed) free_streams.resize(needed);
  most_streams = active_streams;
  if (free_streams.size() > kFreeStreams) trim_timer.arm(options.trim_streams_every);
}

void ConnectionManager::Impl::look_for_peak() {
  BlockCount& blocks = block_count();
  if (blocks.most - blocks.live >= kPeakBlocks && options.on_peak_over) options.on_peak_over();
  blocks.most = blocks.live;
}

ServerConnection::ServerConnection(ConnectionManager::Impl& manager, size_t index) : manager_(manager), index_(index) {
  const auto longest = manager.http.max_connection_duration;
  if (longest.count() == 0) return;
  duration_timer_ = std::make_unique<net::Timer>(manager.loop, [this] {
    manager_.stats.cx_max_duration_reached.add();
    drain();
  });
  duration_timer_->arm(longest);
}

void configure_socket(const ConnectionManager::Impl& manager, net::Connection& connection) {
  connection.set_write_watermark(write_limit_of(manager.options.listener));
  connection.set_linger(manager.http.delayed_close_timeout);
}

void ConnectionManager::Impl::accept(std::unique_ptr<net::Connection> connection, std::vector<FilterState>* below) {
  stats.cx_total.add();
  stats.cx_active.add();
  stats.listener.cx_total.add();
  stats.listener.cx_active.add();
  const bool is_http2 = http.codec_type == config::HttpConnectionManager::CodecType::kHttp2;
  const auto make = is_http2 ? make_http2_connection : make_http1_connection;
  connections.push_back(make(*this, std::move(connection), connections.size(), below));
}

void ConnectionManager::Impl::give_to_http2(ServerConnection& old, std::unique_ptr<net::Connection> connection,
                                            std::vector<FilterState>* below) {
  const size_t index = old.index();
  loop.delete_later(std::move(connections[index]));
  connection->pause_reading();  // what has come comes again
  connections[index] = make_http2_connection(*this, std::move(connection), index, below);
}

void ConnectionManager::Impl::release(ServerConnection& connection) {
  if (block_count().most >= kPeakBlocks && !memory_timer.armed()) memory_timer.arm(kLookForPeakAfter);
  const size_t index = connection.index();
  loop.delete_later(std::move(connections[index]));
  if (index + 1 != connections.size()) {
    connections[index] = std::move(connections.back());
    connections[index]->set_index(index);
  }
  connections.pop_back();
  stats.cx_active.sub();
  stats.listener.cx_active.sub();
  if (on_drained) drained_task.schedule();
}

void ConnectionManager::Impl::report_drained() {
  if (!connections.empty() || !on_drained) return;
  std::exchange(on_drained, nullptr)();
}

void ConnectionManager::Impl::close_all() {
  while (!connections.empty()) connections.back()->abort("connection_manager_closed");
}

ConnectionManager::ConnectionManager(net::EventLoop& loop, Options options)
    : impl_(std::make_unique<Impl>(loop, std::move(options))) {}

ConnectionManager::~ConnectionManager() = default;

void ConnectionManager::accept(std::unique_ptr<net::Connection> connection, std::vector<FilterState>* below) {
  impl_->accept(std::move(connection), below);
}

void ConnectionManager::Impl::drain(void (ServerConnection::*how)(), std::function<void()> then) {
  draining = true;
  on_drained = std::move(then);
  // Backwards, since a connection without a stream leaves the list and the last one takes its place.
  for (size_t i = connections.size(); i-- > 0;) (*connections[i].*how)();
  drained_task.schedule();
}

void ConnectionManager::drain(std::function<void()> on_drained) {
  impl_->drain(&ServerConnection::drain, std::move(on_drained));
}

void ConnectionManager::retire(std::function<void()> on_drained) {
  impl_->drain(&ServerConnection::retire, std::move(on_drained));
}

size_t ConnectionManager::connection_count() const {
  return impl_->connections.size();
}

size_t ConnectionManager::stream_count() const {
  return impl_->active_streams;
}

size_t ConnectionManager::free_stream_count() const {
  return impl_->free_streams.size();
}

}  // namespace inlay::proxy::downstream
