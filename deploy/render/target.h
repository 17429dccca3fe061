// SPDX-License-Identifier: Apache-2.0
#pragma once

// Targets: what a values file can be rendered for. Pure functions of the values: the same values give the same bytes,
// and nothing in them tells of the machine or the time.
//
//     const Target* target = find_target("istio");       // nullptr: there is none of that name
//     config::Reporter report(values.file, diagnostics);
//     const auto rendering = target->render(values, report);
//     if (!rendering) return rendering.error();           // what is wrong, and where, is in `diagnostics`
//     for (const File& file : rendering->files) write(file.name, file.content);
//
// Nothing here reads or writes a file; deploy/render/write.h writes a rendering into a folder.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/render/values.h"

namespace inlay::deploy {

// File is one file of a rendering.
struct File {
  std::string name;  // relative to the folder that it is written into
  std::string content;
  bool binary = false;  // the module: without the line that says how it was made
};

// Rendering is all that a target makes of the values.
struct Rendering {
  std::vector<File> files;         // in the order in which they are to be read
  std::vector<std::string> notes;  // what its reader must know or do, one sentence each
};

// Target is a row of targets(); it has static storage.
struct Target {
  std::string_view name;  // "istio"
  std::string_view help;  // one sentence, for the command line
  // What the target cannot do with the values is reported at its place; the Result's error is then kInvalidArgument, or
  // kInternal for a defect of a template.
  Result<Rendering> (*render)(const Values& values, config::Reporter& report);
};

// targets: all, in the order in which help shows them. find_target: the one of that name, or nullptr.
std::span<const Target> targets();
const Target* find_target(std::string_view name);

// The first words of every text file that is rendered.
inline constexpr std::string_view kMadeBy = "# Made by `inlay deploy render ";

// Target::render of each; call it through the table.
Result<Rendering> render_envoy(const Values& values, config::Reporter& report);
Result<Rendering> render_compose(const Values& values, config::Reporter& report);
Result<Rendering> render_kubernetes(const Values& values, config::Reporter& report);
Result<Rendering> render_istio(const Values& values, config::Reporter& report);
Result<Rendering> render_gateway(const Values& values, config::Reporter& report);

}  // namespace inlay::deploy
