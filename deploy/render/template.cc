// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/template.h"

#include <span>

#include "deploy/render/embedded.h"
#include "deploy/render/yaml_text.h"

namespace inlay::deploy {

Context& Context::set(std::string name, std::string text) {
  texts_[std::move(name)] = std::move(text);
  return *this;
}

Context& Context::add(const std::string& section) {
  return sections_[section].emplace_back();
}

Context& Context::flag(const std::string& section, bool stands) {
  sections_[section].resize(stands ? 1 : 0);
  return *this;
}

const std::string* Context::text(const std::string& name) const {
  const auto it = texts_.find(name);
  return it == texts_.end() ? nullptr : &it->second;
}

const std::vector<Context>* Context::section(const std::string& name) const {
  const auto it = sections_.find(name);
  return it == sections_.end() ? nullptr : &it->second;
}

namespace {

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

Error defect(const std::string& what) {
  return {ErrorCode::kInternal, what, "template"};
}

class Filler {
 public:
  explicit Filler(const Context& root) { stack_.push_back(&root); }

  Result<Unit> lines(std::span<const std::string_view> lines) {
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::string section = section_tag(lines[i]);
      if (section.empty()) {
        INLAY_RETURN_IF_ERROR(line(lines[i]));
        continue;
      }
      size_t end = i + 1;
      while (end < lines.size() && lines[end] != "{{/" + section.substr(1) + "}}") ++end;
      if (end == lines.size()) return defect("the section " + section + " has no end");
      INLAY_RETURN_IF_ERROR(turns(section, lines.subspan(i + 1, end - i - 1)));
      i = end;
    }
    return Unit{};
  }

  std::string out;

 private:
  // "#name" or "^name" when the line is such a tag.
  static std::string section_tag(std::string_view line) {
    if (!line.starts_with("{{#") && !line.starts_with("{{^")) return "";
    return std::string(line.substr(2, line.find("}}") - 2));
  }

  Result<Unit> turns(const std::string& tag, std::span<const std::string_view> body) {
    const std::string name = tag.substr(1);
    const std::vector<Context>* found = nullptr;
    for (auto it = stack_.rbegin(); it != stack_.rend() && found == nullptr; ++it) found = (*it)->section(name);
    if (found == nullptr) return defect("there is no section " + name);
    if (tag[0] == '^') return found->empty() ? lines(body) : Result<Unit>(Unit{});
    for (const Context& context : *found) {
      stack_.push_back(&context);
      auto done = lines(body);
      stack_.pop_back();
      if (!done) return done;
    }
    return Unit{};
  }

  Result<Unit> line(std::string_view line) {
    std::string filled;
    for (size_t open = line.find("{{"); open != std::string_view::npos; open = line.find("{{")) {
      const size_t close = line.find("}}", open);
      if (close == std::string_view::npos) return defect("{{ without }}");
      std::string name(line.substr(open + 2, close - open - 2));
      const char kind = name.starts_with('=') || name.starts_with('>') ? name[0] : ' ';
      if (kind != ' ') name.erase(0, 1);
      INLAY_TRY(const std::string* text, find(name));
      filled += line.substr(0, open);
      line.remove_prefix(close + 2);
      if (kind == '>') {
        block(filled, *text);
        return Unit{};
      }
      filled += kind == '=' ? *text : yaml_scalar(*text);
    }
    out += filled + std::string(line) + "\n";
    return Unit{};
  }

  Result<const std::string*> find(const std::string& name) const {
    for (auto it = stack_.rbegin(); it != stack_.rend(); ++it)
      if (const std::string* text = (*it)->text(name)) return text;
    return defect("there is no value " + name);
  }

  void block(const std::string& before, std::string_view text) {
    bool first = true;
    for (std::string_view line : split_lines(text)) {
      if (!line.empty()) out += (first ? before : std::string(before.size(), ' ')) + std::string(line);
      out += "\n";
      first = false;
    }
  }

  std::vector<const Context*> stack_;
};

}  // namespace

Result<std::string> fill_text(std::string_view text, const Context& context) {
  std::vector<std::string_view> lines = split_lines(text);
  if (!lines.empty() && lines[0].starts_with("# SPDX-")) lines.erase(lines.begin());
  Filler filler(context);
  INLAY_RETURN_IF_ERROR(filler.lines(lines));
  return std::move(filler.out);
}

Result<std::string> fill_template(std::string_view name, const Context& context) {
  const std::string_view text = embedded_file(name);
  if (text.empty()) return defect("there is no template " + std::string(name));
  auto filled = fill_text(text, context);
  if (!filled) filled.error().where = name;
  return filled;
}

}  // namespace inlay::deploy
