// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: filters that write down what they hear and answer as they are told, and an origin at the end of the chain.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/downstream/filter.h"

namespace inlay::proxy::downstream::testing {

// Journal: all calls of all filters, in order, for example "a.decode_headers(end)".
struct Journal {
  std::vector<std::string> lines;
  void add(std::string line) { lines.push_back(std::move(line)); }
  std::string text() const {
    std::string result;
    for (const auto& line : lines) result += (result.empty() ? "" : " ") + line;
    return result;
  }
};

class ScriptedFilter : public StreamFilter {
 public:
  ScriptedFilter(std::string name, Journal& journal) : name_(std::move(name)), journal_(journal) {}

  // What the next calls of each kind return; Continue when nothing is left.
  std::vector<HeadersStatus> on_decode_headers;
  std::vector<HeadersStatus> on_encode_headers;
  std::vector<DataStatus> on_decode_data;
  std::vector<DataStatus> on_encode_data;
  std::vector<TrailersStatus> on_decode_trailers;
  std::vector<TrailersStatus> on_encode_trailers;
  // Runs inside of the named callback ("decode_headers").
  std::map<std::string, std::function<void()>> inside;
  FilterCallbacks* callbacks = nullptr;
  bool takes_part = true;

  bool start(FilterCallbacks& stream) override {
    callbacks = &stream;
    return takes_part;
  }
  HeadersStatus decode_headers(HeaderMap&, bool end) override {
    heard("decode_headers", end ? "end" : "");
    return next(on_decode_headers, HeadersStatus::kContinue);
  }
  DataStatus decode_data(Buffer& data, bool end) override {
    heard("decode_data", seen(data, callbacks->buffered_request_body()) + (end ? ",end" : ""));
    return next(on_decode_data, DataStatus::kContinue);
  }
  TrailersStatus decode_trailers(HeaderMap&) override {
    heard("decode_trailers", "");
    return next(on_decode_trailers, TrailersStatus::kContinue);
  }
  HeadersStatus encode_headers(HeaderMap& headers, bool end) override {
    heard("encode_headers", std::string(headers.value(http::HeaderId::kStatus)) + (end ? ",end" : ""));
    return next(on_encode_headers, HeadersStatus::kContinue);
  }
  DataStatus encode_data(Buffer& data, bool end) override {
    heard("encode_data", seen(data, callbacks->buffered_response_body()) + (end ? ",end" : ""));
    return next(on_encode_data, DataStatus::kContinue);
  }
  TrailersStatus encode_trailers(HeaderMap&) override {
    heard("encode_trailers", "");
    return next(on_encode_trailers, TrailersStatus::kContinue);
  }
  void on_above_write_watermark() override { heard("above", ""); }
  void on_below_write_watermark() override { heard("below", ""); }
  void on_log() override { heard("log", ""); }
  void on_destroy() override { heard("destroy", ""); }

 protected:
  void heard(const std::string& what, const std::string& with) {
    journal_.add(name_ + "." + what + (with.empty() ? "" : "(" + with + ")"));
    if (auto it = inside.find(what); it != inside.end()) {
      const auto run = it->second;  // it may take itself out of the map
      run();
    }
  }
  // "held+new"; long ones as their size.
  static std::string seen(const Buffer& data, const Buffer* held) {
    const auto show = [](const Buffer& b) { return b.size() <= 32 ? b.to_string() : std::to_string(b.size()) + "B"; };
    return (held ? show(*held) + "+" : "") + show(data);
  }
  template <class Status>
  static Status next(std::vector<Status>& list, Status otherwise) {
    if (list.empty()) return otherwise;
    const Status status = list.front();
    list.erase(list.begin());
    return status;
  }

 private:
  const std::string name_;
  Journal& journal_;
};

// Makes filters with `make` for each stream object.
class Factory : public FilterFactory {
 public:
  explicit Factory(std::function<std::unique_ptr<StreamFilter>()> make) : make_(std::move(make)) {}
  std::unique_ptr<StreamFilter> create() override { return make_(); }
  std::string_view name() const override { return "scripted"; }

 private:
  std::function<std::unique_ptr<StreamFilter>()> make_;
};

// Origin: a router of its own that answers every request: "/echo" sends the body back as it comes, "/big?N" sends N
// bytes,
// "/never" nothing, "/reset" resets the stream, "/early" answers before the body, all else a text with a length.
class Origin : public StreamFilter {
 public:
  bool start(FilterCallbacks& stream) override {
    callbacks_ = &stream;
    above_ = false;
    left_ = 0;
    return true;
  }
  HeadersStatus decode_headers(HeaderMap& headers, bool end) override {
    path_ = headers.value(http::HeaderId::kPath);
    if (path_ == "/reset") {
      callbacks_->reset_stream("origin_reset");
    } else if (path_ == "/echo") {
      respond("200", {}, end);
    } else if (path_.starts_with("/big?")) {
      left_ = std::stoull(path_.substr(5));
      respond("200", std::to_string(left_), left_ == 0);
      send_more();
    } else if (path_ == "/early" || (path_ != "/never" && end)) {
      answer();
    }
    return HeadersStatus::kStopIteration;
  }
  DataStatus decode_data(Buffer& data, bool end) override {
    if (path_ == "/echo") {
      callbacks_->encode_data(data, end);
    } else if (end && path_ != "/never" && path_ != "/early") {
      answer();
    }
    return DataStatus::kStopIterationNoBuffer;
  }
  TrailersStatus decode_trailers(HeaderMap& trailers) override {
    if (path_ != "/echo") {
      answer();
      return TrailersStatus::kStopIteration;
    }
    HeaderMap& to = callbacks_->response_trailers_storage();
    for (const auto& entry : trailers) to.add(entry.name, entry.value);
    callbacks_->encode_trailers();
    return TrailersStatus::kStopIteration;
  }
  void on_above_write_watermark() override { above_ = true; }
  void on_below_write_watermark() override {
    above_ = false;
    send_more();
  }
  void on_destroy() override {
    callbacks_ = nullptr;
    left_ = 0;
  }

 private:
  void respond(std::string_view status, std::string_view length, bool end) {
    HeaderMap& headers = callbacks_->response_storage();
    headers.add(":status", status);
    headers.add("connection", "x-hop");
    headers.add("x-hop", "1");
    if (!length.empty()) headers.add("content-length", length);
    callbacks_->encode_headers(end);
  }
  void answer() {
    const std::string text = "at " + path_;
    respond("200", std::to_string(text.size()), false);
    Buffer body;
    body.append(text);
    callbacks_->encode_data(body, true);
  }
  void send_more() {
    const std::string piece(64 * 1024, 'b');
    while (left_ > 0 && !above_) {
      const size_t n = std::min<size_t>(left_, piece.size());
      left_ -= n;
      Buffer body;
      body.append(std::string_view(piece).substr(0, n));
      callbacks_->encode_data(body, left_ == 0);
    }
  }

  FilterCallbacks* callbacks_ = nullptr;
  std::string path_;
  bool above_ = false;
  size_t left_ = 0;
};

}  // namespace inlay::proxy::downstream::testing
