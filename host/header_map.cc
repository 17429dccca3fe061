// SPDX-License-Identifier: Apache-2.0
#include "host/header_map.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace inlay::host {
namespace {

constexpr size_t kKeptArena = 16 * 1024;
constexpr size_t kFirstChunk = 2 * 1024;
constexpr size_t kLargestChunk = 64 * 1024;
constexpr size_t kIds = static_cast<size_t>(HeaderId::kCount);

constexpr std::array<std::string_view, kIds> kNames = {
    "",
    ":method",
    ":path",
    ":authority",
    ":scheme",
    ":status",
    ":protocol",
    "host",
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "content-length",
    "content-type",
    "expect",
    "date",
    "server",
    "location",
    "user-agent",
    "referer",
    "authorization",
    "via",
    "x-request-id",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-client-cert",
    "x-envoy-upstream-service-time",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-max-retries",
    "x-envoy-retry-on",
    "x-envoy-retriable-status-codes",
    "x-envoy-original-path",
    "x-envoy-attempt-count",
    "x-envoy-internal",
    "x-envoy-external-address",
    "x-envoy-overloaded",
    "grpc-status",
    "grpc-message",
};
static_assert(!kNames.back().empty());

// A perfect hash over length, one character near the front and the last two; the multiplier is searched for at compile
// time.
constexpr uint32_t hash_key(const char* text, size_t length) {
  return static_cast<uint32_t>(length) | static_cast<uint32_t>(static_cast<uint8_t>(text[length / 3])) << 8 |
         static_cast<uint32_t>(static_cast<uint8_t>(text[length - 2])) << 16 |
         static_cast<uint32_t>(static_cast<uint8_t>(text[length - 1])) << 24;
}

struct PerfectHash {
  uint32_t multiplier = 0;
  std::array<uint8_t, 256> slots{};
};

constexpr PerfectHash find_perfect_hash() {
  uint32_t multiplier = 0x9e3779b1u;
  for (int attempt = 0; attempt < 5000; ++attempt, multiplier = multiplier * 1664525u + 1013904222u) {
    PerfectHash result;
    result.multiplier = multiplier;
    bool good = true;
    for (size_t i = 1; i < kIds && good; ++i) {
      auto& slot = result.slots[hash_key(kNames[i].data(), kNames[i].size()) * multiplier >> 24];
      good = slot == 0;
      slot = static_cast<uint8_t>(i);
    }
    if (good) return result;
  }
  return {};
}
constexpr PerfectHash kHash = find_perfect_hash();
static_assert(kHash.multiplier != 0);

// Bits of characters: not in a token; in one, and upper-case.
constexpr uint8_t kNoToken = 1;
constexpr uint8_t kUpper = 2;
constexpr std::array<uint8_t, 256> token_characters() {
  std::array<uint8_t, 256> table{};
  for (uint8_t& bits : table) bits = kNoToken;
  for (int c = '0'; c <= '9'; ++c) table[static_cast<size_t>(c)] = 0;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<size_t>(c)] = 0;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<size_t>(c)] = kUpper;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<uint8_t>(c)] = 0;
  return table;
}
constexpr auto kToken = token_characters();

constexpr bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr char to_lower(char c) {
  return is_upper(c) ? static_cast<char>(c | 0x20) : c;
}

bool is_pseudo(std::string_view name) {
  return !name.empty() && name[0] == ':';
}

// Short texts: memcmp() takes longer to begin than they take to compare.
bool same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  size_t i = 0;
  for (; i + sizeof(uint64_t) <= a.size(); i += sizeof(uint64_t)) {
    uint64_t left = 0;
    uint64_t right = 0;
    std::memcpy(&left, a.data() + i, sizeof(left));
    std::memcpy(&right, b.data() + i, sizeof(right));
    if (left != right) return false;
  }
  for (; i < a.size(); ++i)
    if (a[i] != b[i]) return false;
  return true;
}

// A name in lower case, copied only when it is not.
class LowerName {
 public:
  explicit LowerName(std::string_view name) : name_(name) {
    if (std::none_of(name.begin(), name.end(), is_upper)) return;
    copy_.assign(name);
    std::transform(copy_.begin(), copy_.end(), copy_.begin(), to_lower);
    name_ = copy_;
  }
  operator std::string_view() const { return name_; }  // NOLINT: implicit

 private:
  std::string copy_;
  std::string_view name_;
};

