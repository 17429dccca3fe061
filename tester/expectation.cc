// SPDX-License-Identifier: Apache-2.0
#include "tester/expectation.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/ascii.h"
#include "config/field_table.h"
#include "host/hazards.h"
#include "tester/step.h"
#include "tester/vocabulary.h"

namespace inlay::tester {
namespace {

using Of = Expectation::Of;

Error bad(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), ""};
}

// The text behind so many words, which hold no blanks.
std::string_view behind(std::string_view text, size_t words) {
  for (; words > 0; --words) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    text.remove_prefix(std::min(text.find(' '), text.size()));
  }
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::string in_ticks(std::string_view text) {
  return "`" + std::string(text) + "`";
}

bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.size() <= 18 && std::all_of(text.begin(), text.end(), is_digit);
}

constexpr std::array<std::string_view, 6> kLevels = {"trace", "debug", "info", "warn", "error", "critical"};

// A text, in quotation marks or as it stands.
Result<std::string> parse_plain(std::string_view text) {
  if (!text.starts_with('"')) return std::string(text);
  INLAY_TRY(const auto words, split_words(text));
  if (words.size() == 1) return words[0].text;
  return bad("behind the quotation mark that ends the text there is " + in_ticks(words[1].text) +
             "; what stands in quotation marks is all of it");
}

}  // namespace

struct Pattern::Regex {
  Regex(const std::string& text, const re2::RE2::Options& options) : re(text, options) {}
  re2::RE2 re;
};

Result<Pattern> Pattern::parse(std::string_view text) {
  Pattern pattern;
  text = trimmed(text);
  if (text.empty()) return bad("a value is missing: = TEXT or ~ /RE/");
  if (text.starts_with('=')) {
    INLAY_TRY(pattern.text_, parse_plain(trimmed(text.substr(1))));
    return pattern;
  }
  if (!text.starts_with('~')) return bad(in_ticks(text) + " is no value, which is: = TEXT or ~ /RE/");
  const std::string_view re = trimmed(text.substr(1));
  const size_t last = re.rfind('/');
  if (!re.starts_with('/') || last == 0) {
    return bad("a regular expression stands between slashes: ~ /" + std::string(re) + "/");
  }
  const std::string_view flags = re.substr(last + 1);
  if (!flags.empty() && flags != "i") {
    return bad("behind a regular expression there may be `i`, for either case, and not " + in_ticks(flags));
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(flags.empty());
  options.set_max_mem(int64_t{1} << 20);
  auto regex = std::make_shared<Regex>(std::string(re.substr(1, last - 1)), options);
  if (!regex->re.ok()) return bad("the regular expression is wrong: " + regex->re.error());
  pattern.regex_ = std::move(regex);
  return pattern;
}

bool Pattern::matches(std::string_view value) const {
  if (text_) return value == *text_;
  return regex_ == nullptr || re2::RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), regex_->re);
}

Result<Comparison> Comparison::parse(std::string_view text) {
  Comparison comparison;
  text = trimmed(text);
  const size_t end = std::min(text.find_first_not_of("=!<>"), text.size());
  comparison.op = text.substr(0, end);
  comparison.value = trimmed(text.substr(end));
  constexpr std::array<std::string_view, 6> kOps = {"=", "!=", "<", "<=", ">", ">="};
  if (std::find(kOps.begin(), kOps.end(), comparison.op) == kOps.end()) {
    return bad(text.empty() ? "a number is missing: = 2, or != < <= > >= and a number"
                            : in_ticks(text) + " is no comparison, which is: = 2, or != < <= > >= and a number");
  }
  const bool absent = comparison.value == "absent" && comparison.op.find_first_of("<>") == std::string::npos;
  if (!absent && !is_number(comparison.value)) {
    return bad(in_ticks(comparison.value) + " is no number" + (comparison.op == "=" ? ", nor `absent`" : ""));
  }
  return comparison;
}

bool Comparison::holds(std::string_view seen) const {
  if (op == "=") return seen == value;
  if (op == "!=") return seen != value;
  if (!is_number(seen)) return false;
  const long long a = std::atoll(std::string(seen).c_str());
  const long long b = std::atoll(value.c_str());
  if (op == "<") return a < b;
  if (op == "<=") return a <= b;
  return op == ">" ? a > b : a >= b;
}

namespace {

// ExpectationReader takes a line's words one after another.
class ExpectationReader {
 public:
  ExpectationReader(const std::string& text, const std::vector<Word>& words) : text_(text), words_(words) {
    made_.line = text;
  }

  Result<Expectation> read() {
    if (is("no")) {
      made_.no = true;
      ++at_;
    }
    if (at_ >= words_.size()) return bad("what is expected is missing" + suggest(Section::kExpect, ""));
    const std::string what = words_[at_].text;
    const WordEntry* const entry =
        is_client(what) ? find_word(Section::kExpect, "client") : find_word(Section::kExpect, what);
    if (entry == nullptr || entry->name == Name::kNo) {
      return bad(in_ticks(what) + " is nothing that can be expected" + suggest(Section::kExpect, what));
    }
    ++at_;
    INLAY_RETURN_IF_ERROR(of(entry->name, what));
    return std::move(made_);
  }

