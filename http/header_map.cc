// SPDX-License-Identifier: Apache-2.0
#include "http/header_map.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "base/ascii.h"

namespace inlay::http {
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

bool is_pseudo(std::string_view name) {
  return !name.empty() && name[0] == ':';
}

template <class Word>
Word word_at(const char* at) {
  Word word = 0;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// Short texts: memcmp() takes longer to begin than they take to compare. The last word takes in what is left over, with
// bytes that have been compared before.
bool same(std::string_view a, std::string_view b) {
  const size_t size = a.size();
  if (size != b.size()) return false;
  const char* const left = a.data();
  const char* const right = b.data();
  if (size >= 8) {
    for (size_t i = 0; i + 8 < size; i += 8)
      if (word_at<uint64_t>(left + i) != word_at<uint64_t>(right + i)) return false;
    return word_at<uint64_t>(left + size - 8) == word_at<uint64_t>(right + size - 8);
  }
  if (size >= 4) {
    return word_at<uint32_t>(left) == word_at<uint32_t>(right) &&
           word_at<uint32_t>(left + size - 4) == word_at<uint32_t>(right + size - 4);
  }
  for (size_t i = 0; i < size; ++i)
    if (left[i] != right[i]) return false;
  return true;
}

// Eight bytes in one word. A range of ASCII characters is found in all of them at once: the top bit of each byte of
// in_range() says whether it is in it (and anything in a byte above ASCII, which `ascii` takes off).
constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kTops = 0x80 * kOnes;

constexpr uint64_t in_range(uint64_t bytes, char first, char last) {
  const uint64_t low = bytes & ~kTops;
  return (low + (0x80 - static_cast<uint64_t>(first)) * kOnes) & ~(low + (0x7f - static_cast<uint64_t>(last)) * kOnes);
}
constexpr uint64_t ascii(uint64_t bytes) {
  return ~bytes & kTops;
}
constexpr bool has_upper(uint64_t bytes) {
  return (in_range(bytes, 'A', 'Z') & ascii(bytes)) != 0;
}
constexpr bool is_plain(uint64_t bytes) {
  return ((in_range(bytes, 'a', 'z') | in_range(bytes, '0', '9') | in_range(bytes, '-', '-')) & ascii(bytes)) == kTops;
}

bool has_upper(std::string_view name) {
  if (name.size() < 8) return std::any_of(name.begin(), name.end(), is_upper);
  for (size_t i = 0; i + 8 < name.size(); i += 8)
    if (has_upper(word_at<uint64_t>(name.data() + i))) return true;
  return has_upper(word_at<uint64_t>(name.data() + name.size() - 8));
}

// Is it of lower-case letters, digits and dashes? Only of eight characters or more that is looked for.
bool is_plain(std::string_view name) {
  if (name.size() < 8) return false;
  for (size_t i = 0; i + 8 < name.size(); i += 8)
    if (!is_plain(word_at<uint64_t>(name.data() + i))) return false;
  return is_plain(word_at<uint64_t>(name.data() + name.size() - 8));
}

struct IdMatcher {
  HeaderId id;  // not kOther
  bool operator()(const HeaderMap::Entry& entry) const { return entry.id == id; }
};
struct NameMatcher {
  std::string_view lower;  // of kOther
  bool operator()(const HeaderMap::Entry& entry) const {
    return entry.name.size() == lower.size() && entry.id == HeaderId::kOther && same(entry.name, lower);
  }
};

// Calls use(id, name in lower case), which is copied only when it is not.
template <class Use>
auto in_lower_case(std::string_view name, const Use& use) {
  const HeaderId id = header_id(name);
  if (id != HeaderId::kOther || !has_upper(name)) [[likely]]
    return use(id, name);
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), to_lower);
  return use(header_id(lower), std::string_view(lower));
}

