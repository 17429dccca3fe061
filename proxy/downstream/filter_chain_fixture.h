// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the filter chain share: a chain of two scripted filters and a scripted router, and its codec's
// side, all of which write into one journal.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/downstream/filter_chain.h"
#include "proxy/downstream/scripted_filter.h"

namespace inlay::proxy::downstream::testing {

// The codec's side: writes into the same journal.
struct Sink : ResponseSink {
  explicit Sink(Journal& j) : journal(j) {}
  void encode_informational(HeaderMap& headers) override {
    journal.add(std::string(headers.value(http::HeaderId::kStatus)));
  }
  void encode_headers(HeaderMap& headers, bool end) override {
    journal.add("HEAD(" + std::string(headers.value(http::HeaderId::kStatus)) + (end ? ",end)" : ")"));
    if (end) ended();
  }
  void encode_data(Buffer& data, bool end) override {
    journal.add("BODY(" + (data.size() <= 32 ? data.to_string() : std::to_string(data.size()) + "B") +
                (end ? ",end)" : ")"));
    if (end) ended();
  }
  void encode_trailers(HeaderMap& trailers) override {
    journal.add("TRAILERS(" + std::to_string(trailers.size()) + ")");
    ended();
  }
  void pause_request(bool paused) override { journal.add(paused ? "PAUSE" : "RESUME"); }
  void set_timeouts(const StreamTimeouts&) override { journal.add("TIMEOUTS"); }
  void on_upgrade(bool accepted) override { journal.add(accepted ? "UPGRADE" : "NO_UPGRADE"); }
  void on_reset() override {
    journal.add("RESET");
    ended();
  }
  void on_finished() override { journal.add("FINISHED"); }
  void ended() {
    if (finish_at_end) chain->finish();
  }
  Journal& journal;
  FilterChain* chain = nullptr;
  bool finish_at_end = true;
};

class FilterChainTest : public ::testing::Test {
 protected:
  FilterChainTest() {
    listener_.per_connection_buffer_limit_bytes = 100;
    const char* names[] = {"a", "b", "r"};
    for (size_t i = 0; i < 3; ++i) {
      factories_.push_back(std::make_unique<Factory>([this, i, name = names[i]] {
        auto filter = std::make_unique<ScriptedFilter>(name, journal_);
        filters_[i] = filter.get();
        return filter;
      }));
    }
    chain_ = std::make_unique<FilterChain>(
        loop_, listener_, std::vector<FilterFactory*>{factories_[0].get(), factories_[1].get(), factories_[2].get()});
    sink_.chain = chain_.get();
    begin();
  }
  void begin() {
    chain_->start(sink_);
    chain_->request_headers().add(":method", "POST");
  }
  ScriptedFilter& a() { return *filters_[0]; }
  ScriptedFilter& b() { return *filters_[1]; }
  ScriptedFilter& router() { return *filters_[2]; }

  void data(std::string_view text, bool end = false) {
    Buffer buffer;
    buffer.append(text);
    chain_->decode_data(buffer, end);
  }
  void respond(bool end = false) {
    router().callbacks->response_storage().add(":status", "200");
    router().callbacks->encode_headers(end);
  }
  void respond_data(std::string_view text, bool end = false) {
    Buffer buffer;
    buffer.append(text);
    router().callbacks->encode_data(buffer, end);
  }
  static host::LocalReply reply(uint32_t status, std::string body = "no") {
    host::LocalReply result;
    result.status = status;
    result.body = std::move(body);
    return result;
  }
  // What was heard since the last call.
  std::string heard() {
    std::string text = journal_.text();
    journal_.lines.clear();
    return text;
  }

  net::EventLoop loop_;
  config::Listener listener_;
  Journal journal_;
  Sink sink_{journal_};
  ScriptedFilter* filters_[3] = {};
  std::vector<std::unique_ptr<Factory>> factories_;
  std::unique_ptr<FilterChain> chain_;
};

inline constexpr const char* kEnd = " a.log b.log r.log a.destroy b.destroy r.destroy FINISHED";

}  // namespace inlay::proxy::downstream::testing
