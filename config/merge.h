// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/tree.h"

namespace inlay::config {

// Merges a second bootstrap into the first, as Envoy does with --config-yaml (protobuf's MergeFrom): a scalar, an Any
// and what a map or a Struct has at a key replace what is there, unless a scalar is its type's default; messages are
// merged; lists are appended; of a oneof the second's choice counts. `into` keeps what it needs of `from`. Both are of
// the same message type; nodes of the second have `file` in their places from now on.
void merge_tree(Tree& into, Tree from, uint32_t file);

}  // namespace inlay::config
