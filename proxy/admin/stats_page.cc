// SPDX-License-Identifier: Apache-2.0
#include "proxy/admin/stats_page.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <re2/re2.h>

#include <array>
#include <cstdio>
#include <functional>
#include <map>
#include <set>

#include "base/printable.h"
#include "proxy/admin/json_text.h"
#include "proxy/admin/prometheus_name.h"
#include "proxy/admin/stats_tags.h"

namespace inlay::proxy::admin {
namespace {

// The bounds of HistogramData's buckets, as text, so that they print as they are written.
constexpr std::array<const char*, 19> kBounds = {"0.5",   "1",      "5",      "10",      "25",     "50",    "100",
                                                 "250",   "500",    "1000",   "2500",    "5000",   "10000", "30000",
                                                 "60000", "300000", "600000", "1800000", "3600000"};
constexpr std::array<double, 10> kQuantiles = {0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 1};

Result<Unit> for_each(const stats::MetricStore& metrics, const StatsFilter& filter,
                      const std::function<void(const stats::MetricView&)>& visit) {
  const re2::RE2 regex(filter.regex, re2::RE2::Quiet);
  if (!regex.ok()) {
    return Error{ErrorCode::kInvalidArgument, "filter is no RE2 regular expression: " + regex.error(), ""};
  }
  metrics.for_each([&](const stats::MetricView& m) {
    if (filter.used_only && !m.used) return;
    if (!filter.regex.empty() && !re2::RE2::PartialMatch(re2::StringPiece(m.name.data(), m.name.size()), regex)) return;
    visit(m);
  });
  return Unit{};
}

std::string number(double d) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", d);
  return text;
}

// The middle column of "P50(interval,cumulative)" would be that of the last flush; there is none here, and Envoy prints
// the same where nothing was recorded in it.
std::string histogram_text(const stats::HistogramData& h) {
  if (h.count == 0) return "No recorded values";
  std::string out;
  for (const double q : kQuantiles) {
    if (!out.empty()) out += ' ';
    out += "P" + number(q * 100) + "(nan," + number(stats::quantile_of(h.bins, q)) + ")";
  }
  return out;
}

void prometheus_histogram(const PrometheusName& name, const stats::HistogramData& h, std::string& out) {
  const std::string labels = name.labels.empty() ? "" : name.labels + ",";
  const auto bucket = [&](const char* bound, uint64_t count) {
    out += name.family + "_bucket{" + labels + "le=\"" + bound + "\"} " + std::to_string(count) + "\n";
  };
  for (size_t i = 0; i < h.buckets.size() && i < kBounds.size(); ++i) bucket(kBounds[i], h.buckets[i]);
  bucket("+Inf", h.count);
  out += name.family + "_sum{" + name.labels + "} " + std::to_string(h.sum) + "\n";
  out += name.family + "_count{" + name.labels + "} " + std::to_string(h.count) + "\n";
}

}  // namespace

// Histograms come after all others, as in Envoy.
Result<std::string> stats_text(const stats::MetricStore& metrics, const StatsFilter& filter) {
  std::string out;
  std::string histograms;
  INLAY_RETURN_IF_ERROR(for_each(metrics, filter, [&](const stats::MetricView& m) {
    std::string& to = m.histogram != nullptr ? histograms : out;
    to += one_line(m.name);
    to += ": ";
    to += m.histogram != nullptr ? histogram_text(*m.histogram) : std::to_string(m.value);
    to += '\n';
  }));
  return out + histograms;
}

namespace {

using Json = rapidjson::Writer<rapidjson::StringBuffer>;

void write_quantiles(Json& json, const stats::MetricView& m) {
  json.StartObject();
  json.Key("name");
  write_text(json, m.name);
  json.Key("values");
  json.StartArray();
  for (const double q : kQuantiles) {
    json.StartObject();
    json.Key("interval");
    json.Null();
    json.Key("cumulative");
    if (m.histogram->count == 0)
      json.Null();
    else
      json.Double(stats::quantile_of(m.histogram->bins, q));
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

// Envoy's one object for all histograms: the quantiles, then a list of histograms with a value for each.
void write_histograms(Json& json, const stats::MetricStore& metrics, const StatsFilter& filter) {
  json.StartObject();
  json.Key("histograms");
  json.StartObject();
  json.Key("supported_quantiles");
  json.StartArray();
  for (const double q : kQuantiles) json.Double(q * 100);
  json.EndArray();
  json.Key("computed_quantiles");
  json.StartArray();
  (void)for_each(metrics, filter, [&](const stats::MetricView& m) {
    if (m.histogram != nullptr) write_quantiles(json, m);
  });
  json.EndArray();
  json.EndObject();
  json.EndObject();
}

}  // namespace

Result<std::string> stats_json(const stats::MetricStore& metrics, const StatsFilter& filter) {
  rapidjson::StringBuffer buffer;
  Json json(buffer);
  bool histograms = false;
  json.StartObject();
  json.Key("stats");
  json.StartArray();
  INLAY_RETURN_IF_ERROR(for_each(metrics, filter, [&](const stats::MetricView& m) {
    histograms = histograms || m.histogram != nullptr;
    if (m.histogram != nullptr) return;
    json.StartObject();
    json.Key("name");
    write_text(json, m.name);
    json.Key("value");
    json.Int64(m.value);
    json.EndObject();
  }));
  if (histograms) write_histograms(json, metrics, filter);
  json.EndArray();
  json.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize());
}

Result<std::string> stats_prometheus(const stats::MetricStore& metrics, const StatsFilter& filter,
                                     const std::vector<config::StatsTag>& tags) {
  const StatsTags extractors(tags);
  constexpr const char* kTypes[] = {"counter", "gauge", "histogram"};
  // All samples of a family must stand together. Two names that differ only in characters that Prometheus does not have
  // would be one sample twice: the first stays. A guest, whose names have no prefix here, adds nothing to a family of
  // the host's, nor to the series of one of its histograms.
  struct Family {
    abi::MetricType type;
    bool of_guest;
    std::set<std::string> seen;
    std::string samples;
  };
  std::map<std::string, Family> families;
  std::set<std::string> reserved;
  const auto add = [&](const stats::MetricView& m, bool of_guest) {
    const PrometheusName name = extractors.split(m.name);
    if (name.family.empty() || (of_guest && reserved.contains(name.family))) return;
    Family& family = families.try_emplace(name.family, Family{m.type, of_guest, {}, {}}).first->second;
    if (family.type != m.type || family.of_guest != of_guest || !family.seen.insert(name.labels).second) return;
    if (m.histogram == nullptr) {
      family.samples += name.family + "{" + name.labels + "} " + std::to_string(m.value) + "\n";
      return;
    }
    prometheus_histogram(name, *m.histogram, family.samples);
    if (of_guest) return;
    for (const char* series : {"_bucket", "_sum", "_count"}) reserved.insert(name.family + series);
  };
  for (const bool guests : {false, true}) {
    INLAY_RETURN_IF_ERROR(for_each(metrics, filter, [&](const stats::MetricView& m) {
      if (is_guest_metric(m.name) == guests) add(m, guests);
    }));
  }
  std::string out;
  for (const auto& [name, family] : families) {
    out += "# TYPE " + name + " " + kTypes[static_cast<size_t>(family.type)] + "\n" + family.samples;
  }
  return out;
}

}  // namespace inlay::proxy::admin
