// SPDX-License-Identifier: Apache-2.0
#include "tester/textpb/phases.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "tester/textpb/inputs.h"
#include "testkit/proxy.h"

namespace inlay::tester::textpb {
namespace {

constexpr std::string_view kGuestPrefix = "wasm log";

// What a phase has come to.
struct Outcome {
  Fields headers;
  std::string body;
  bool stopped = false;
  const host::LocalReply* reply = nullptr;
  std::vector<std::string> log;
};

std::string lines_of(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += text + "\n";
  return all;
}

std::vector<std::string> lines_of(const Fields& headers) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : headers) lines.push_back(name + ": " + value);
  return lines;
}

// Those of one name as one, as RFC 9110 joins them.
Fields joined(const auto& entries) {
  Fields fields;
  for (const auto& entry : entries) {
    const auto same = std::find_if(fields.begin(), fields.end(),
                                   [&](const auto& f) { return equals_ignore_case(f.first, entry.first); });
    if (same == fields.end()) {
      fields.emplace_back(entry.first, entry.second);
    } else {
      same->second += ", " + std::string(entry.second);
    }
  }
  return fields;
}

Fields fields_of(const http::HeaderMap& map) {
  std::vector<std::pair<std::string, std::string>> list;
  for (const auto& entry : map) list.emplace_back(entry.name, entry.value);
  return joined(list);
}

class PhasePlayer {
 public:
  PhasePlayer(const TestSuite& suite, const PhaseTest& test, const Plugin& plugin)
      : suite_(suite), test_(test), plugin_(plugin), proxy_({.limits = {.call_budget = plugin.call_budget}}) {}

  std::vector<PhaseFailure> play() {
    if (start()) {
      play_stream();
    }
    return std::move(failures_);
  }

 private:
  bool start() {
    proxy_.log().set_level(suite_.log_level);
    set_clock();
    host::PluginConfig config;
    config.name = "test";
    config.configuration = plugin_.configuration;
    auto loaded = proxy_.load(plugin_.module, std::move(config));
    if (!loaded) {
      fail("plugin_init", test_.line, "the plugin does not start: " + loaded.error().message, guest_log());
      return false;
    }
    attached_ = *loaded;
    return check_side("plugin_init", test_.plugin_init);
  }

  // Just after the epoch where the suite names no time: Go's runtime does not start at 0.
  void set_clock() {
    using std::chrono::nanoseconds;
    const nanoseconds named = std::chrono::seconds(suite_.time_secs);
    proxy_.clock().begin_at(named.count() > 0 ? named : nanoseconds(std::chrono::milliseconds(1)));
  }

  void play_stream() {
    stream_ = proxy_.stream(*attached_, {});
    for (const auto& [path, value] : test_.properties) stream_->properties[path] = value;
    if (!check_side("stream_init", test_.stream_init)) return;
    if (test_.request_headers && !headers("request_headers", *test_.request_headers, true)) return;
    if (!bodies("request_body", test_.request_body, true)) return;
    if (test_.response_headers && !headers("response_headers", *test_.response_headers, false)) return;
    if (!bodies("response_body", test_.response_body, false)) return;
    stream_->finish();
    check_side("stream_destroy", test_.stream_destroy);
  }

  void fail(const std::string& phase, size_t line, const std::string& what, const std::vector<std::string>& seen) {
    failures_.push_back({line, phase + ": " + what, lines_of(seen)});
  }

  // Lines of the guest since the last phase.
  std::vector<std::string> guest_log() {
    std::vector<std::string> texts;
    for (const auto& line : proxy_.log().lines()) {
      const size_t colon = line.text.find(": ");
      if (line.text.starts_with(kGuestPrefix) && colon != line.text.npos) texts.push_back(line.text.substr(colon + 2));
    }
    return texts;
  }

  // Whether the guest lives; ends a phase.
  bool lives(const std::string& phase, size_t line) {
    if (attached_->healthy()) return true;
    std::vector<std::string> all;
    for (const auto& logged : proxy_.log().lines()) all.push_back(logged.text);
    fail(phase, line, "the guest has failed", all);
    return false;
  }

  bool check_side(const std::string& phase, const Expectation& expected) {
    const bool well = lives(phase, expected.line == 0 ? test_.line : expected.line);
    const auto log = guest_log();
    if (well) check_texts(phase, "log line", expected.log, log);
    proxy_.log().clear();
    return well;
  }

  bool headers(const std::string& phase, const Invocation& invocation, bool request) {
    const auto fields = input_headers(suite_, invocation.input, request);
    if (!fields) {
      fail(phase, invocation.line, fields.error().to_string(), {});
      return false;
    }
    Outcome outcome;
    if (!stream_->local_reply) {
      proxy_.log().clear();
      http::HeaderMap& map = request ? stream_->request : stream_->response;
      if (request) {
        for (const auto& [name, value] : *fields) map.add(name, value);
      }
      const auto status = request ? stream_->request_headers(false) : stream_->response_headers(*fields, false);
      outcome.stopped = status != abi::HeadersStatus::kContinue && status != abi::HeadersStatus::kContinueAndEndStream;
      outcome.headers = fields_of(map);
      take_reply(outcome);
    }
    if (!lives(phase, invocation.line)) return false;
    outcome.log = guest_log();
    check(phase, invocation.result, outcome, true);
    proxy_.log().clear();
    return true;
  }

