// SPDX-License-Identifier: Apache-2.0
// In the place of feature_schemas.cc in header_augmenting_lean.wasm, where what these are the keys of is refused.
#include "filters/header_augmenting/config_schema.h"

namespace inlay::header_augmenting {

const Schema kSigningSchema = {};
const Schema kJwtSvidSchema = {};
const Schema kPartySchema = {};
const Schema kCacheSchema = {};
const Schema kOnErrorSchema = {};
const Schema kWithSchema = {};

}  // namespace inlay::header_augmenting