// Calls use(matcher) with what says whether an entry is of that name, in any case.
template <class Use>
auto with_matcher(std::string_view name, const Use& use) {
  return in_lower_case(name, [&](HeaderId id, std::string_view lower) {
    return id != HeaderId::kOther ? use(IdMatcher{id}) : use(NameMatcher{lower});
  });
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

namespace {

[[gnu::noinline]] NameForm form_by_characters(std::string_view name) {
  uint8_t bits = name.empty() ? kNoToken : 0;
  for (const char c : name) bits |= kToken[static_cast<uint8_t>(c)];
  if ((bits & kNoToken) != 0) return NameForm::kBad;
  return bits == 0 ? NameForm::kLower : NameForm::kMixed;
}

}  // namespace

NameForm header_name_form(std::string_view name) {
  return is_plain(name) ? NameForm::kLower : form_by_characters(name);
}

namespace {

constexpr bool is_value_character(char c) {
  const auto u = static_cast<uint8_t>(c);
  return (u >= 0x20 && u != 0x7f) || u == '\t';
}

// Sixteen bytes, which the compiler looks at at once; in what a comparison yields, 0xff is true.
using Block = uint8_t __attribute__((vector_size(16)));

Block bad_bytes(const void* at) {
  Block bytes{};
  std::memcpy(&bytes, at, sizeof(bytes));
  return Block(((bytes < 0x20) & (bytes != '\t')) | (bytes == 0x7f));
}
bool has_none(Block bad) {
  uint64_t halves[2];
  std::memcpy(halves, &bad, sizeof(halves));
  return (halves[0] | halves[1]) == 0;
}

}  // namespace

// What is left over is looked at with bytes that have been, or will be.
bool is_header_value(std::string_view value) {
  constexpr size_t kBlock = sizeof(Block);
  const size_t size = value.size();
  if (size >= kBlock) {
    Block bad = bad_bytes(value.data() + size - kBlock);
    for (size_t i = 0; i + kBlock < size; i += kBlock) bad |= bad_bytes(value.data() + i);
    return has_none(bad);
  }
  if (size < kBlock / 2) return std::all_of(value.begin(), value.end(), is_value_character);
  const uint64_t halves[2] = {word_at<uint64_t>(value.data()), word_at<uint64_t>(value.data() + size - kBlock / 2)};
  return has_none(bad_bytes(halves));
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
  spoiled_ = other.spoiled_;
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
  std::swap(spoiled_, other.spoiled_);
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
  const auto end = entries_.end();
  auto at = entries_.begin();
  while (at != end && !match(*at)) ++at;
  if (at == end) return false;
  set_value(*at, value);
  for (++at; at != end; ++at) {
    if (!match(*at)) [[likely]]
      continue;
    entries_.erase(std::remove_if(at, end, match), end);
    break;
  }
  return true;
}

void HeaderMap::set(std::string_view name, std::string_view value) {
  in_lower_case(name, [&](HeaderId id, std::string_view lower) { set(id, lower, value); });
}

void HeaderMap::set(HeaderId id, std::string_view value) {
  if (id == HeaderId::kOther || id >= HeaderId::kCount) return;
  if (!replace(IdMatcher{id}, value)) add(id, header_name(id), value);
}

void HeaderMap::set(HeaderId id, std::string_view lower_name, std::string_view value) {
  const bool replaced =
      id != HeaderId::kOther ? replace(IdMatcher{id}, value) : replace(NameMatcher{lower_name}, value);
  if (!replaced) add(id, lower_name, value);
}

size_t HeaderMap::remove(std::string_view name) {
  return with_matcher(name, [&](const auto& match) -> size_t {
    for (const Entry& e : entries_)
      if (match(e)) return remove_if(match);
    return 0;  // Guests remove names to be sure that they are not there, and mostly they are not.
  });
}

size_t HeaderMap::remove(HeaderId id) {
  return id == HeaderId::kOther ? 0 : remove_if(IdMatcher{id});
}

std::optional<std::string_view> HeaderMap::get(std::string_view name) const {
  return with_matcher(name, [&](const auto& match) -> std::optional<std::string_view> {
    for (const Entry& e : entries_)
      if (match(e)) return e.value;
    return std::nullopt;
  });
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
  return with_matcher(name, [&](const auto& match) {
    return static_cast<size_t>(std::count_if(entries_.begin(), entries_.end(), match));
  });
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
  spoiled_ = false;
}

}  // namespace inlay::http