  bool bodies(const std::string& phase, const std::vector<Invocation>& invocations, bool request) {
    for (const Invocation& invocation : invocations) {
      const auto body = input_body(suite_, invocation.input);
      if (!body) {
        fail(phase, invocation.line, body.error().to_string(), {});
        return false;
      }
      Outcome outcome;
      const auto chunks = in_chunks(*body, test_);
      for (size_t i = 0; i < chunks.size() && !stream_->local_reply; ++i) {
        Buffer& buffer = request ? stream_->request_buffer : stream_->response_buffer;
        buffer.drain(buffer.size());
        const bool end = i + 1 == chunks.size();
        (void)(request ? stream_->request_body(chunks[i], end) : stream_->response_body(chunks[i], end));
        if (!lives(phase, invocation.line)) return false;
        outcome.body += buffer.to_string();
        if (invocation.result.immediate) take_reply(outcome);
      }
      outcome.log = guest_log();
      check(phase, invocation.result, outcome, false);
      proxy_.log().clear();
    }
    return true;
  }

  void take_reply(Outcome& outcome) const {
    if (!stream_->local_reply) return;
    outcome.reply = &*stream_->local_reply;
    outcome.headers = joined(outcome.reply->headers);
    outcome.body = outcome.reply->body;
  }

  void check(const std::string& phase, const Expectation& expected, const Outcome& outcome, bool of_headers) {
    const auto shown = lines_of(outcome.headers);
    for (const ExpectedHeader& header : expected.has_header) {
      const std::string* const value = find(outcome.headers, header.name);
      if (value == nullptr) {
        fail(phase, header.line, "there is no header " + quote(header.name), shown);
      } else if (*value != header.value) {
        fail(phase, header.line,
             "header " + quote(header.name) + " is " + quote(*value) + ", and has to be " + quote(header.value), shown);
      }
    }
    for (const ExpectedHeader& header : expected.no_header) {
      const std::string* const value = find(outcome.headers, header.name);
      if (value != nullptr) {
        fail(phase, header.line, "header " + quote(header.name) + " is there, and is " + quote(*value), shown);
      }
    }
    check_texts(phase, "header", expected.headers, shown);
    check_texts(phase, "body", expected.body, {outcome.body});
    check_immediate(phase, expected, outcome, of_headers);
    check_texts(phase, "log line", expected.log, outcome.log);
  }

  void check_immediate(const std::string& phase, const Expectation& expected, const Outcome& outcome, bool of_headers) {
    if (!expected.immediate) {
      if (of_headers && outcome.reply != nullptr) {
        fail(phase, expected.line,
             "the plugin answers with " + std::to_string(outcome.reply->status) + ", and no `immediate` is expected",
             lines_of(outcome.headers));
      } else if (of_headers && outcome.stopped) {
        fail(phase, expected.line, "the plugin stops the stream and does not answer", outcome.log);
      }
      return;
    }
    if (outcome.reply == nullptr) {
      return fail(phase, expected.line, "an immediate response is expected, and the plugin has sent none", outcome.log);
    }
    const Immediate& wanted = *expected.immediate;
    const auto differs = [&](const char* what, const auto& is, const auto& to_be) {
      fail(phase, expected.line, std::string("its ") + what + " is " + is + ", and has to be " + to_be, {});
    };
    const host::LocalReply& reply = *outcome.reply;
    if (wanted.http_status && *wanted.http_status != reply.status) {
      differs("status", std::to_string(reply.status), std::to_string(*wanted.http_status));
    }
    if (wanted.grpc_status && wanted.grpc_status != reply.grpc_status) {
      differs("gRPC status", reply.grpc_status ? std::to_string(*reply.grpc_status) : "none",
              std::to_string(*wanted.grpc_status));
    }
    if (wanted.details && *wanted.details != reply.details) {
      differs("details", quote(reply.details), quote(*wanted.details));
    }
  }

  void check_texts(const std::string& phase, const std::string& what, const std::vector<StringMatcher>& matchers,
                   const std::vector<std::string>& texts) {
    for (const StringMatcher& matcher : matchers) {
      std::string exact = matcher.text;
      if (matcher.kind == StringMatcher::Kind::kFile) {
        auto content = read_beside(suite_, matcher.text);
        if (!content) {
          fail(phase, matcher.line, content.error().to_string(), {});
          continue;
        }
        exact = *std::move(content);
      }
      const bool is_regex = matcher.kind == StringMatcher::Kind::kRegex;
      const re2::RE2 regex(is_regex ? matcher.text : "", re2::RE2::Quiet);
      const bool found = std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
        return is_regex ? re2::RE2::FullMatch(text, regex) : text == exact;
      });
      if (found != matcher.invert) continue;
      const std::string shown = is_regex ? "/" + matcher.text + "/" : quote(exact);
      fail(phase, matcher.line,
           matcher.invert ? "a " + what + " is " + shown + ", and none may be" : "no " + what + " is " + shown, texts);
    }
  }

  static const std::string* find(const Fields& headers, const std::string& name) {
    for (const auto& field : headers) {
      if (equals_ignore_case(field.first, name)) return &field.second;
    }
    return nullptr;
  }

  const TestSuite& suite_;
  const PhaseTest& test_;
  const Plugin& plugin_;
  testkit::TestProxy proxy_;
  host::WorkerPlugin* attached_ = nullptr;
  std::unique_ptr<testkit::TestStream> stream_;
  std::vector<PhaseFailure> failures_;
};

}  // namespace

std::vector<PhaseFailure> run_phases(const TestSuite& suite, const PhaseTest& test, const Plugin& plugin) {
  return PhasePlayer(suite, test, plugin).play();
}

}  // namespace inlay::tester::textpb
