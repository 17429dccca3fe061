// SPDX-License-Identifier: Apache-2.0
#pragma once

// Status: what came of a JWT or of a key set, with the numbers and the words of Envoy 1.40, which clients, logs and
// dynamic metadata show. No text has anything of a token or a key in it.

#include <cstdint>
#include <string_view>

namespace inlay::jwt {

// In the order of the JWT library inside of Envoy: the numbers are shown.
enum class Status : uint8_t {
  kOk,
  kMissing,
  kNotYetValid,
  kExpired,
  kBadFormat,
  kHeaderBadBase64,
  kHeaderBadJson,
  kHeaderBadAlg,
  kHeaderUnknownAlg,
  kHeaderBadKid,
  kPayloadBadBase64,
  kPayloadBadJson,
  kIssNoString,
  kSubNoString,
  kIatNoInteger,
  kIatOutOfRange,
  kNbfNoInteger,
  kNbfOutOfRange,
  kExpNoInteger,
  kExpOutOfRange,
  kJtiNoString,
  kAudNoString,
  kSignatureBadBase64,
  kEd25519WrongLength,
  kUnknownIssuer,
  kAudienceNotAllowed,
  kVerificationFails,
  kMultipleTokens,
  kKeysBadJson,
  kKeysMissing,
  kKeysNoArray,
  kKeysNoneValid,
  kKeysNoneMatches,
  kRsaBad,
  kEcCannotMake,
  kEcBadBase64,
  kEcBad,
  kOctBadBase64,
  kOkpBadBase64,
  kOkpWrongLength,
  kFetchFailed,
  kKtyMissing,
  kKtyNoString,
  kKtyUnknown,
  kRsaBadAlg,
  kRsaMissingN,
  kRsaBadN,
  kRsaMissingE,
  kRsaBadE,
  kEcBadAlg,
  kEcBadCrv,
  kEcUnknownCurve,
  kEcAlgOfOtherCurve,
  kEcMissingX,
  kEcBadX,
  kEcMissingY,
  kEcBadY,
  kOctBadAlg,
  kOctMissingK,
  kOctBadK,
  kOkpBadAlg,
  kOkpMissingCrv,
  kOkpBadCrv,
  kOkpUnknownCurve,
  kOkpMissingX,
  kOkpBadX,
  kX509CannotRead,
  kX509Bad,
  kX509NoRsaKey,
};

// In Envoy's words.
std::string_view text(Status status);

}  // namespace inlay::jwt
