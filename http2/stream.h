// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stream: one exchange on an HTTP/2 connection (RFC 9113, section 5), as whoever serves or sends it sees it. Its owner
// derives from it and is told, in order: on_informational*, on_headers, on_data*, on_trailers?, and on_closed or
// on_reset as the last call. What it sends goes through its Session. Loop thread only.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/buffer.h"
#include "http/header_map.h"

namespace inlay::http2 {

class Session;
class SessionImpl;

// ErrorCode: RFC 9113, section 7; those that this side says or tells apart.
enum class ErrorCode : uint32_t {
  kNoError = 0,
  kProtocolError = 1,
  kInternalError = 2,
  kRefusedStream = 7,
  kCancel = 8,
  kEnhanceYourCalm = 11,
};

class Stream {
 public:
  Stream() = default;
  // Resets it, with kCancel, if it is still open. Not inside of a call of its own: detach() it and destroy it later.
  virtual ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // From Session::submit_request() (a client) or SessionSink::on_stream() (a server) until the last call, or detach().
  bool open() const { return session_ != nullptr; }
  uint32_t id() const { return static_cast<uint32_t>(id_); }  // 0 before it is open
  // What has been handed over and has not left yet, in bytes.
  size_t unsent() const { return outgoing_.size(); }

 protected:
  // Where the next head, and the trailers, go; asked for when the first byte of either has come. Both are cleared.
  virtual http::HeaderMap& headers_storage() = 0;
  virtual http::HeaderMap& trailers_storage() = 0;
  // An interim (1xx) response is in headers_storage(), for this call only.
  virtual void on_informational() {}
  virtual void on_headers(bool end_stream) = 0;
  // What of `data` is left after the call is dropped. May be empty only with `end_stream`.
  virtual void on_data(Buffer& data, bool end_stream) = 0;
  virtual void on_trailers() = 0;
  // Both sides have ended. The stream is open no longer, and may be used again.
  virtual void on_closed() = 0;
  // It has ended before that. `by_peer`: the peer's RST_STREAM or GOAWAY; else what the peer sent was not HTTP.
  virtual void on_reset(ErrorCode code, bool by_peer) = 0;
  // unsent() rose over the session's limit, or fell below half of it. Strictly alternating, above first.
  virtual void on_above_write_watermark() {}
  virtual void on_below_write_watermark() {}

 private:
  friend class SessionImpl;

  Session* session_ = nullptr;
  size_t place_ = 0;  // in the session's list
  int32_t id_ = 0;
  Buffer outgoing_;
  Buffer incoming_;                                // of the frame that comes, or all that came while paused
  size_t unconsumed_ = 0;                          // bytes whose window the peer has not got back
  std::unique_ptr<http::HeaderMap> out_trailers_;  // to be sent behind outgoing_
  http::HeaderMap* storage_ = nullptr;             // of the head that comes
  size_t header_bytes_ = 0;                        // of it
  size_t header_count_ = 0;
  bool broken_off_ = false;    // behind outgoing_ comes RST_STREAM
  bool outgoing_end_ = false;  // nothing comes behind outgoing_
  bool deferred_ = false;      // the codec waits for more to send
  bool above_ = false;
  bool paused_ = false;
  bool head_came_ = false;  // the final one
  bool head_told_ = false;
  bool trailers_came_ = false;
  bool end_came_ = false;  // END_STREAM was read
  bool end_told_ = false;
  bool ended_ = false;  // the codec has closed it; what is held is still to be told
  bool reset_by_peer_ = false;
  bool invalid_ = false;  // a field that HTTP has not
};

}  // namespace inlay::http2
