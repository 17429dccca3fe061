// SPDX-License-Identifier: Apache-2.0
#include "engine/description.h"

#include <cstdint>

namespace inlay::engine {
namespace {

void put(std::string& out, size_t number) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(number >> shift);
}
void put(std::string& out, std::string_view text) {
  put(out, text.size());
  out += text;
}
void put(std::string& out, const std::vector<ValueType>& types) {
  put(out, types.size());
  for (const ValueType type : types) out += static_cast<char>(type);
}
// What imports and exports have alike.
template <class Extern>
void put_extern(std::string& out, const Extern& e) {
  put(out, e.name);
  out += static_cast<char>(e.kind);
  put(out, e.type.params);
  put(out, e.type.results);
}

// Reader takes values off the front; once something was not there, it is `failed` and gives empty ones.
struct Reader {
  std::string_view rest;
  bool failed = false;

  std::string_view take(size_t size) {
    failed = failed || size > rest.size();
    if (failed) return {};
    const std::string_view taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
  }
  uint32_t number() {
    uint32_t value = 0;
    int shift = 0;
    for (const char byte : take(4)) {
      value |= uint32_t{static_cast<uint8_t>(byte)} << shift;
      shift += 8;
    }
    return value;
  }
  std::string text() { return std::string(take(number())); }
  template <class Enum>
  Enum one_of(Enum last) {
    const std::string_view byte = take(1);
    if (byte.empty()) return {};
    failed = static_cast<uint8_t>(byte[0]) > static_cast<uint8_t>(last);
    return failed ? Enum{} : static_cast<Enum>(byte[0]);
  }
  std::vector<ValueType> types() {
    std::vector<ValueType> list;
    for (uint32_t left = number(); left != 0 && !failed; --left) list.push_back(one_of(ValueType::kExternRef));
    return list;
  }
  template <class Extern>
  void read_extern(Extern& e) {
    e.name = text();
    e.kind = one_of(ExternKind::kTag);
    e.type.params = types();
    e.type.results = types();
  }
};

}  // namespace

std::string write_description(const Description& description) {
  std::string out;
  put(out, description.imports.size());
  for (const Import& import : description.imports) {
    put(out, import.module);
    put_extern(out, import);
  }
  put(out, description.exports.size());
  for (const Export& exported : description.exports) put_extern(out, exported);
  return out;
}

Result<Description> read_description(std::string_view bytes) {
  Reader reader{bytes};
  Description description;
  for (uint32_t left = reader.number(); left != 0 && !reader.failed; --left) {
    Import& import = description.imports.emplace_back();
    import.module = reader.text();
    reader.read_extern(import);
  }
  for (uint32_t left = reader.number(); left != 0 && !reader.failed; --left) {
    reader.read_extern(description.exports.emplace_back());
  }
  if (reader.failed || !reader.rest.empty()) {
    return Error{ErrorCode::kInvalidArgument, "the description of the module's imports and exports is damaged", {}};
  }
  return description;
}

}  // namespace inlay::engine
