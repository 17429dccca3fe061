// SPDX-License-Identifier: Apache-2.0
#include "tester/textpb/exchange.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/ascii.h"
#include "tester/textpb/inputs.h"

namespace inlay::tester::textpb {
namespace {

using Act = Step::Act;

constexpr std::string_view kFrame = "plugin test module=m\nclient GET /\nexpect client response\n";
constexpr size_t kLongestFiller = 16 << 20;  // bytes of a body that a test has no more of than its length

Error unsupported(std::string why) {
  return {ErrorCode::kUnsupported, std::move(why), ""};
}

// A text as an expectation's value.
std::string literal(std::string_view text) {
  std::string out = "= \"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (byte < 0x20 || byte >= 0x7f) {
      append_hex(out += "\\x", c);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// A regular expression for a whole text.
std::string whole(std::string_view regex) {
  return "~ /\\A(?:" + std::string(regex) + ")\\z/";
}

// A message's head as a test has it, apart from its first line.
struct Head {
  Fields fields;
  std::string method, path, status;
  std::optional<size_t> length;  // content-length
};

Result<Head> head_of(const Fields& all) {
  Head head;
  for (const auto& [key, value] : all) {
    const std::string name = lower(key);
    if (name == ":method") {
      head.method = value;
    } else if (name == ":path") {
      head.path = value;
    } else if (name == ":status") {
      head.status = value;
    } else if (name == ":authority") {
      head.fields.emplace_back("host", value);
    } else if (name == ":scheme") {
      if (value != "http") return unsupported("its request has the scheme " + value + ", and there is no TLS here");
    } else if (name.starts_with(':')) {
      return unsupported("it sends " + name + ", which is no part of a message");
    } else {
      head.fields.emplace_back(key, value);
    }
    if (name != "content-length") continue;
    size_t length = 0;
    const auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (fault != std::errc() || *end != '\0' || length > kLongestFiller) {
      return unsupported("its content-length is " + quote(value));
    }
    head.length = length;
  }
  return head;
}

// One direction: its head, and its body in pieces.
struct Flow {
  Head head;
  std::vector<std::string> pieces;
};

class Exchange {
 public:
  Exchange(const TestSuite& suite, const PhaseTest& test) : suite_(suite), test_(test) {}

  Result<Case> make(const PluginFile& plugin) {
    INLAY_RETURN_IF_ERROR(check_that_it_can());
    INLAY_TRY(case_, parse_case(suite_.path, kFrame, Dialect::kFilters));
    case_.row = test_.name;
    case_.plugins.front().module = plugin.module;
    case_.plugins.front().text = plugin.configuration;
    case_.steps.clear();
    case_.at_start.clear();
    into_ = &case_.at_start;
    INLAY_RETURN_IF_ERROR(expect_log(test_.plugin_init));
    INLAY_RETURN_IF_ERROR(send());
    std::vector<tester::Expectation> seen;
    into_ = &seen;
    INLAY_RETURN_IF_ERROR(expect_all());
    case_.steps.back().expectations = std::move(seen);
    return std::move(case_);
  }

 private:
  Result<Unit> check_that_it_can() const {
    if (!test_.properties.empty()) return unsupported("it sets properties, which only traffic has");
    if (suite_.time_secs != 0) return unsupported("it sets the time, which is real here");
    return Unit{};
  }

  static bool is_answered(const std::optional<Invocation>& headers, const std::vector<Invocation>& bodies) {
    return (headers && headers->result.immediate) || std::any_of(bodies.begin(), bodies.end(), [](const Invocation& i) {
             return i.result.immediate.has_value();
           });
  }
  bool request_is_answered() const { return is_answered(test_.request_headers, test_.request_body); }

  Result<Flow> flow_of(const std::optional<Invocation>& headers, const std::vector<Invocation>& bodies, bool request) {
    Flow flow;
    if (headers) {
      INLAY_TRY(const Fields fields, input_headers(suite_, headers->input, request));
      INLAY_TRY(flow.head, head_of(fields));
    }
    size_t size = 0;
    for (const Invocation& invocation : bodies) {
      INLAY_TRY(const std::string body, input_body(suite_, invocation.input));
      size += body.size();
      for (std::string& piece : in_chunks(body, test_)) flow.pieces.push_back(std::move(piece));
    }
    if (flow.head.length && bodies.empty() && *flow.head.length > 0) {
      flow.pieces.emplace_back(*flow.head.length, 'x');
    } else if (flow.head.length && *flow.head.length != size) {
      return unsupported("its content-length is not that of its body");
    }
    return flow;
  }

  Step& step(Act act, bool of_client, std::string title) {
    Step made;
    made.act = act;
    made.of_client = of_client;
    made.actor = of_client ? "client" : "origin";
    made.title = made.actor + " " + std::move(title);
    made.place = suite_.path + ":" + std::to_string(test_.line);
    return case_.steps.emplace_back(std::move(made));
  }

  void send_body(const std::vector<std::string>& pieces, bool of_client) {
    for (size_t i = 0; i < pieces.size(); ++i) {
      Step& body = step(Act::kBody, of_client, "body " + quote(pieces[i]));
      body.text = pieces[i];
      body.end = i + 1 == pieces.size();
    }
  }

  Result<Unit> send() {
    INLAY_TRY(const Flow request, flow_of(test_.request_headers, test_.request_body, true));
    const auto or_else = [](const std::string& text, const char* other) { return text.empty() ? other : text; };
    const std::string method = or_else(request.head.method, request.pieces.empty() ? "GET" : "POST");
    const std::string path = or_else(request.head.path, "/");
    Step& head = step(Act::kRequest, true, method + " " + path);
    head.method = method;
    head.path = path;
    head.fields = request.head.fields;
    head.chunked = !request.pieces.empty() && !request.head.length;
    send_body(request.pieces, true);
    if (request_is_answered() || (!test_.response_headers && test_.response_body.empty())) return Unit{};
    return answer();
  }

  Result<Unit> answer() {
    INLAY_TRY(const Flow response, flow_of(test_.response_headers, test_.response_body, false));
    case_.upstreams.front().behaviour = Upstream::Behaviour::kWaits;
    const std::string status = response.head.status.empty() ? "200" : response.head.status;
    Step& head = step(Act::kHead, false, "head " + status);
    head.answer = {status, response.head.fields, "", {}};
    head.end = response.pieces.empty();
    send_body(response.pieces, false);
    return Unit{};
  }

  // `words` stand behind `expect`, and hold no blanks; `value` behind them.
  Result<Unit> expect(std::vector<std::string> words, const std::string& value, size_t line) {
    std::string text = "expect";
    std::vector<Word> read = {{text, false}};
    for (std::string& word : words) {
      text += " " + word;
      read.push_back({std::move(word), false});
    }
    if (!value.empty()) text += " " + value;
    INLAY_TRY(tester::Expectation made, parse_expectation(text, read));
    made.place = suite_.path + ":" + std::to_string(line);
    into_->push_back(std::move(made));
    return Unit{};
  }

  // [no] what
  static std::vector<std::string> either(bool no, std::vector<std::string> what) {
    if (no) what.insert(what.begin(), "no");
    return what;
  }

  Result<std::string> value_of(const StringMatcher& matcher) const {
    if (matcher.kind == StringMatcher::Kind::kRegex) return whole(matcher.text);
    if (matcher.kind == StringMatcher::Kind::kExact) return literal(matcher.text);
    INLAY_TRY(const std::string text, read_beside(suite_, matcher.text));
    return literal(text);
  }

  Result<Unit> expect_log(const Expectation& of) {
    for (const StringMatcher& matcher : of.log) {
      if (matcher.invert)
        return unsupported("it wants no such line in the log of one phase, and here all have one log");
      INLAY_TRY(const std::string value, value_of(matcher));
      INLAY_RETURN_IF_ERROR(expect({"log"}, value, matcher.line));
    }
    return Unit{};
  }

  // A header that comes several times is one value with commas in a test, and comes several times on the wire.
  static std::vector<std::string> values_of(std::string_view joined) {
    constexpr std::string_view kBetween = ", ";
    if (joined.find(kBetween) == std::string_view::npos) return {literal(joined)};
    std::vector<std::string> values;
    for (size_t end = 0; end != std::string_view::npos;) {
      end = joined.find(kBetween);
      const std::string part = re2::RE2::QuoteMeta(re2::StringPiece(joined.data(), std::min(end, joined.size())));
      values.push_back("~ /(?:\\A|, )" + part + "(?:, |\\z)/");
      if (end != std::string_view::npos) joined.remove_prefix(end + kBetween.size());
    }
    return values;
  }

  // What the case's words call a header.
  static Result<std::vector<std::string>> header_words(const std::string& side, const std::string& key) {
    const std::string name = lower(key);
    if (name == ":path" || name == ":method") {
      if (side == "upstream") return std::vector<std::string>{side, name.substr(1)};
    } else if (name == ":status") {
      if (side == "client") return std::vector<std::string>{side, "status"};
    } else if (!name.starts_with(":") || name == ":authority") {
      return std::vector<std::string>{side, "header", name};
    }
    return unsupported("it looks at " + name + ", which the " + side + " does not get");
  }

  Result<Unit> expect_headers(const Expectation& of, const std::string& side) {
    for (const ExpectedHeader& header : of.has_header) {
      for (const std::string& value : values_of(header.value)) {
        INLAY_TRY(auto words, header_words(side, header.name));
        INLAY_RETURN_IF_ERROR(expect(std::move(words), value, header.line));
      }
    }
    for (const ExpectedHeader& header : of.no_header) {
      if (side == "client" && header.name.starts_with(':')) continue;  // no response has one but :status
      INLAY_TRY(auto words, header_words(side, header.name));
      INLAY_RETURN_IF_ERROR(expect(either(true, std::move(words)), "", header.line));
    }
    for (const StringMatcher& matcher : of.headers) {
      INLAY_RETURN_IF_ERROR(expect_header_line(matcher, side));
    }
    return Unit{};
  }

  // Of "name: value".
  Result<Unit> expect_header_line(const StringMatcher& matcher, const std::string& side) {
    const size_t colon = matcher.text.find(": ", 1);
    const bool named = colon != std::string::npos && matcher.kind != StringMatcher::Kind::kFile &&
                       std::all_of(matcher.text.begin(), matcher.text.begin() + static_cast<ptrdiff_t>(colon),
                                   [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == ':'; });
    if (!named) return unsupported("its expectation " + quote(matcher.text) + " names no header to look at");
    StringMatcher value = matcher;
    value.text.erase(0, colon + 2);
    INLAY_TRY(auto words, header_words(side, matcher.text.substr(0, colon)));
    INLAY_TRY(const std::string text, value_of(value));
    return expect(either(matcher.invert, std::move(words)), text, matcher.line);
  }

  // Of the phases of one direction together: all of the body is one, whatever calls it came in.
  Result<Unit> expect_body(const std::vector<Invocation>& bodies, const std::string& side) {
    const auto is_exact = [](const Invocation& invocation) {
      const auto& body = invocation.result.body;
      return body.size() == 1 && body[0].kind == StringMatcher::Kind::kExact && !body[0].invert;
    };
    if (bodies.size() > 1 && std::all_of(bodies.begin(), bodies.end(), is_exact)) {
      std::string all;
      for (const Invocation& invocation : bodies) all += invocation.result.body[0].text;
      return expect({side, "body"}, literal(all), bodies[0].result.body[0].line);
    }
    for (const Invocation& invocation : bodies) {
      if (bodies.size() > 1 && !invocation.result.body.empty()) {
        return unsupported("it looks at pieces of a body, which comes as one");
      }
      INLAY_RETURN_IF_ERROR(expect_texts(invocation.result, side));
    }
    return Unit{};
  }

  Result<Unit> expect_texts(const Expectation& of, const std::string& side) {
    for (const StringMatcher& matcher : of.body) {
      INLAY_TRY(const std::string value, value_of(matcher));
      INLAY_RETURN_IF_ERROR(expect(either(matcher.invert, {side, "body"}), value, matcher.line));
    }
    return Unit{};
  }

  Result<Unit> expect_immediate(const Expectation& of) {
    if (!of.immediate || !of.immediate->http_status) return Unit{};
    return expect({"client", "status"}, std::to_string(*of.immediate->http_status), of.line);
  }

  Result<Unit> expect_direction(const std::optional<Invocation>& headers, const std::vector<Invocation>& bodies,
                                const std::string& side) {
    if (headers) {
      INLAY_RETURN_IF_ERROR(expect_immediate(headers->result));
      INLAY_RETURN_IF_ERROR(expect_headers(headers->result, side));
      INLAY_RETURN_IF_ERROR(expect_texts(headers->result, side));
      INLAY_RETURN_IF_ERROR(expect_log(headers->result));
    }
    for (const Invocation& invocation : bodies) {
      INLAY_RETURN_IF_ERROR(expect_immediate(invocation.result));
      INLAY_RETURN_IF_ERROR(expect_log(invocation.result));
    }
    return expect_body(bodies, side);
  }

  Result<Unit> expect_all() {
    const bool answered = request_is_answered();
    if (test_.request_headers || !test_.request_body.empty()) {
      INLAY_RETURN_IF_ERROR(expect(either(answered, {"upstream", "request"}), "", test_.line));
      INLAY_RETURN_IF_ERROR(
          expect_direction(test_.request_headers, test_.request_body, answered ? "client" : "upstream"));
    }
    INLAY_RETURN_IF_ERROR(expect({"client", "response"}, "", test_.line));
    if (!answered) INLAY_RETURN_IF_ERROR(expect_direction(test_.response_headers, test_.response_body, "client"));
    INLAY_RETURN_IF_ERROR(expect_log(test_.stream_init));
    return expect_log(test_.stream_destroy);
  }

  const TestSuite& suite_;
  const PhaseTest& test_;
  Case case_;
  std::vector<tester::Expectation>* into_ = nullptr;
};

}  // namespace

Result<Case> exchange_of(const TestSuite& suite, const PhaseTest& test, const PluginFile& plugin) {
  return Exchange(suite, test).make(plugin);
}

}  // namespace inlay::tester::textpb
