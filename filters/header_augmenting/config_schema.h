// SPDX-License-Identifier: Apache-2.0
#pragma once

// The configuration's keys, as tables: the parser reads by them, and a test holds the reference to them.

#include <cstddef>
#include <cstdint>
#include <span>

#include "filters/header_augmenting/features.h"

namespace inlay::header_augmenting {

// Kind: what a value has to be, and so what it is stored as.
enum class Kind : uint8_t {
  kText,          // a string                                     std::string_view
  kLine,          // the same without a control character         std::string_view
  kWord,          // a string without white space, not empty      std::string_view
  kHost,          // the same, in lower case                      std::string_view
  kPath,          // a word that starts with "/"                  std::string_view
  kName,          // a token (RFC 9110)                           std::string_view
  kHeaderName,    // a token, in lower case                       std::string_view
  kTexts,         // strings, or one of them                      Texts
  kWords,         // words                                        Texts
  kNames,         // tokens, in lower case                        Texts
  kHeaderNames,   // header names that may be set                 Texts
  kParameters,    // an object of name to string                  Pairs
  kHeaders,       // an object of such a name to string           Pairs
  kFlag,          // true or false                                Presence
  kDuration,      // "10s", not 0                                 uint64_t, milliseconds
  kStale,         // a duration, or "unlimited"                   uint64_t, milliseconds
  kShare,         // "20%", or a duration                         Share
  kSeconds,       // a number, or a duration                      std::string_view, decimal
  kBytes,         // 1 to 16 MiB                                  uint64_t
  kMemory,        // 64 KiB to 1 GiB                              uint64_t
  kCount,         // 1 to 1,000,000                               uint64_t
  kStatus,        // 200 to 599                                   uint64_t
  kStatusOrPass,  // the same, or "pass"                          uint64_t, 0
  kStatuses,      // an array of them                             std::span<uint64_t>
  kChoice,        // one of some strings                          uint8_t, which
  kObject,        // an object                                    as its schema says
  kObjects,       // an array of objects                          std::span of them
};

// expected: what the message says that a value of `kind` should be.
const char* expected(Kind kind);

struct Schema;

// Field: one key of an object. In 12 bytes of a module.
struct Field {
  enum : uint8_t {
    kRequired = 1,  // of a kind that is stored as a std::string_view
    kRefers = 2,    // ${source:NAME} may stand in it (references.h)
  };
  union More {
    constexpr More() : schema(nullptr) {}
    constexpr More(const Schema* s) : schema(s) {}        // NOLINT: so that tables read well
    constexpr More(const char* const* c) : choices(c) {}  // NOLINT
    const Schema* schema;                                 // of kObject and kObjects
    const char* const* choices;                           // of kChoice; nullptr ends them
  };

  // `needs`: the features without which there is no such key.
  constexpr Field(const char* k, Kind of, size_t at, More m = {}, uint8_t flags = 0, uint8_t features = 0)
      : key(k),
        more(m),
        offset(static_cast<uint16_t>(at)),
        kind(of),
        required((flags & kRequired) != 0),
        refers((flags & kRefers) != 0),
        needs(features & 63) {}

  const char* key;
  More more;
  uint16_t offset;  // in the structure that the object is stored in
  Kind kind;
  bool required : 1;
  bool refers : 1;
  uint8_t needs : 6;
};

// Schema: the keys of an object.
struct Schema {
  std::span<const Field> fields;
  // For arrays of them: the structure as it is made, and its size.
  const void* initial = nullptr;
  size_t size = 0;
};

// The keys of OAuth2::Signing, JwtSvid, Party, TokenCache, OnError and With, in a module that has these features.
extern const Schema kSigningSchema;
extern const Schema kJwtSvidSchema;
extern const Schema kPartySchema;
extern const Schema kCacheSchema;
extern const Schema kOnErrorSchema;
extern const Schema kWithSchema;

// The whole: the schema of ConfigValues. Its first kFlatKeys keys are the short form; kSourcesKey follows.
extern const Schema kConfigSchema;
inline constexpr uint32_t kFlatKeys = 4;
inline constexpr uint32_t kSourcesKey = 4;

}  // namespace inlay::header_augmenting
