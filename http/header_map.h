// SPDX-License-Identifier: Apache-2.0
#pragma once

// HeaderMap: the one representation of header fields, from the codec to the host function and back to the codec.
// An ordered list of (name, value) pairs; a name may occur more than once. Pseudo-headers (":path", ":method",
// ":authority", ":scheme", ":status") are ordinary entries and stand first. Names are lower-case: add and set lower
// them. All text is copied into the map's own arena, which clear() keeps, so that a map that lives as long as its
// connection allocates nothing in the steady state. Not thread-safe. Views it hands out stay valid until the entry is
// changed, or the map is cleared or destroyed (other edits do not move them, except compact()).
//
//     HeaderMap h;
//     h.add(":path", "/"); h.set("authorization", token);
//     if (auto v = h.get(HeaderId::kAuthorization)) ...

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace inlay::http {

// HeaderId names the fields that the proxy itself looks up on every request, so that finding one is comparing bytes
// and no strings. kOther is every other name.
enum class HeaderId : uint8_t {
  kOther,
  kMethod,
  kPath,
  kAuthority,
  kScheme,
  kStatus,
  kProtocol,
  kHost,
  kConnection,
  kKeepAlive,
  kProxyConnection,
  kTransferEncoding,
  kTe,
  kTrailer,
  kUpgrade,
  kContentLength,
  kContentType,
  kExpect,
  kDate,
  kServer,
  kLocation,
  kUserAgent,
  kReferer,
  kAuthorization,
  kVia,
  kXRequestId,
  kXForwardedFor,
  kXForwardedProto,
  kXForwardedHost,
  kXForwardedPort,
  kXForwardedClientCert,
  kXEnvoyUpstreamServiceTime,
  kXEnvoyExpectedRqTimeoutMs,
  kXEnvoyUpstreamRqTimeoutMs,
  kXEnvoyUpstreamRqPerTryTimeoutMs,
  kXEnvoyMaxRetries,
  kXEnvoyRetryOn,
  kXEnvoyRetriableStatusCodes,
  kXEnvoyOriginalPath,
  kXEnvoyAttemptCount,
  kXEnvoyInternal,
  kXEnvoyExternalAddress,
  kXEnvoyOverloaded,
  kGrpcStatus,
  kGrpcMessage,
  kCount,
};

class HeaderMap {
 public:
  struct Entry {
    std::string_view name;
    std::string_view value;
    HeaderId id = HeaderId::kOther;
    uint32_t capacity = 0;  // the map's own: arena bytes at value.data()
  };

  HeaderMap() = default;
  HeaderMap(const HeaderMap& other);
  HeaderMap& operator=(const HeaderMap& other);
  HeaderMap(HeaderMap&& other) noexcept;
  HeaderMap& operator=(HeaderMap&& other) noexcept;
  void swap(HeaderMap& other) noexcept;

  // Adds a pair at the end (a pseudo-header after the pseudo-headers that are there). Values are taken as they are.
  void add(std::string_view name, std::string_view value);
  // The same for a name that is known to be lower-case already, with its id.
  void add(HeaderId id, std::string_view lower_name, std::string_view value);
  // Replaces the first pair of that name and removes the others; adds it when there is none.
  void set(std::string_view name, std::string_view value);
  void set(HeaderId id, std::string_view value);
  // The same for a name that is known to be lower-case already, with its id.
  void set(HeaderId id, std::string_view lower_name, std::string_view value);
  // Removes all pairs of that name; says how many.
  size_t remove(std::string_view name);
  size_t remove(HeaderId id);
  template <class Predicate>  // bool(const Entry&): true removes
  size_t remove_if(Predicate predicate) {
    return static_cast<size_t>(std::erase_if(entries_, predicate));
  }

  // The first value of that name.
  std::optional<std::string_view> get(std::string_view name) const;
  std::optional<std::string_view> get(HeaderId id) const;
  // The first value of that name, or an empty view.
  std::string_view value(HeaderId id) const;
  bool has(HeaderId id) const;
  size_t count(std::string_view name) const;

  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  // The sum of the lengths of all names and values (what Envoy's get_header_map_size says).
  size_t byte_size() const;
  // Bytes of arena in use, replaced values included: what a guest can drive up. compact() gives it back.
  size_t arena_size() const { return used_total_; }
  void compact();
  // Forgets all entries, keeps up to 16 KiB of arena for the next message.
  void clear();

  // spoil: a guest has put a field there that cannot be sent, so that whoever sends the map asks header_fault() first.
  // spoiled() says so until clear(), even where the guest has mended it since.
  void spoil() { spoiled_ = true; }
  bool spoiled() const { return spoiled_; }

  const Entry& operator[](size_t i) const { return entries_[i]; }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

 private:
  struct Chunk {
    std::unique_ptr<char[]> data;
    size_t size = 0;
  };
  std::string_view store(std::string_view text);
  char* allocate(size_t size);
  void insert(std::string_view name, std::string_view value, HeaderId id);
  void insert_at_end(std::string_view name, std::string_view value, HeaderId id);
  void set_value(Entry& entry, std::string_view value);
  template <class Match>
  bool replace(const Match& match, std::string_view value);

  std::vector<Entry> entries_;
  std::vector<Chunk> chunks_;
  size_t chunk_ = 0;       // the chunk in use
  size_t used_ = 0;        // bytes used of it
  size_t used_total_ = 0;  // bytes used of all
  bool spoiled_ = false;
};

// The id of a lower-case name; kOther when it is none of them.
HeaderId header_id(std::string_view lower_name);
// The lower-case name of an id; empty for kOther.
std::string_view header_name(HeaderId id);

// A name that RFC 9110 allows (token; a leading ':' for pseudo-headers is not a token).
bool is_header_name(std::string_view name);
// Whether a name is one that RFC 9110 allows, and in lower case.
enum class NameForm : uint8_t { kBad, kLower, kMixed };
NameForm header_name_form(std::string_view name);
// A value without CR, LF, NUL and other control characters but tab.
bool is_header_value(std::string_view value);

}  // namespace inlay::http
