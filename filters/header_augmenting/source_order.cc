// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/source_order.h"

#include "filters/header_augmenting/features.h"
#include "filters/header_augmenting/references.h"
#include "filters/header_augmenting/suggestion.h"
#include "filters/header_augmenting/texts.h"

namespace inlay::header_augmenting {
namespace {

using Format = SourceConfig::Format;

constexpr uint32_t kMaxDepth = 3;     // of references that lead from one source to the next
constexpr uint32_t kMostInARow = 16;  // sources that are looked at for a cycle, which costs stack

// Link: a source that is being put in order, and the one that refers to it.
struct Link {
  const Link* from;
  uint32_t index;
};

class Order {
 public:
  Order(Config& config, Report& report)
      : config_(config),
        report_(report),
        depths_(config.arena.array<uint32_t>(config.sources.size())),
        order_(config.arena.array<uint32_t>(config.sources.size())) {}

  std::span<const uint32_t> run() {
    const auto count = static_cast<uint32_t>(config_.sources.size());
    for (uint32_t i = 0; i < count; ++i) find_references(i);
    for (uint32_t i = 0; i < count; ++i) put_in_order(i, nullptr);
    return order_;
  }

 private:
  // Finder collects the sources that texts of a source refer to.
  class Finder final : public TextVisitor {
   public:
    Finder(Order& order, const Place& place) : order_(order), place_(place) {}
    void text(const char* key, std::string_view name, std::string_view& text) override {
      std::string_view rest = text;
      for (Piece piece; next_piece(rest, piece);) {
        if (!piece.is_reference) continue;
        const Place whole = {&place_, key};
        const Place member = {&whole, name};
        add(order_.refer(name.empty() ? whole : member, piece.text));
      }
    }
    std::span<uint32_t> found() const { return all_.first(size_); }

   private:
    void add(uint32_t source) {
      if (all_.empty()) all_ = order_.config_.arena.array<uint32_t>(order_.config_.sources.size());
      size_t i = 0;
      while (i < size_ && all_[i] != source) ++i;
      if (source != kNoSource && i == size_) all_[size_++] = source;
    }

    Order& order_;
    const Place& place_;
    std::span<uint32_t> all_;
    size_t size_ = 0;
  };

  void find_references(uint32_t index) {
    const Place place = place_of(index);
    Finder finder(*this, place);
    for_each_text(config_.sources[index], finder);
    config_.sources[index].refers_to = finder.found();
  }

  // refer: the source `name`, of which a value can be had; else kNoSource, and an error at `place`.
  uint32_t refer(const Place& place, std::string_view name) {
    const uint32_t index = find_source(config_, place, name, report_);
    if (index == kNoSource) return index;
    SourceConfig& source = config_.sources[index];
    const bool single = source.format == Format::kTemplate && source.headers.size() == 1;
    if (!source.is_text() && source.format != Format::kOAuth2 && !single) {
      report_.add(place, "a source that may have several values",
                  "one of format \"text\", \"jwt_svid\" or \"oauth2\", or of \"template\" with one header");
    }
    if (has(kExchange) && source.per_request)
      report_.add(place, "a source that is asked for each request", "one that has a value without a request");
    source.is_referred_to = true;
    return index;
  }

  // put_in_order: a source behind those that it refers to.
  void put_in_order(uint32_t index, const Link* from) {
    if (depths_[index] != 0) return;
    const Link link{from, index};
    uint32_t depth = 1;
    for (const uint32_t other : config_.sources[index].refers_to) {
      if (is_cycle(&link, other)) continue;
      if (length(&link) < kMostInARow) put_in_order(other, &link);
      depth = depths_[other] >= depth ? depths_[other] + 1 : depth;
    }
    depths_[index] = depth;
    order_[ordered_++] = index;
    if (depth == kMaxDepth + 2) {
      report_.add(place_of(index), "a source that others lead to by more than three references", "three at most");
    }
  }

  static uint32_t length(const Link* link) {
    uint32_t links = 0;
    for (; link != nullptr; link = link->from) ++links;
    return links;
  }

  // is_cycle: whether `other`, which link's source refers to, is one that led there; then it is reported.
  [[gnu::noinline]] bool is_cycle(const Link* link, uint32_t other) {
    sdk::Line path;  // from the end to the begin
    path.add(config_.sources[other].name);
    const Place place = place_of(link->index);
    for (; link != nullptr; link = link->from) {
      sdk::Line longer;
      path = longer.add(config_.sources[link->index].name).add(" -> ").add(path.view());
      if (link->index != other) continue;
      sdk::Line found;
      report_.add(place, found.add("references in a cycle, ").add(path.view()).view(), "none that lead back");
      return true;
    }
    return false;
  }

  Place place_of(uint32_t source) const { return {&sources_, {}, source}; }

  Config& config_;
  Report& report_;
  const Place top_;
  const Place sources_ = {&top_, "sources"};
  std::span<uint32_t> depths_;  // how many sources stand in a row from each on; 0: it has no place in order_ yet
  std::span<uint32_t> order_;
  uint32_t ordered_ = 0;
};

}  // namespace

uint32_t find_source(const Config& config, const Place& place, std::string_view name, Report& report) {
  Suggestion suggestion(name);
  for (uint32_t i = 0; i < config.sources.size(); ++i) {
    if (is_same(config.sources[i].name, name)) return i;
    suggestion.consider(config.sources[i].name);
  }
  report.add(place, "the name of no source", suggestion.text());
  return kNoSource;
}

std::span<const uint32_t> order_sources(Config& config, Report& report) {
  return Order(config, report).run();
}

}  // namespace inlay::header_augmenting
