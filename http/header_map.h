// SPDX-License-Identifier: Apache-2.0
#pragma once

// HeaderMap: the one representation of header fields, from the codec to the host function and back to the codec.
//
// An ordered list of (name, value) pairs; a name may occur more than once. Pseudo-headers (":path", ":method",
// ":authority", ":scheme", ":status") are ordinary entries and come before all others. Names are kept in lower case,
// and looked up in any. Nothing here checks what it is given: is_header_name() and is_header_value() below do, and a
// codec sends nothing that they refuse.
//
// All text is copied into the map's own arena, of which clear() keeps 16 KiB, so that a map that lives as long as its
// connection allocates nothing in the steady state. Views that it hands out are valid until that entry is set or
// removed, or the map is cleared, compacted, assigned to or destroyed; other edits do not move them. A map that is
// moved from is empty, and its views are the new map's. Not thread-safe; a look-up is a walk over all entries.
//
//     std::string authorize(HeaderMap& request, std::string_view token) {
//       request.add(":path", "/orders");
//       request.add("accept", "text/html");
//       request.add("Accept", "*/*");                   // a second "accept"
//       request.set("authorization", token);            // the only one of its name from now on
//       if (request.get("x-tenant")) request.remove("x-tenant");
//       std::string text;
//       for (const HeaderMap::Entry& e : request) text.append(e.name).append(": ").append(e.value).append("\n");
//       return text + std::to_string(request.count("accept")) + std::string(request.value(HeaderId::kPath));
//     }

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace inlay::http {

// HeaderId numbers the fields that the proxy itself looks up on every request, so that finding one compares single
// bytes and not strings. kOther is every other name; kCount is how many there are, and not an id. The numbers are no
// promise: they change when one is added.
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
  // Entry is one pair; the map owns what both views show.
  struct Entry {
    std::string_view name;  // in lower case
    std::string_view value;
    HeaderId id = HeaderId::kOther;
    uint32_t capacity = 0;  // the map's own: arena bytes at value.data()
  };

  // A copy has an arena of its own, without the space that replaced values took.
  HeaderMap() = default;
  HeaderMap(const HeaderMap& other);
  HeaderMap& operator=(const HeaderMap& other);
  HeaderMap(HeaderMap&& other) noexcept;
  HeaderMap& operator=(HeaderMap&& other) noexcept;
  void swap(HeaderMap& other) noexcept;

  // Adds a pair at the end (a pseudo-header after the pseudo-headers that are there), whether the name is there or not.
  // Values are taken as they are, white space at their ends included.
  void add(std::string_view name, std::string_view value);
  // The same for a name that the caller knows to be in lower case, with header_id() of it.
  void add(HeaderId id, std::string_view lower_name, std::string_view value);
  // Gives the first pair of that name the value, where it is, and removes the others; adds the pair when there is none.
  // A value that fits takes the old one's place in the arena, so that one set again and again takes no more of it.
  void set(std::string_view name, std::string_view value);
  // Nothing happens for kOther.
  void set(HeaderId id, std::string_view value);
  // The same for a name that the caller knows to be in lower case, with header_id() of it.
  void set(HeaderId id, std::string_view lower_name, std::string_view value);
  // Removes all pairs of that name and returns how many there were; none for kOther.
  size_t remove(std::string_view name);
  size_t remove(HeaderId id);
  // The same of all pairs for which predicate(const Entry&) is true; it must not change the map.
  template <class Predicate>
  size_t remove_if(Predicate predicate) {
    return static_cast<size_t>(std::erase_if(entries_, predicate));
  }

  // The first value of that name; nullopt if there is none, and for kOther. An empty value is a value.
  std::optional<std::string_view> get(std::string_view name) const;
  std::optional<std::string_view> get(HeaderId id) const;
  // The same, with an empty view for none.
  std::string_view value(HeaderId id) const;
  bool has(HeaderId id) const;
  // How many pairs of that name there are.
  size_t count(std::string_view name) const;

  // How many pairs there are in all.
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  // The sum of the lengths of all names and values (what Envoy's get_header_map_size says).
  size_t byte_size() const;
  // Bytes of arena in use, removed and replaced values included: what a guest can drive up by editing. compact() copies
  // the map into a new arena, which gives back what is not used any longer and makes all views invalid.
  size_t arena_size() const { return used_total_; }
  void compact();
  // Forgets all entries and the spoil() mark, keeps up to 16 KiB of arena for the next message.
  void clear();

  // spoil: marks a map into which a guest has put a field that cannot be sent, so that whoever sends the map asks
  // header_fault() (http/header_fault.h) first. The mark stays until clear(), even where the guest has mended the field
  // since; a copy has it too.
  void spoil() { spoiled_ = true; }
  bool spoiled() const { return spoiled_; }

  // The entries in their order; `i` is below size(). Iterators are valid until the map is changed.
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

// header_id: the id of a name in lower case; kOther when it has none, and for one in upper or mixed case.
HeaderId header_id(std::string_view lower_name);
// header_name: the name of an id, in lower case and static storage; empty for kOther.
std::string_view header_name(HeaderId id);

// is_header_name: whether a name is a token (RFC 9110, section 5.6.2): not empty, and of letters, digits and
// !#$%&'*+-.^_`|~ alone. A pseudo-header's is not, for its colon.
bool is_header_name(std::string_view name);
// header_name_form: kBad for a name that is not a token; else whether it is in lower case, or has upper case letters.
enum class NameForm : uint8_t { kBad, kLower, kMixed };
NameForm header_name_form(std::string_view name);
// is_header_value: whether a value is without control characters (0x00 to 0x1f but tab, and 0x7f): RFC 9110, section
// 5.5, and so without CR, LF and NUL. Bytes above 0x7f are allowed, and so is an empty value.
bool is_header_value(std::string_view value);

}  // namespace inlay::http