struct Matcher {
  HeaderId id;
  std::string_view name;
  bool operator()(const HeaderMap::Entry& entry) const {
    return entry.id == id && (id != HeaderId::kOther || same(entry.name, name));
  }
};
struct IdMatcher {
  HeaderId id;  // not kOther
  bool operator()(const HeaderMap::Entry& entry) const { return entry.id == id; }
};
Matcher matcher(std::string_view lower) {
  return {header_id(lower), lower};
}

}  // namespace

HeaderId header_id(std::string_view lower_name) {
  if (lower_name.size() < 2) return HeaderId::kOther;
  const size_t i = kHash.slots[hash_key(lower_name.data(), lower_name.size()) * kHash.multiplier >> 24];
  return same(kNames[i], lower_name) ? static_cast<HeaderId>(i) : HeaderId::kOther;
}

std::string_view header_name(HeaderId id) {
  return id < HeaderId::kCount ? kNames[static_cast<size_t>(id)] : "";
}

bool is_header_name(std::string_view name) {
  return header_name_form(name) != NameForm::kBad;
}

NameForm header_name_form(std::string_view name) {
  uint8_t bits = name.empty() ? kNoToken : 0;
  for (const char c : name) bits |= kToken[static_cast<uint8_t>(c)];
  if ((bits & kNoToken) != 0) return NameForm::kBad;
  return bits == 0 ? NameForm::kLower : NameForm::kMixed;
}

namespace {

constexpr bool is_value_character(char c) {
  const auto u = static_cast<uint8_t>(c);
  return (u >= 0x20 && u != 0x7f) || u == '\t';
}

// Is any of these eight bytes below 0x20, or 0x7f?
bool has_control(uint64_t bytes) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kTops = 0x80 * kOnes;
  const uint64_t deletes = bytes ^ (0x7f * kOnes);
  return ((((bytes - 0x20 * kOnes) & ~bytes) | ((deletes - kOnes) & ~deletes)) & kTops) != 0;
}

}  // namespace

bool is_header_value(std::string_view value) {
  constexpr size_t kWord = sizeof(uint64_t);
  const auto good = [&](size_t at) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, value.data() + at, kWord);
    return !has_control(bytes) || std::all_of(value.begin() + static_cast<ptrdiff_t>(at),
                                              value.begin() + static_cast<ptrdiff_t>(at + kWord), is_value_character);
  };
  if (value.size() < kWord) return std::all_of(value.begin(), value.end(), is_value_character);
  for (size_t at = 0; at + kWord <= value.size(); at += kWord)
    if (!good(at)) return false;
  return good(value.size() - kWord);  // what is left over, with what was looked at before it
}

HeaderMap::HeaderMap(const HeaderMap& other) {
  *this = other;
}

HeaderMap& HeaderMap::operator=(const HeaderMap& other) {
  if (this == &other) return *this;
  clear();
  entries_.reserve(other.entries_.size());
  for (const Entry& e : other.entries_)
    insert_at_end(e.id == HeaderId::kOther ? store(e.name) : header_name(e.id), e.value, e.id);
  return *this;
}

HeaderMap::HeaderMap(HeaderMap&& other) noexcept {
  swap(other);
}

HeaderMap& HeaderMap::operator=(HeaderMap&& other) noexcept {
  if (this == &other) return *this;
  HeaderMap taken(std::move(other));
  swap(taken);
  return *this;
}

void HeaderMap::swap(HeaderMap& other) noexcept {
  entries_.swap(other.entries_);
  chunks_.swap(other.chunks_);
  std::swap(chunk_, other.chunk_);
  std::swap(used_, other.used_);
  std::swap(used_total_, other.used_total_);
}

char* HeaderMap::allocate(size_t size) {
  while (chunk_ < chunks_.size() && chunks_[chunk_].size - used_ < size) {
    ++chunk_;
    used_ = 0;
  }
  if (chunk_ == chunks_.size()) {
    const size_t doubled = chunks_.empty() ? kFirstChunk : std::min(chunks_.back().size * 2, kLargestChunk);
    const size_t capacity = std::max(doubled, size);
    chunks_.push_back({std::make_unique_for_overwrite<char[]>(capacity), capacity});
    used_ = 0;
  }
  char* result = chunks_[chunk_].data.get() + used_;
  used_ += size;
  used_total_ += size;
  return result;
}

std::string_view HeaderMap::store(std::string_view text) {
  if (text.empty()) return {};
  char* to = allocate(text.size());
  std::memcpy(to, text.data(), text.size());
  return {to, text.size()};
}

void HeaderMap::insert_at_end(std::string_view name, std::string_view value, HeaderId id) {
  entries_.push_back({name, store(value), id, static_cast<uint32_t>(value.size())});
}

