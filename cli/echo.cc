// SPDX-License-Identifier: Apache-2.0
#include "cli/echo.h"

#include <memory>
#include <string>
#include <string_view>

#include "cli/subcommand.h"

namespace inlay::cli {
namespace {

using http::HeaderId;
using http::HeaderMap;

// The name under which a field came over the wire; empty for a pseudo-header that no field stands for.
std::string_view wire_name(const HeaderMap::Entry& entry) {
  if (entry.name == ":authority") return "host";
  return entry.name.starts_with(':') ? std::string_view() : entry.name;
}

std::string json_fields(const HeaderMap& map) {
  std::string out = "{";
  for (size_t i = 0; i < map.size(); ++i) {
    const std::string_view name = wire_name(map[i]);
    bool seen = name.empty();
    for (size_t j = 0; j < i && !seen; ++j) seen = wire_name(map[j]) == name;
    if (seen) continue;
    std::string values = json_string(map[i].value);
    bool several = false;
    for (size_t j = i + 1; j < map.size(); ++j) {
      if (wire_name(map[j]) != name) continue;
      several = true;
      values += ", " + json_string(map[j].value);
    }
    out += (out.size() > 1 ? ", " : "") + json_string(name) + ": " + (several ? "[" + values + "]" : values);
  }
  return out + "}";
}

std::string as_json(const Request& request) {
  return "{\"method\": " + json_string(request.headers.value(HeaderId::kMethod)) +
         ", \"path\": " + json_string(request.headers.value(HeaderId::kPath)) + ", \"version\": \"HTTP/1." +
         std::to_string(request.minor_version) + "\", \"headers\": " + json_fields(request.headers) +
         ", \"trailers\": " + json_fields(request.trailers) +
         ", \"body_bytes\": " + std::to_string(request.body_bytes) + "}\n";
}

std::string as_text(const Request& request) {
  std::string out;
  const auto line = [&](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value) += '\n';
  };
  out.append(request.headers.value(HeaderId::kMethod)).append(" ").append(request.headers.value(HeaderId::kPath));
  out.append(" HTTP/1.").append(std::to_string(request.minor_version)) += '\n';
  for (const auto& entry : request.headers) {
    if (const std::string_view name = wire_name(entry); !name.empty()) line(name, entry.value);
  }
  out += "\nbody: " + std::to_string(request.body_bytes) + " bytes\n";
  for (const auto& entry : request.trailers) line("trailer " + std::string(entry.name), entry.value);
  return out;
}

}  // namespace

Reply EchoHandler::on_request(const Request& request) {
  const bool json = request.query("format") == "json" ||
                    request.headers.get("accept").value_or("").find("application/json") != std::string_view::npos;
  if (json) return {.content_type = "application/json", .body = as_json(request)};
  return {.body = as_text(request)};
}

void add_echo(CLI::App& app, Action& action) {
  auto options = std::make_shared<ServiceOptions>();
  options->address = {"127.0.0.1", 8081};
  CLI::App* command = app.add_subcommand("echo", "A destination workload: answers each request with what it received");
  add_service_options(*command, *options);
  command->callback([options, &action] {
    action = [options] {
      EchoHandler handler;
      return serve(*options, handler);
    };
  });
}

}  // namespace inlay::cli
