// SPDX-License-Identifier: Apache-2.0
// Header maps: proxy_{get,set,add,replace,remove}_header_map_*.

#include <optional>

#include "host/functions.h"
#include "host/http_context_impl.h"
#include "host/vm.h"
#include "http/envoy_headers.h"
#include "http/header_fault.h"

namespace inlay::host::proxy {
namespace {

using abi::MapType;

constexpr u32 kMapTypes = 8;
// A map whose arena is no larger is not looked at more closely.
constexpr size_t kCompactAt = 128 * 1024;

std::string_view canonical(u32 type, std::string_view name) {
  constexpr size_t kHost = 4;  // the length of the only name that has another
  if (name.size() != kHost || static_cast<MapType>(type) != MapType::kHttpRequestHeaders) [[likely]]
    return name;
  return http::request_field(name);
}

// A field that a guest names. `lower`: the name is in lower case, and `id` is its id. `good`: it is a name.
struct Field {
  std::string_view name;
  http::HeaderId id = http::HeaderId::kOther;
  bool lower = true;
  bool good = true;
};

[[gnu::always_inline]] inline Field field(u32 type, std::string_view name) {
  const http::HeaderId id = http::header_id(name);
  if (id != http::HeaderId::kOther && id != http::HeaderId::kHost) return Field{name, id};
  const std::string_view known_as = canonical(type, name);
  if (known_as.size() != name.size()) return Field{known_as, http::HeaderId::kAuthority};
  const std::string_view token = name.starts_with(':') ? name.substr(1) : name;
  const http::NameForm form = http::header_name_form(token);
  return Field{name, id, form == http::NameForm::kLower, form != http::NameForm::kBad};
}

void add(http::HeaderMap& map, const Field& one, std::string_view value) {
  if (one.lower)
    http::add_field(map, one.id, one.name, value);
  else
    http::add_field(map, one.name, value);
}

// The maps of call-outs, of HTTP and gRPC: of the answer that is at hand, to be read only.
[[gnu::noinline]] const http::HeaderMap* find_of_call(Vm& vm, MapType map) {
  if (map == MapType::kGrpcCallInitialMetadata) return vm.grpc_event().initial_metadata;
  if (map == MapType::kGrpcCallTrailingMetadata) return vm.grpc_event().trailing_metadata;
  HttpCallResponse* response = vm.call_response();
  if (response == nullptr || response->reset) return nullptr;
  return map == MapType::kHttpCallResponseHeaders ? &response->headers : &response->trailers;
}

// As Envoy: the field goes, and comes anew behind the others.
void replace(http::HeaderMap& map, const Field& one, std::string_view value) {
  if (!one.lower) {
    map.remove(one.name);
    return map.add(one.name, value);
  }
  map.remove_if([&one](const http::HeaderMap::Entry& e) { return e.id == one.id && e.name == one.name; });
  map.add(one.id, one.name, value);
}

http::HeaderMap* find_of_stream(Vm& vm, MapType map, bool writable) {
  Context& context = *vm.current();
  HttpContextImpl* const stream = context.stream();
  if (stream != nullptr && stream->is_closed(map)) return nullptr;
  HttpStream* const http = stream != nullptr ? stream->http() : context.http();
  return http != nullptr ? http->headers(map, writable) : nullptr;
}

// The map of the current context, or nullptr while there is none: to read, and to edit, which only those of the stream
// can be.
const http::HeaderMap* find(Vm& vm, u32 type) {
  if (type >= kMapTypes) return nullptr;
  const auto map = static_cast<MapType>(type);
  if (map > MapType::kHttpResponseTrailers) [[unlikely]]
    return find_of_call(vm, map);
  return find_of_stream(vm, map, false);
}

http::HeaderMap* find_to_edit(Vm& vm, u32 type) {
  const auto map = static_cast<MapType>(type);
  return map > MapType::kHttpResponseTrailers ? nullptr : find_of_stream(vm, map, true);
}

bool is_0_1_0(Vm& vm) {
  return vm.spec().abi_version == abi::Version::k0_1_0;
}

// Of a value in a map that is not there. When the stream is logged every map may be missing, and is as good as empty.
Status no_map(Vm& vm, u32 type) {
  return vm.current()->logging() && type < kMapTypes ? Status::kNotFound : Status::kBadArgument;
}

// Whether there is room for one more entry. Gives the space of replaced values back when it is half of the arena, so
// that the arena stays below three times what the map may hold and the copying below twice what the guest wrote.
bool has_room(http::HeaderMap& map, size_t more) {
  if (map.size() >= limits::kMapEntries) return false;
  if (map.arena_size() + more <= kCompactAt) return true;
  const size_t bytes = map.byte_size();
  if (map.arena_size() > 2 * bytes) map.compact();
  return bytes + more <= limits::kMapBytes;
}

// A field that cannot be sent. As in Envoy that is Ok, and what ends is the one request that has it, where it would be
// sent: guests' SDKs end their VM at a status that they do not expect, and with it everybody's requests. False: it is
// not even kept, since a field without a name has nothing to be found by.
[[gnu::noinline]] bool keep_faulty(Vm& vm, http::HeaderMap& map, std::string_view name) {
  vm.advise(Advice::kHeaderFault, [&] {
    return "has set the header " + http::show_bytes(name) +
           ", whose name or value has a line break, a NUL or another character that no header can have: what has such "
           "a header is answered with 503 and not sent (YAML's `|` ends a text with a line break, `|-` does not)";
  });
  if (name.empty()) return false;
  map.spoil();
  return true;
}

template <class Edit>
Status edit(Vm& vm, u32 type, u32 key, u32 key_size, u32 value, u32 value_size, Edit&& apply) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto name = vm.read(key, key_size);
  const auto text = vm.read(value, value_size);
  if (!name || !text) return Status::kInvalidMemoryAccess;
  http::HeaderMap* map = find_to_edit(vm, type);
  if (map == nullptr) return Status::kBadArgument;
  const Field edited = field(type, *name);
  if (!has_room(*map, name->size() + text->size())) return vm.over_limit(GuestLimit::kHeaderMap);
  if (!edited.good || !http::is_value_of(edited.id, *text)) [[unlikely]] {
    if (!keep_faulty(vm, *map, *name)) return Status::kOk;
  }
  apply(*map, edited, *text);
  return Status::kOk;
}

}  // namespace

