// SPDX-License-Identifier: Apache-2.0
#pragma once

// Manifests: the resources of a folder, whoever wrote them, as `kubectl apply -R -f` would take them, and the modules
// beside them.
//
//     document::Diagnostics diagnostics;
//     Manifests manifests;
//     if (auto read = read_folder("build/deploy", manifests, diagnostics); !read) return read.error();
//     for (const Resource* service : manifests.of_kind("Service")) ...

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "deploy/check/finding.h"
#include "document/source.h"

namespace inlay::deploy {

using document::Source;

// Resource is one document of a file, or one item of a List.
struct Resource {
  std::string file;
  std::string api_version;
  std::string kind;
  std::string name;
  std::string name_space;  // "": none is given
  std::shared_ptr<const Source> source;

  Site site() const { return {file, source->place}; }
  Site site_of(const Source* part) const { return {file, part == nullptr ? source->place : part->place}; }
};

struct ModuleFile {
  std::string file;
  uint64_t size = 0;  // bytes
};

struct Manifests {
  std::vector<Resource> resources;
  std::vector<ModuleFile> modules;

  std::vector<const Resource*> of_kind(std::string_view kind) const;
};

// Adds the documents of a text. What is no YAML is in `diagnostics`.
void add_manifest(const std::string& file, std::string_view text, Manifests& manifests,
                  document::Diagnostics& diagnostics);
// Adds all *.yaml, *.yml, *.json and *.wasm below `folder`, in the order of their names. Errors: kIo, kNotFound where
// there is no such file.
Result<Unit> read_folder(const std::string& folder, Manifests& manifests, document::Diagnostics& diagnostics);

// The value at a path of keys, nullptr where there is none; its text, "" where there is none.
const Source* at(const Source* source, std::initializer_list<std::string_view> path);
std::string text_at(const Source* source, std::initializer_list<std::string_view> path);
// Its items; none where there is no list.
std::vector<const Source*> items_at(const Source* source, std::initializer_list<std::string_view> path);
// A number; 0 where there is none.
uint32_t number_at(const Source* source, std::initializer_list<std::string_view> path);
// A map of texts.
using Labels = std::vector<std::pair<std::string, std::string>>;
Labels labels_at(const Source* source, std::initializer_list<std::string_view> path);
// Whether all of `selector` are among `labels`; an empty selector takes nothing.
bool selects(const Labels& selector, const Labels& labels);

}  // namespace inlay::deploy
