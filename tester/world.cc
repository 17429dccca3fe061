// SPDX-License-Identifier: Apache-2.0
#include "tester/world.h"
#include "base/ascii.h"

#include <algorithm>
#include <cctype>

namespace inlay::tester {
namespace {

constexpr std::string_view kGuestPrefix = "wasm log";

// Whose line it is: the plugin that the prefix names, by its name or by the vm id that it has when the case says none.
std::string plugin_of(const Case& c, std::string_view prefix) {
  for (const PluginCase& plugin : c.plugins) {
    for (const std::string& name : {plugin.name, "vm_" + plugin.name}) {
      if (prefix == name || prefix.starts_with(name + " ")) return plugin.name;
    }
  }
  return prefix.empty() ? "vm" : std::string(prefix);  // outside of any context
}

bool is_uuid(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : hex_value(text[i]) < 0) return false;
  }
  return text.size() == 36;
}

// Request ids differ from run to run.
std::string without_uuids(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_uuid(text.substr(i, 36))) {
      out += "UUID";
      i += 35;
    } else {
      out += text[i];
    }
  }
  return out;
}

// A backtrace stands on lines of its own, whose ends a log that was a file has escaped.
void split_backtrace(std::string_view message, LogEntry& entry) {
  constexpr std::string_view kEscaped = "\\nbacktrace:\\n";
  const size_t escaped = message.find(kEscaped);
  const size_t end = std::min(message.find('\n'), escaped);
  entry.text = message.substr(0, end);
  if (end == std::string_view::npos) return;
  entry.backtrace = message.substr(end + (escaped == end ? 2 : 1));
  if (escaped != end) return;
  for (size_t at = entry.backtrace.find("\\n"); at != std::string::npos; at = entry.backtrace.find("\\n", at)) {
    entry.backtrace.replace(at, 2, "\n");
  }
}

}  // namespace

LogEntry read_log_line(const Case& c, std::string_view level, std::string_view component, std::string_view message) {
  if (component != "wasm") return {};
  LogEntry entry;
  entry.level = level;
  const std::string mark = level == "info" ? "" : " [" + std::string(level) + "]";
  if (!message.starts_with(kGuestPrefix)) {
    if (level == "info" || level == "debug" || level == "trace") return {};
    entry.who = "host";
    split_backtrace(message, entry);
    entry.shown = "host" + mark + ": " + entry.text;
    return entry;
  }
  std::string_view rest = message.substr(kGuestPrefix.size());
  const size_t colon = rest.find(": ");
  if (colon == std::string_view::npos) {
    entry.text = entry.shown = message;
  } else {
    std::string_view prefix = rest.substr(0, colon);
    if (prefix.starts_with(" ")) prefix.remove_prefix(1);
    entry.who = plugin_of(c, prefix);
    entry.text = without_uuids(rest.substr(colon + 2));
    entry.shown = entry.who + mark + ": " + entry.text;
  }
  if (c.shows("log")) entry.shown = "log [" + std::string(level) + "]: " + std::string(message);
  return entry;
}

}  // namespace inlay::tester
