// SPDX-License-Identifier: Apache-2.0
#pragma once

// The call to a source's service: its headers and its body, of what the configuration says.

#include "filters/header_augmenting/arena.h"
#include "filters/header_augmenting/config.h"

namespace inlay::header_augmenting {

// prepare_call: makes `source.call`, its method and, with oauth2, its body. `values`, name to value, stand for the
// sources that it refers to; what is made belongs to `arena`. False if a value has a character that no header may have
// and stands in one.
bool prepare_call(SourceConfig& source, Pairs values, Arena& arena);

}  // namespace inlay::header_augmenting
