// SPDX-License-Identifier: Apache-2.0
#pragma once

// The call to a source's service: its headers and its body, of what the configuration says.

#include "filters/header_augmenting/arena.h"
#include "filters/header_augmenting/config.h"

namespace inlay::header_augmenting {

// prepare_call: makes `source.call`, its method and, with oauth2, its body, of a source whose references have been
// filled in (references.h); what is made belongs to `arena`. False if a value has a character that no header may have
// and stands in one.
bool prepare_call(SourceConfig& source, Arena& arena);

// is_made_anew: whether each call is made for itself: of other sources' values, of what a request brings, of what the
// last one brought, or with an assertion of its own.
bool is_made_anew(const SourceConfig& source);

}  // namespace inlay::header_augmenting
