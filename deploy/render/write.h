// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a rendering to a folder. Each text file begins with a line that says how it was made; by that line a later run
// knows which files are its own. Files are written beside their place and renamed, so that a reader never sees half of
// one, and a file of somebody else is never touched unless `force` says so.

#include <string>
#include <vector>

#include "deploy/render/target.h"

namespace inlay::deploy {

// Puts the line that says how it was made before each text file: the command, the target, the values file's name.
void add_made_by(Rendering& rendering, std::string_view target, std::string_view values_file);

struct WriteOptions {
  bool force = false;  // overwrite files that were not rendered
};

// Makes the folder, writes the files, and removes those of an earlier rendering that are no longer made. Returns their
// paths, removed ones not. Errors: kFailedPrecondition names the files that are somebody else's, with nothing written;
// kIo what the system refused.
Result<std::vector<std::string>> write_rendering(const Rendering& rendering, const std::string& folder,
                                                 const WriteOptions& options);

// What differs between the rendering and the folder, a sentence each: "envoy.yaml differs from line 12 on". Empty:
// nothing.
std::vector<std::string> compare_rendering(const Rendering& rendering, const std::string& folder);

}  // namespace inlay::deploy
