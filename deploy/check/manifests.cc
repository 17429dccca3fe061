// SPDX-License-Identifier: Apache-2.0
#include "deploy/check/manifests.h"

#include <algorithm>
#include <filesystem>

#include "base/read_file.h"
#include "document/scalars.h"

namespace inlay::deploy {

namespace {

void add_resource(const std::string& file, const std::shared_ptr<const Source>& source, Manifests& manifests) {
  if (source->kind != Source::Kind::kMap) return;
  const std::string kind = text_at(source.get(), {"kind"});
  if (kind.empty()) return;
  if (kind == "List") {
    const Source* items = at(source.get(), {"items"});
    if (items != nullptr)
      for (const auto& item : items->items) add_resource(file, item, manifests);
    return;
  }
  manifests.resources.push_back({file, text_at(source.get(), {"apiVersion"}), kind,
                                 text_at(source.get(), {"metadata", "name"}),
                                 text_at(source.get(), {"metadata", "namespace"}), source});
}

bool separates(std::string_view line) {
  return line.starts_with("---") && line.find_first_not_of(" \r", 3) == std::string_view::npos;
}

bool is_empty(std::string_view document) {
  while (!document.empty()) {
    const size_t end = document.find('\n');
    const std::string_view line = document.substr(0, end);
    const size_t first = line.find_first_not_of(" \t\r");
    if (first != std::string_view::npos && line[first] != '#') return false;
    document.remove_prefix(end == std::string_view::npos ? document.size() : end + 1);
  }
  return true;
}

void add_document(const std::string& file, size_t line, std::string_view text, Manifests& manifests,
                  document::Diagnostics& diagnostics) {
  if (is_empty(text)) return;
  // The empty lines before it keep its places those of the file.
  const auto source = document::parse_source(std::string(line, '\n') + std::string(text), file.ends_with(".json"), file,
                                             diagnostics, "a resource");
  if (source != nullptr) add_resource(file, source, manifests);
}

}  // namespace

std::vector<const Resource*> Manifests::of_kind(std::string_view kind) const {
  std::vector<const Resource*> found;
  for (const Resource& resource : resources)
    if (resource.kind == kind) found.push_back(&resource);
  return found;
}

void add_manifest(const std::string& file, std::string_view text, Manifests& manifests,
                  document::Diagnostics& diagnostics) {
  size_t begin = 0;
  size_t first_line = 0;
  size_t line = 0;
  for (size_t position = 0; position < text.size(); ++line) {
    const size_t end = std::min(text.find('\n', position), text.size());
    if (separates(text.substr(position, end - position))) {
      add_document(file, first_line, text.substr(begin, position - begin), manifests, diagnostics);
      begin = std::min(end + 1, text.size());
      first_line = line + 1;
    }
    position = end + 1;
  }
  add_document(file, first_line, text.substr(begin), manifests, diagnostics);
}

Result<Unit> read_folder(const std::string& folder, Manifests& manifests, document::Diagnostics& diagnostics) {
  std::error_code failed;
  std::vector<std::filesystem::path> paths;
  for (std::filesystem::recursive_directory_iterator at(folder, failed), end; !failed && at != end;
       at.increment(failed))
    if (at->is_regular_file()) paths.push_back(at->path());
  if (failed) return Error{ErrorCode::kIo, failed.message(), folder};
  std::sort(paths.begin(), paths.end());
  bool any = false;
  for (const std::filesystem::path& path : paths) {
    const std::string extension = path.extension();
    if (extension == ".wasm") manifests.modules.push_back({path, std::filesystem::file_size(path, failed)});
    if (extension != ".yaml" && extension != ".yml" && extension != ".json") continue;
    INLAY_TRY(const std::string text, read_file(path, document::kMaxSourceBytes));
    add_manifest(path, text, manifests, diagnostics);
    any = true;
  }
  if (!any) return Error{ErrorCode::kNotFound, "has no *.yaml, *.yml or *.json", folder};
  return Unit{};
}

const Source* at(const Source* source, std::initializer_list<std::string_view> path) {
  for (std::string_view key : path) {
    if (source == nullptr) return nullptr;
    source = source->find(key);
  }
  return source;
}

std::string text_at(const Source* source, std::initializer_list<std::string_view> path) {
  const Source* found = at(source, path);
  return found != nullptr && found->kind == Source::Kind::kScalar ? found->text : "";
}

std::vector<const Source*> items_at(const Source* source, std::initializer_list<std::string_view> path) {
  std::vector<const Source*> found;
  const Source* list = at(source, path);
  if (list != nullptr && list->kind == Source::Kind::kList)
    for (const auto& item : list->items) found.push_back(item.get());
  return found;
}

uint32_t number_at(const Source* source, std::initializer_list<std::string_view> path) {
  const auto number = document::parse_uint(text_at(source, path));
  return number && *number <= UINT32_MAX ? static_cast<uint32_t>(*number) : 0;
}

Labels labels_at(const Source* source, std::initializer_list<std::string_view> path) {
  Labels labels;
  const Source* map = at(source, path);
  if (map != nullptr && map->kind == Source::Kind::kMap)
    for (const Source::Entry& entry : map->entries) labels.emplace_back(entry.key, entry.value->text);
  return labels;
}

bool selects(const Labels& selector, const Labels& labels) {
  return !selector.empty() && std::all_of(selector.begin(), selector.end(), [&](const auto& wanted) {
    return std::find(labels.begin(), labels.end(), wanted) != labels.end();
  });
}

}  // namespace inlay::deploy
