// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a filter of a listener's network filter chain is, and what the chain offers it. Modelled on Envoy's network
// filters (envoy/network/filter.h).
//
// What the client sends goes through the filters in order to the last one, which takes it to a server; what the server
// sends goes through them in reverse. There is one buffer for each direction, which all filters see: what a filter that
// pauses leaves in it is seen again with the next bytes, from the first filter on. A filter lives as long as its
// connection.

#include <cstdint>
#include <memory>
#include <string_view>

#include "abi/types.h"
#include "base/buffer.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "proxy/downstream/filter.h"

namespace inlay::proxy::tcp {

using abi::Action;

// FilterCallbacks: what the chain does for a filter. Each filter has its own, so that the chain knows where to go on.
class FilterCallbacks {
 public:
  virtual ~FilterCallbacks() = default;
  virtual net::EventLoop& loop() = 0;
  virtual downstream::StreamInfo& info() = 0;

  // What the client has sent and what the server, or the HTTP codec, has sent, as far as nobody has taken it.
  virtual Buffer& read_buffer() = 0;
  virtual Buffer& write_buffer() = 0;
  // Goes on with the filters behind this one, after it had paused; nothing when it has not. Not from inside of the
  // filter's own callback for that direction.
  virtual void continue_reading() = 0;
  virtual void continue_writing() = 0;
  // Ends the connection: every filter hears on_close() from inside of this. `flags` are downstream::ResponseFlag.
  virtual void close(net::Connection::Close how, std::string_view details, uint32_t flags = 0) = 0;

  // For the last filter. What the server has sent; `end_stream`: its last byte. Takes all of `data`.
  virtual void write(Buffer& data, bool end_stream) = 0;
  // Whether the client is read: not while there is nowhere for its bytes to go. Reading begins allowed.
  virtual void allow_reading(bool allowed) = 0;
  // In on_close(): whether the client has ended the connection with RST.
  virtual bool client_has_reset() = 0;
};

class Filter {
 public:
  virtual ~Filter() = default;
  // The connection has been accepted. Before any other call; `callbacks` outlives the filter.
  virtual void start(FilterCallbacks& callbacks) = 0;
  // kPause: the filters behind this one hear of the connection only with the next bytes or continue_reading().
  virtual Action on_new_connection() { return Action::kContinue; }
  // `end_stream`: the client, or the server, has sent its last byte.
  virtual Action on_read(Buffer&, bool /*end_stream*/) { return Action::kContinue; }
  virtual Action on_write(Buffer&, bool /*end_stream*/) { return Action::kContinue; }
  // For the last filter: the client takes no more for now, or again. Alternating, above first.
  virtual void on_above_write_watermark() {}
  virtual void on_below_write_watermark() {}
  // The connection has ended: kRemote when the client closed it, kLocal when we did. The last call, exactly once, also
  // for filters that have not heard of the connection yet.
  virtual void on_close(abi::PeerType by) = 0;
};

// Makes a worker's filters. One factory a configured filter and worker.
class FilterFactory {
 public:
  virtual ~FilterFactory() = default;
  virtual std::unique_ptr<Filter> create() = 0;
};

}  // namespace inlay::proxy::tcp