 private:
  bool is(std::string_view word) const {
    return at_ < words_.size() && !words_[at_].quoted && words_[at_].text == word;
  }
  std::string_view rest() const { return behind(text_, at_); }
  Result<Unit> nothing_more() const {
    if (at_ >= words_.size()) return Unit{};
    return bad(in_ticks(rest()) + " is more than " + in_ticks(words_[at_ - 1].text) + " takes");
  }
  Result<Unit> value() {
    INLAY_TRY(made_.value, Pattern::parse(rest()));
    return Unit{};
  }
  Result<Unit> value_if_any() { return rest().empty() ? Result<Unit>(Unit{}) : value(); }

  Result<Unit> of(Name name, const std::string& what) {
    switch (name) {
      case Name::kClient:
        made_.actor = what;
        return aspect(true);
      case Name::kUpstream:
        made_.actor = "origin";
        return aspect(false);
      case Name::kCall:
        if (at_ >= words_.size()) return bad("the cluster's name is missing: expect call NAME");
        made_.actor = words_[at_++].text;
        if (at_ < words_.size()) return aspect(false);
        return Unit{};
      case Name::kLog:
        made_.of = Of::kLog;
        if (at_ < words_.size() && std::count(kLevels.begin(), kLevels.end(), words_[at_].text) > 0) {
          made_.name = words_[at_++].text;
        }
        return value();
      case Name::kAccessLogLine:
        made_.of = Of::kAccessLog;
        return value();
      case Name::kMetric:
        made_.of = Of::kMetric;
        if (at_ >= words_.size()) return bad("the metric's name is missing: expect metric NAME = NUMBER");
        if (made_.no)
          return bad("`expect no metric` says nothing; `expect metric " + words_[at_].text + " = absent` does");
        made_.name = words_[at_++].text;
        return number();
      case Name::kHazard:
        made_.of = Of::kHazard;
        return hazard();
      default:
        made_.of = Of::kTrap;
        return nothing_more();
    }
  }

  Result<Unit> number() {
    INLAY_TRY(made_.number, Comparison::parse(rest()));
    return Unit{};
  }

  // [NAME]
  Result<Unit> hazard() {
    if (at_ >= words_.size()) return Unit{};
    made_.name = words_[at_++].text;
    std::vector<std::string_view> names;
    std::string all;
    for (size_t i = 0; i < host::kHazards; ++i) {
      names.push_back(host::describe(static_cast<host::Hazard>(i)).name);
      all.append(all.empty() ? "" : ", ").append(names.back());
    }
    if (std::count(names.begin(), names.end(), made_.name) > 0) return nothing_more();
    const std::string near = config::nearest(made_.name, names);
    return bad(in_ticks(made_.name) + " is no hazard; " +
               (near.empty() ? "there are: " + all : "did you mean " + in_ticks(near) + "?"));
  }

  // What of a message; of a response, or of a request.
  Result<Unit> aspect(bool response) {
    if (at_ >= words_.size()) return bad("what of it is missing" + suggest(Section::kAspect, ""));
    const std::string word = words_[at_].text;
    const WordEntry* const entry = find_word(Section::kAspect, word);
    if (entry == nullptr) return bad(in_ticks(word) + " is nothing of a message" + suggest(Section::kAspect, word));
    const bool of_responses = entry->name == Name::kStatus || entry->name == Name::kResponse;
    const bool of_requests =
        entry->name == Name::kMethod || entry->name == Name::kPath || entry->name == Name::kRequest;
    if (response ? of_requests : of_responses) {
      return bad(in_ticks(word) +
                 (response ? " is of requests, and a client gets responses: `expect upstream " + word
                           : " is of responses, and an upstream gets requests: `expect client " + word) +
                 "`");
    }
    ++at_;
    switch (entry->name) {
      case Name::kStatus:
        return status();
      case Name::kMethod:
        made_.of = Of::kMethod;
        return value();
      case Name::kPath:
        made_.of = Of::kPath;
        return value();
      case Name::kHeader:
      case Name::kTrailer:
        made_.of = entry->name == Name::kHeader ? Of::kHeader : Of::kTrailer;
        if (at_ >= words_.size()) return bad("its name is missing: " + std::string(entry->form));
        made_.name = lower(words_[at_++].text);
        return value_if_any();
      case Name::kBody:
        made_.of = Of::kBody;
        return value();
      case Name::kCount:
        made_.of = Of::kCount;
        if (made_.no) return bad("`no` and `count` say the opposite of a number; `count != 2` does");
        return number();
      case Name::kClosed:
        made_.of = Of::kClosed;
        return nothing_more();
      default:
        return nothing_more();
    }
  }

  // "403", or as any value.
  Result<Unit> status() {
    made_.of = Of::kStatus;
    const std::string_view text = rest();
    if (text.starts_with('=') || text.starts_with('~')) return value();
    if (text.size() != 3 || !is_number(text)) return bad(in_ticks(text) + " is no status, as 403 is");
    INLAY_TRY(made_.value, Pattern::parse("= " + std::string(text)));
    return Unit{};
  }

  const std::string& text_;
  const std::vector<Word>& words_;
  size_t at_ = 1;
  Expectation made_;
};

}  // namespace

Result<Expectation> parse_expectation(const std::string& text, const std::vector<Word>& words) {
  return ExpectationReader(text, words).read();
}

}  // namespace inlay::tester
