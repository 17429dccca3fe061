// SPDX-License-Identifier: Apache-2.0
#include "document/source.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <istream>
#include <streambuf>
#include <unordered_map>

#include "document/scalars.h"

namespace inlay::document {

const Source* Source::find(std::string_view key) const {
  for (const Entry& entry : entries)
    if (entry.key == key) return entry.value.get();
  return nullptr;
}

namespace {

Place place_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<uint32_t>(mark.line + 1), static_cast<uint32_t>(mark.column + 1)};
}

// Thrown by the handler through yaml-cpp, caught in parse_source: a document that is YAML, but not for us.
struct Refused {
  Place place;
  std::string message;
};

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& file, Diagnostics& diagnostics) : file_(file), diagnostics_(diagnostics) {}

  std::shared_ptr<const Source> root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto node = make(mark);
    finish(std::move(node), anchor, "");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto it = anchors_.find(anchor);
    if (it == anchors_.end()) throw Refused{place_of(mark), "this alias stands inside of its own anchor"};
    add(it->second, place_of(mark), "");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto node = make(mark);
    node->kind = Source::Kind::kScalar;
    node->text = value;
    node->quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    finish(std::move(node), anchor, tag);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(mark, Source::Kind::kList, tag, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(mark, Source::Kind::kMap, tag, anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  struct Open {
    std::shared_ptr<Source> node;
    YAML::anchor_t anchor;
    std::string tag;
    bool has_key = false;
    bool ignored = false;
    std::string key;
    Place key_place;
    std::unordered_map<std::string, size_t> index;  // key to entry
  };

  std::shared_ptr<Source> make(const YAML::Mark& mark) {
    if (++made_ > kMaxNodes) throw Refused{place_of(mark), too_many()};
    auto node = std::make_shared<Source>();
    node->place = place_of(mark);
    return node;
  }
  static std::string too_many() { return "the file has more than " + std::to_string(kMaxNodes) + " values"; }

  void start(const YAML::Mark& mark, Source::Kind kind, const std::string& tag, YAML::anchor_t anchor) {
    if (open_.size() >= kMaxDepth)
      throw Refused{place_of(mark), "nested deeper than " + std::to_string(kMaxDepth) + " levels"};
    Open open;
    open.node = make(mark);
    open.node->kind = kind;
    open.anchor = anchor;
    open.tag = tag;
    open_.push_back(std::move(open));
  }
  void end() {
    Open open = std::move(open_.back());
    open_.pop_back();
    finish(std::move(open.node), open.anchor, open.tag);
  }

  void finish(std::shared_ptr<Source> node, YAML::anchor_t anchor, const std::string& tag) {
    const Place place = node->place;
    std::shared_ptr<const Source> done = std::move(node);
    if (anchor != YAML::NullAnchor) anchors_[anchor] = done;
    add(std::move(done), place, tag);
  }

  void add(std::shared_ptr<const Source> node, Place place, const std::string& tag) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& open = open_.back();
    if (open.node->kind == Source::Kind::kList) {
      grow(*open.node, *node);
      open.node->items.push_back(std::move(node));
    } else if (!open.has_key) {
      take_key(open, *node, place, tag);
    } else {
      open.has_key = false;
      if (!open.ignored) take_value(open, std::move(node));
    }
  }

  void take_key(Open& open, const Source& node, Place place, const std::string& tag) {
    if (node.kind == Source::Kind::kList || node.kind == Source::Kind::kMap)
      throw Refused{place, "a key must be a scalar, not a list or a map"};
    open.has_key = true;
    open.ignored = tag == "!ignore";
    open.key = node.kind == Source::Kind::kNull ? "null" : node.text;
    open.key_place = place;
  }

  void take_value(Open& open, std::shared_ptr<const Source> node) {
    auto [it, fresh] = open.index.emplace(open.key, open.node->entries.size());
    grow(*open.node, *node);
    if (fresh) {
      open.node->entries.push_back({open.key, open.key_place, std::move(node)});
      return;
    }
    diagnostics_.add({Diagnostic::Severity::kWarning, file_, open.key_place, "",
                      "the key " + quote(open.key) + " stands twice in this map; the last one counts"});
    open.node->entries[it->second] = {open.key, open.key_place, std::move(node)};
  }

  void grow(Source& parent, const Source& child) {
    parent.expanded += child.expanded;
    if (parent.expanded > kMaxNodes) throw Refused{parent.place, too_many() + " with its aliases expanded"};
  }

  const std::string& file_;
  Diagnostics& diagnostics_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, std::shared_ptr<const Source>> anchors_;
  std::shared_ptr<const Source> root_;
  size_t made_ = 0;
};

// yaml-cpp reads from a std::istream; this one reads the text in place.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());
    setg(begin, begin, begin + text.size());
  }
};

bool printable(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
  Place place{1, 1};
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_length(text.substr(i));
    const auto c = static_cast<unsigned char>(text[i]);
    if (length == 0 || (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
      const char* what = length == 0 ? "the file must be UTF-8, and this byte is not" : "a control character";
      diagnostics.add({Diagnostic::Severity::kError, file, place, "", what});
      return false;
    }
    if (c == '\n') {
      place = {place.line + 1, 1};
    } else {
      ++place.column;
    }
    i += length;
  }
  return true;
}

// The usual reason for YAML that does not parse and does not say why.
std::string tab_hint(std::string_view text, uint32_t line) {
  for (; line > 1 && text.find('\n') != std::string_view::npos; --line) text.remove_prefix(text.find('\n') + 1);
  const std::string_view indent = text.substr(0, text.find_first_not_of(" \t"));
  return indent.find('\t') == std::string_view::npos ? "" : "; this line is indented with a tab, use spaces";
}

}  // namespace

std::shared_ptr<const Source> parse_source(std::string_view text, bool json, const std::string& file,
                                           Diagnostics& diagnostics, std::string_view expected) {
  auto fail = [&](Place place, std::string message) {
    diagnostics.add({Diagnostic::Severity::kError, file, place, "", std::move(message)});
    return nullptr;
  };
  if (text.size() > kMaxSourceBytes)
    return fail({}, "the file is larger than " + std::to_string(kMaxSourceBytes >> 20) + " MiB");
  if (!printable(text, file, diagnostics)) return nullptr;

  std::string joined;
  if (json) {
    joined = join_surrogates(text);
    text = joined;
  }
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    TreeBuilder builder(file, diagnostics);
    if (parser.HandleNextDocument(builder)) {
      auto root = builder.root();
      if (root != nullptr && root->kind != Source::Kind::kNull) return root;
    }
    return fail({}, "the file is empty; " + std::string(expected) + " was expected");
  } catch (const Refused& refused) {
    return fail(refused.place, refused.message);
  } catch (const YAML::Exception& e) {
    const Place place = place_of(e.mark);
    return fail(place, std::string(json ? "not JSON: " : "not YAML: ") + e.msg + tab_hint(text, place.line));
  } catch (const std::exception& e) {
    return fail({}, std::string("not YAML: ") + e.what());
  }
}

}  // namespace inlay::document
