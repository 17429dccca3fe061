// SPDX-License-Identifier: Apache-2.0
#pragma once

// FilterChain: the filters of one connection, and the bytes on their way through them. Loop thread only.
//
//     FilterChain chain(loop, sink, factories);
//     chain.start();                        // on_new_connection
//     chain.on_data(buffer, end_stream);    // from the client
//     chain.on_close(abi::PeerType::kRemote);

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "proxy/tcp/filter.h"

namespace inlay::proxy::tcp {

class FilterChain {
 public:
  // Sink is the client's connection as the chain uses it.
  class Sink {
   public:
    // Takes all of `data`, which has passed all filters.
    virtual void send(Buffer& data, bool end_stream) = 0;
    // Ends the connection; calls FilterChain::on_close().
    virtual void close(net::Connection::Close how, std::string_view details, uint32_t flags) = 0;
    virtual void allow_reading(bool allowed) = 0;
    // Writes into `info` what is not known from the beginning: the handshake. Called before anybody reads it.
    virtual void describe(downstream::StreamInfo& info) = 0;
    // The buffers may have become longer or shorter.
    virtual void on_buffers_changed() = 0;

   protected:
    ~Sink() = default;
  };

  // `last`: a filter behind those that the factories make, if any.
  FilterChain(net::EventLoop& loop, Sink& sink, const std::vector<FilterFactory*>& factories,
              std::unique_ptr<Filter> last = nullptr);
  ~FilterChain();
  FilterChain(const FilterChain&) = delete;
  FilterChain& operator=(const FilterChain&) = delete;

  void start();
  void on_data(Buffer& data, bool end_stream);
  void on_write_watermark(bool above);
  // Nothing is passed on after this.
  // `reset`: by the client's RST.
  void on_close(abi::PeerType by, bool reset = false);

  downstream::StreamInfo& info() {
    sink_.describe(info_);
    return info_;
  }
  // Bytes that wait behind a filter that has paused.
  size_t read_waiting() const { return read_buffer_.size(); }
  size_t write_waiting() const { return write_buffer_.size(); }

 private:
  class Link;
  // Offers what is in the buffer to the filters from `index` on, to the last, or down to the first and to the client.
  void run_read(size_t index);
  void run_write(size_t index);

  net::EventLoop& loop_;
  Sink& sink_;
  downstream::StreamInfo info_;
  std::vector<std::unique_ptr<Link>> links_;
  Buffer read_buffer_;
  Buffer write_buffer_;
  bool read_end_ = false;
  bool write_end_ = false;
  bool write_ended_ = false;  // the end has been passed to the client
  bool closed_ = false;
  bool reset_ = false;
};

}  // namespace inlay::proxy::tcp