void HeaderMap::insert(std::string_view name, std::string_view value, HeaderId id) {
  insert_at_end(name, value, id);
  if (!is_pseudo(name)) return;
  auto at = std::find_if(entries_.begin(), entries_.end(), [](const Entry& e) { return !is_pseudo(e.name); });
  if (at < entries_.end() - 1) std::rotate(at, entries_.end() - 1, entries_.end());
}

void HeaderMap::add(std::string_view name, std::string_view value) {
  HeaderId id = HeaderId::kOther;
  std::string_view lower;
  if (!name.empty()) {
    char* to = allocate(name.size());
    std::transform(name.begin(), name.end(), to, to_lower);
    lower = {to, name.size()};
    id = header_id(lower);
    if (id != HeaderId::kOther) {  // The well-known name needs no copy: give the space back.
      used_ -= name.size();
      used_total_ -= name.size();
      lower = header_name(id);
    }
  }
  insert(lower, value, id);
}

void HeaderMap::add(HeaderId id, std::string_view lower_name, std::string_view value) {
  insert(id == HeaderId::kOther ? store(lower_name) : header_name(id), value, id);
}

// Writes over the old value when the new one fits, so that a value replaced again and again takes no more arena.
void HeaderMap::set_value(Entry& entry, std::string_view value) {
  if (value.size() > entry.capacity) {
    entry.value = store(value);
    entry.capacity = static_cast<uint32_t>(value.size());
    return;
  }
  if (!value.empty()) {
    char* to = const_cast<char*>(entry.value.data());  // The arena is ours, and not const.
    std::memmove(to, value.data(), value.size());
  }
  entry.value = {entry.value.data(), value.size()};
}

template <class Match>
bool HeaderMap::replace(const Match& match, std::string_view value) {
  auto first = std::find_if(entries_.begin(), entries_.end(), match);
  if (first == entries_.end()) return false;
  set_value(*first, value);
  entries_.erase(std::remove_if(first + 1, entries_.end(), match), entries_.end());
  return true;
}

void HeaderMap::set(std::string_view name, std::string_view value) {
  const LowerName lower(name);
  set(header_id(lower), lower, value);
}

void HeaderMap::set(HeaderId id, std::string_view value) {
  if (id == HeaderId::kOther || id >= HeaderId::kCount) return;
  if (!replace(IdMatcher{id}, value)) add(id, header_name(id), value);
}

void HeaderMap::set(HeaderId id, std::string_view lower_name, std::string_view value) {
  const bool replaced =
      id != HeaderId::kOther ? replace(IdMatcher{id}, value) : replace(Matcher{id, lower_name}, value);
  if (!replaced) add(id, lower_name, value);
}

size_t HeaderMap::remove(std::string_view name) {
  const LowerName lower(name);
  return remove_if(matcher(lower));
}

size_t HeaderMap::remove(HeaderId id) {
  return id == HeaderId::kOther ? 0 : remove_if(IdMatcher{id});
}

std::optional<std::string_view> HeaderMap::get(std::string_view name) const {
  const LowerName lower(name);
  auto at = std::find_if(entries_.begin(), entries_.end(), matcher(lower));
  if (at == entries_.end()) return std::nullopt;
  return at->value;
}

std::optional<std::string_view> HeaderMap::get(HeaderId id) const {
  if (id == HeaderId::kOther) return std::nullopt;
  for (const Entry& e : entries_)
    if (e.id == id) return e.value;
  return std::nullopt;
}

std::string_view HeaderMap::value(HeaderId id) const {
  return get(id).value_or(std::string_view());
}

bool HeaderMap::has(HeaderId id) const {
  return get(id).has_value();
}

size_t HeaderMap::count(std::string_view name) const {
  const LowerName lower(name);
  return static_cast<size_t>(std::count_if(entries_.begin(), entries_.end(), matcher(lower)));
}

size_t HeaderMap::byte_size() const {
  size_t sum = 0;
  for (const Entry& e : entries_) sum += e.name.size() + e.value.size();
  return sum;
}

void HeaderMap::compact() {
  HeaderMap copy(*this);
  swap(copy);
}

void HeaderMap::clear() {
  entries_.clear();
  size_t kept = 0;
  auto first_to_drop = std::find_if(chunks_.begin(), chunks_.end(), [&](const Chunk& c) {
    kept += c.size;
    return kept > kKeptArena;
  });
  chunks_.erase(first_to_drop, chunks_.end());
  chunk_ = 0;
  used_ = 0;
  used_total_ = 0;
}

}  // namespace inlay::host
