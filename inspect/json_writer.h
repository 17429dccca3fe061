// SPDX-License-Identifier: Apache-2.0
#pragma once

// JsonWriter writes a JSON text, each key with its value in one call; calls can be chained. Where no key is given, the
// value is an item of a list. Bytes that are no UTF-8 become U+FFFD.
//
//     JsonWriter<> json;
//     json.open().text("name", "a").open_list("sizes").number(nullptr, 1).close_list().close();
//     json.take();                                                     // {"name":"a","sizes":[1]}

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/printable.h"

namespace inlay::inspect {

// `Writer`: rapidjson's Writer or PrettyWriter.
template <class Writer = rapidjson::Writer<rapidjson::StringBuffer>>
class JsonWriter {
 public:
  JsonWriter& open(const char* key = nullptr) {
    name(key);
    writer_.StartObject();
    return *this;
  }
  JsonWriter& close() {
    writer_.EndObject();
    return *this;
  }
  JsonWriter& open_list(const char* key) {
    name(key);
    writer_.StartArray();
    return *this;
  }
  JsonWriter& close_list() {
    writer_.EndArray();
    return *this;
  }
  JsonWriter& text(const char* key, std::string_view value) {
    name(key);
    const std::string valid = valid_utf8(value);
    writer_.String(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
    return *this;
  }
  // null where there is nothing.
  JsonWriter& text_or_null(const char* key, std::string_view value) {
    if (!value.empty()) return text(key, value);
    name(key);
    writer_.Null();
    return *this;
  }
  JsonWriter& number(const char* key, uint64_t value) {
    name(key);
    writer_.Uint64(value);
    return *this;
  }
  JsonWriter& number_or_null(const char* key, std::optional<uint64_t> value) {
    if (value) return number(key, *value);
    name(key);
    writer_.Null();
    return *this;
  }
  JsonWriter& flag(const char* key, bool value) {
    name(key);
    writer_.Bool(value);
    return *this;
  }
  // A list with what `each` writes of each item.
  template <class Range, class Each>
  JsonWriter& list(const char* key, const Range& range, Each&& each) {
    open_list(key);
    for (const auto& item : range) each(item);
    return close_list();
  }
  JsonWriter& texts(const char* key, const std::vector<std::string>& values) {
    return list(key, values, [&](const std::string& value) { text(nullptr, value); });
  }

  std::string take() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 protected:
  Writer& writer() { return writer_; }

 private:
  void name(const char* key) {
    if (key != nullptr) writer_.Key(key);
  }

  rapidjson::StringBuffer buffer_;
  Writer writer_{buffer_};
};

}  // namespace inlay::inspect