Status proxy_get_header_map_size(Vm& vm, u32 type, u32 return_size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const http::HeaderMap* map = find(vm, type);
  if (map == nullptr) return Status::kBadArgument;
  return vm.write_u32(return_size, static_cast<u32>(map->byte_size())) ? Status::kOk : Status::kInvalidMemoryAccess;
}

Status proxy_get_header_map_pairs(Vm& vm, u32 type, u32 return_data, u32 return_size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  if (type >= kMapTypes) return Status::kBadArgument;
  const http::HeaderMap* map = find(vm, type);
  if (map == nullptr || map->empty()) return vm.return_bytes({}, return_data, return_size);
  return vm.return_filled(pairs_size(*map), return_data, return_size, [&](char* to) { write_pairs(*map, to); });
}

Status proxy_set_header_map_pairs(Vm& vm, u32 type, u32 pairs, u32 size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto bytes = vm.read(pairs, size);
  if (!bytes) return Status::kInvalidMemoryAccess;
  http::HeaderMap* map = find_to_edit(vm, type);
  if (map == nullptr) return Status::kBadArgument;
  Pairs& list = vm.scratch_pairs();
  if (!parse_pairs(*bytes, list)) return Status::kBadArgument;
  map->clear();
  for (const auto& [name, value] : list) {
    const Field one = field(type, name);
    if (!one.good || !http::is_value_of(one.id, value)) [[unlikely]] {
      if (!keep_faulty(vm, *map, name)) continue;
    }
    add(*map, one, value);
  }
  return Status::kOk;
}

Status proxy_get_header_map_value(Vm& vm, u32 type, u32 key, u32 key_size, u32 return_data, u32 return_size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto name = vm.read(key, key_size);
  if (!name) return Status::kInvalidMemoryAccess;
  const http::HeaderMap* map = find(vm, type);
  const auto value = map != nullptr ? map->get(canonical(type, *name)) : std::nullopt;
  if (!value) {
    const Status status = map != nullptr ? Status::kNotFound : no_map(vm, type);
    if (status != Status::kNotFound || !is_0_1_0(vm)) return status;
  }
  return vm.return_bytes(value.value_or(std::string_view()), return_data, return_size);
}

Status proxy_add_header_map_value(Vm& vm, u32 type, u32 key, u32 key_size, u32 value, u32 value_size) {
  return edit(vm, type, key, key_size, value, value_size, add);
}

Status proxy_replace_header_map_value(Vm& vm, u32 type, u32 key, u32 key_size, u32 value, u32 value_size) {
  return edit(vm, type, key, key_size, value, value_size, replace);
}

Status proxy_remove_header_map_value(Vm& vm, u32 type, u32 key, u32 key_size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const auto name = vm.read(key, key_size);
  if (!name) return Status::kInvalidMemoryAccess;
  http::HeaderMap* map = find_to_edit(vm, type);
  if (map == nullptr) return Status::kBadArgument;
  map->remove(canonical(type, *name));
  return Status::kOk;
}

}  // namespace inlay::host::proxy
