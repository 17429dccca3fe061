// SPDX-License-Identifier: Apache-2.0
#include "tester/http2_wire.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "tester/wire.h"

namespace inlay::tester {
namespace {

constexpr size_t kPiece = 64 * 1024;

// What a case is about is not what its clients and upstreams bear.
http2::Settings settings() {
  http2::Settings all;
  all.max_header_bytes = 16 << 20;
  all.max_header_count = 100'000;
  all.max_empty_frames = all.max_priority_frames = all.max_window_updates = 1'000'000;
  return all;
}

}  // namespace

Http2Wire::Http2Wire(http2::Session::Kind kind, Socket socket, http2::SessionSink& sink, SocketRun& run)
    : run_(run), socket_(std::move(socket)), session_(http2::Session::create(kind, settings(), sink)) {
  if (!session_) socket_.close();
}

void Http2Wire::flush() {
  while (session_->wants_to_write()) {
    Buffer out;
    session_->write(out, kPiece);
    if (out.empty()) break;
    run_.sent += out.size();
    socket_.queue(out.to_string());
  }
  socket_.flush();
}

Socket::Read Http2Wire::read() {
  std::string bytes;
  const Socket::Read got = socket_.read(bytes);
  if (got != Socket::Read::kBytes) return got;
  Buffer data;
  data.append(bytes);
  session_->receive(data);
  return got;
}

http::HeaderMap http2_request(const Step& step) {
  Fields fields = request_fields(step);
  Fields all = {{":authority", std::string(field(fields, "host"))},
                {":path", step.path},
                {":method", step.method},
                {":scheme", "http"}};
  std::copy_if(fields.begin(), fields.end(), std::back_inserter(all), [](const auto& f) { return f.first != "host"; });
  return header_map(all);
}

void Length::begin(const Fields& fields) {
  known_ = has_field(fields, "content-length");
  left_ = known_ ? std::strtoul(std::string(field(fields, "content-length")).c_str(), nullptr, 10) : 0;
}

bool Length::take(size_t bytes) {
  left_ -= std::min(left_, bytes);
  return known_ && left_ == 0;
}

}  // namespace inlay::tester
