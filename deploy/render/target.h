// SPDX-License-Identifier: Apache-2.0
#pragma once

// Targets: what a values file can be rendered for. Pure functions of the values: the same values give the same bytes,
// and nothing in them tells of the machine or the time.
//
//     const Target* target = find_target("istio");
//     Reporter report(values.file, diagnostics);
//     auto rendering = target->render(values, report);

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/render/values.h"

namespace inlay::deploy {

struct File {
  std::string name;
  std::string content;
  bool binary = false;  // the module: without the line that says how it was made
};

struct Rendering {
  std::vector<File> files;
  std::vector<std::string> notes;  // what its reader must know or do, one sentence each
};

struct Target {
  std::string_view name;
  std::string_view help;
  // What the target cannot do with the values is reported at its place; the Result's error is then kInvalidArgument, or
  // kInternal for a defect of a template.
  Result<Rendering> (*render)(const Values& values, config::Reporter& report);
};

// In the order in which help shows them.
std::span<const Target> targets();
const Target* find_target(std::string_view name);

// The first words of every text file that is rendered.
inline constexpr std::string_view kMadeBy = "# Made by `inlay deploy render ";

// One each, for the table.
Result<Rendering> render_envoy(const Values& values, config::Reporter& report);
Result<Rendering> render_compose(const Values& values, config::Reporter& report);
Result<Rendering> render_kubernetes(const Values& values, config::Reporter& report);
Result<Rendering> render_istio(const Values& values, config::Reporter& report);

}  // namespace inlay::deploy
