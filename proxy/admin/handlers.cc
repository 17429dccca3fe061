// SPDX-License-Identifier: Apache-2.0
#include "proxy/admin/handlers.h"

#include <malloc.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>

#include "base/ascii.h"
#include "proxy/admin/certs_page.h"
#include "proxy/admin/json_text.h"
#include "proxy/admin/stats_page.h"

namespace inlay::proxy::admin {
namespace {

using Json = rapidjson::PrettyWriter<rapidjson::StringBuffer>;
constexpr const char* kJson = "application/json";

const std::chrono::steady_clock::time_point kStarted = std::chrono::steady_clock::now();

Response json_page(const std::function<void(Json&)>& write) {
  rapidjson::StringBuffer buffer;
  Json json(buffer);
  json.SetIndent(' ', 1);
  write(json);
  return {200, kJson, std::string(buffer.GetString(), buffer.GetSize()) + "\n"};
}

Response bad_request(const std::string& message) {
  return {400, Response().content_type, one_line(message) + "\n"};
}

Response page(Result<std::string> body, const char* content_type = nullptr) {
  if (!body) return bad_request(body.error().message);
  Response response;
  response.body = *std::move(body);
  if (content_type != nullptr) response.content_type = content_type;
  return response;
}

std::string_view state_name(ServerState state) {
  switch (state) {
    case ServerState::kLive:
      return "LIVE";
    case ServerState::kDraining:
      return "DRAINING";
    case ServerState::kInitializing:
      break;
  }
  return "INITIALIZING";
}

// --- the pages; `query` is what follows the "?" ---

using Query = std::string_view;

Response ready(Query, AdminTarget& target) {
  Response response;
  response.status = target.state() == ServerState::kLive ? 200 : 503;
  response.body = std::string(state_name(target.state())) + "\n";
  if (target.state() == ServerState::kInitializing) response.body += target.waits_for() + "\n";
  return response;
}

StatsFilter stats_filter(Query query) {
  StatsFilter filter;
  filter.regex = query_parameter(query, "filter");
  query_parameter(query, "usedonly", &filter.used_only);
  return filter;
}

Response prometheus(Query query, AdminTarget& target) {
  return page(stats_prometheus(target.metrics(), stats_filter(query), target.bootstrap().stats_tags),
              "text/plain; version=0.0.4; charset=utf-8");
}

Response stats(Query query, AdminTarget& target) {
  const std::string format = query_parameter(query, "format");
  if (format == "json") return page(stats_json(target.metrics(), stats_filter(query)), kJson);
  if (format == "prometheus") return prometheus(query, target);
  if (!format.empty() && format != "text") return bad_request("usage: /stats?format=text|json|prometheus");
  return page(stats_text(target.metrics(), stats_filter(query)));
}

// As core.v3 Address.
void write_address(Json& json, const char* key, const Address& address) {
  json.Key(key);
  json.StartObject();
  json.Key(address.is_pipe ? "pipe" : "socket_address");
  json.StartObject();
  write_text(json, address.is_pipe ? "path" : "address", address.host);
  if (!address.is_pipe) {
    json.Key("port_value");
    json.Uint(address.port);
  }
  json.EndObject();
  json.EndObject();
}

Response clusters_json(AdminTarget& target) {
  return json_page([&](Json& json) {
    json.StartObject();
    json.Key("cluster_statuses");
    json.StartArray();
    for (size_t i = 0; i < target.clusters().size(); ++i) {
      const upstream::Cluster& cluster = target.clusters().at(i);
      json.StartObject();
      write_text(json, "name", cluster.config.name);
      json.Key("host_statuses");
      json.StartArray();
      for (const upstream::HostSpec& host : *cluster.hosts()) {
        json.StartObject();
        write_address(json, "address", host.address);
        json.Key("health_status");
        json.StartObject();
        write_text(json, "eds_health_status", host.healthy ? "HEALTHY" : "UNHEALTHY");
        json.EndObject();
        json.Key("weight");
        json.Uint(host.weight);
        write_text(json, "hostname", host.hostname);
        json.EndObject();
      }
      json.EndArray();
      json.EndObject();
    }
    json.EndArray();
    json.EndObject();
  });
}

Response clusters(Query query, AdminTarget& target) {
  if (query_parameter(query, "format") == "json") return clusters_json(target);
  Response response;
  std::string& out = response.body;
  for (size_t i = 0; i < target.clusters().size(); ++i) {
    const upstream::Cluster& cluster = target.clusters().at(i);
    const std::string& name = cluster.config.name;
    const auto line = [&](const std::string& key, const std::string& value) {
      out += one_line(name + "::" + key + "::" + value) + "\n";
    };
    line("observability_name", cluster.config.alt_stat_name.empty() ? name : cluster.config.alt_stat_name);
    line("default_priority::max_connections", std::to_string(cluster.config.max_connections));
    line("default_priority::max_pending_requests", std::to_string(cluster.config.max_pending_requests));
    line("default_priority::max_requests", std::to_string(cluster.config.max_requests));
    line("default_priority::max_retries", std::to_string(cluster.config.max_retries));
    line("added_via_api", "false");
    for (const upstream::HostSpec& host : *cluster.hosts()) {
      const std::string address = host.address.to_string();
      line(address + "::hostname", host.hostname);
      line(address + "::health_flags", host.healthy ? "healthy" : "/failed_eds_health");
      line(address + "::weight", std::to_string(host.weight));
    }
  }
  return response;
}

Response listeners(Query query, AdminTarget& target) {
  const auto& configs = target.bootstrap().listeners;
  const auto& addresses = target.listener_addresses();
  if (query_parameter(query, "format") != "json") {
    Response response;
    for (size_t i = 0; i < configs.size() && i < addresses.size(); ++i) {
      if (configs[i].chain_of) continue;
      response.body += one_line(configs[i].name + "::" + addresses[i].to_string()) + "\n";
    }
    return response;
  }
  return json_page([&](Json& json) {
    json.StartObject();
    json.Key("listener_statuses");
    json.StartArray();
    for (size_t i = 0; i < configs.size() && i < addresses.size(); ++i) {
      if (configs[i].chain_of) continue;
      json.StartObject();
      write_text(json, "name", configs[i].name);
      write_address(json, "local_address", addresses[i]);
      json.EndObject();
    }
    json.EndArray();
    json.EndObject();
  });
}

Response config_dump(Query, AdminTarget& target) {
  const std::string& bootstrap = target.bootstrap().redacted_json;
  return {200, kJson,
          "{\"configs\": [{\"@type\": \"type.googleapis.com/envoy.admin.v3.BootstrapConfigDump\", \"bootstrap\": " +
              (bootstrap.empty() ? std::string("{}") : bootstrap) + "}]}\n"};
}

Response server_info(Query, AdminTarget& target) {
  return json_page([&](Json& json) {
    const auto up = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - kStarted);
    const std::string uptime = std::to_string(up.count()) + "s";
    json.StartObject();
    write_text(json, "version", "inlay/" + target.version());
    write_text(json, "state", state_name(target.state()));
    write_text(json, "uptime_current_epoch", uptime);
    write_text(json, "uptime_all_epochs", uptime);
    json.Key("command_line_options");
    json.StartObject();
    json.Key("concurrency");
    json.Uint64(target.concurrency());
    json.EndObject();
    json.Key("node");
    json.StartObject();
    write_text(json, "id", target.bootstrap().node.id);
    write_text(json, "cluster", target.bootstrap().node.cluster);
    json.EndObject();
    if (const auto& left_out = target.bootstrap().left_out; !left_out.empty()) {
      json.Key("left_out");
      json.StartArray();
      for (const std::string& line : left_out) json.String(line.c_str(), static_cast<rapidjson::SizeType>(line.size()));
      json.EndArray();
    }
    json.EndObject();
  });
}

uint64_t resident_bytes() {
  unsigned long size = 0, resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%lu %lu", &size, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return uint64_t{resident} * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

Response memory(Query, AdminTarget&) {
  return json_page([&](Json& json) {
    const auto info = mallinfo2();
    json.StartObject();
    write_text(json, "allocated", std::to_string(info.uordblks));
    write_text(json, "heap_size", std::to_string(info.arena + info.hblkhd));
    write_text(json, "pageheap_free", std::to_string(info.fordblks));
    write_text(json, "total_physical_bytes", std::to_string(resident_bytes()));
    json.EndObject();
  });
}

Response certs(Query, AdminTarget& target) {
  return {200, kJson, certs_json(target.bootstrap())};
}

Response ok() {
  return {200, Response().content_type, "OK\n"};
}
Response quit(Query, AdminTarget& target) {
  return target.quit(), ok();
}
Response reset_counters(Query, AdminTarget& target) {
  return target.metrics().reset_counters(), ok();
}
Response reopen_logs(Query, AdminTarget& target) {
  return target.reopen_logs(), ok();
}
Response drain_listeners(Query, AdminTarget& target) {
  return target.drain_listeners(), ok();
}
Response healthcheck_fail(Query, AdminTarget& target) {
  return target.fail_health_check(true), ok();
}
Response healthcheck_ok(Query, AdminTarget& target) {
  return target.fail_health_check(false), ok();
}

// /logging, /logging?level=debug (all), /logging?wasm=debug, /logging?paths=wasm:debug,http:trace
Response logging(Query query, AdminTarget& target) {
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    const std::string_view name = part.substr(0, part.find('='));
    std::string value = query_parameter(part, name);
    Result<Unit> done;
    if (name == "paths") {
      for (std::string_view rest = value; !rest.empty() && done;) {
        const std::string_view one = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(one.size() + 1, rest.size()));
        const size_t colon = std::min(one.find(':'), one.size());
        done = target.set_log_level(one.substr(0, colon), one.substr(std::min(colon + 1, one.size())));
      }
    } else {
      done = target.set_log_level(name == "level" ? "" : name, value);
    }
    if (!done) return bad_request(done.error().message);
  }
  Response response;
  response.body = "active loggers:\n";
  for (const auto& [name, level] : target.log_levels()) response.body += "  " + name + ": " + level + "\n";
  return response;
}

Response help(Query, AdminTarget&);

struct Page {
  std::string_view path;
  std::string_view what;
  bool post_only;
  Response (*handle)(Query, AdminTarget&);
};
constexpr Page kPages[] = {
    {"/", "this list", false, help},
    {"/certs", "print certs on machine", false, certs},
    {"/clusters", "upstream cluster status (?format=json)", false, clusters},
    {"/config_dump", "dump current configs, secrets redacted", false, config_dump},
    {"/drain_listeners", "stop accepting connections", true, drain_listeners},
    {"/healthcheck/fail", "cause the server to fail health checks", true, healthcheck_fail},
    {"/healthcheck/ok", "cause the server to pass health checks", true, healthcheck_ok},
    {"/help", "this list", false, help},
    {"/listeners", "print listener info (?format=json)", false, listeners},
    {"/logging", "query or change log levels (?level=debug, ?wasm=debug)", true, logging},
    {"/memory", "print current allocation/heap usage", false, memory},
    {"/quitquitquit", "exit the server", true, quit},
    {"/ready", "print server state, 200 if LIVE, otherwise 503", false, ready},
    {"/reopen_logs", "reopen access logs", true, reopen_logs},
    {"/reset_counters", "reset all counters to zero", true, reset_counters},
    {"/server_info", "print server version and status", false, server_info},
    {"/stats", "print server stats (?filter=regex&usedonly&format=json|prometheus)", false, stats},
    {"/stats/prometheus", "print server stats in prometheus format", false, prometheus},
};

std::string list_of_pages() {
  std::string out = "admin commands are:\n";
  for (const Page& p : kPages) {
    out += "  " + std::string(p.path) + (p.post_only ? " (POST)" : "") + ": " + std::string(p.what) + "\n";
  }
  return out;
}

Response help(Query, AdminTarget&) {
  Response response;
  response.body = list_of_pages();
  return response;
}

}  // namespace

std::string query_parameter(std::string_view query, std::string_view name, bool* present) {
  if (present != nullptr) *present = false;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    const size_t equals = std::min(part.find('='), part.size());
    if (part.substr(0, equals) != name) continue;
    if (present != nullptr) *present = true;
    std::string out;
    const std::string_view value = part.substr(std::min(equals + 1, part.size()));
    for (size_t i = 0; i < value.size(); ++i) {
      const bool escaped =
          value[i] == '%' && i + 2 < value.size() && hex_value(value[i + 1]) >= 0 && hex_value(value[i + 2]) >= 0;
      if (!escaped) {
        out += value[i];
        continue;
      }
      out += static_cast<char>(hex_value(value[i + 1]) * 16 + hex_value(value[i + 2]));
      i += 2;
    }
    return out;
  }
  return "";
}

namespace {

// "127.0.0.1:9901", "[::1]", "localhost:80": what no name server is asked about.
bool is_address_or_localhost(std::string_view host) {
  if (host.starts_with('[')) return true;
  host = host.substr(0, host.find(':'));
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  const bool only_digits = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return only_digits && !host.empty() && host.back() != '.';
}

}  // namespace

bool is_cross_site(const Request& request) {
  if (request.origin.empty() && request.fetch_site.empty()) return false;
  if (!request.fetch_site.empty() && request.fetch_site != "same-origin" && request.fetch_site != "none") return true;
  constexpr std::string_view kScheme = "http://";
  const bool own = request.origin.starts_with(kScheme) && request.origin.substr(kScheme.size()) == request.host;
  if (!request.origin.empty() && !own) return true;
  return !is_address_or_localhost(request.host);
}

Response handle(const Request& request, AdminTarget& target) {
  const size_t question = std::min(request.target.find('?'), request.target.size());
  const std::string_view path = request.target.substr(0, question);
  const std::string_view query = request.target.substr(std::min(question + 1, request.target.size()));
  const auto found = std::find_if(std::begin(kPages), std::end(kPages), [&](const Page& p) { return p.path == path; });
  if (found == std::end(kPages)) return {404, Response().content_type, "invalid path. " + list_of_pages()};
  if (found->post_only && request.method != "POST") {
    return {405, Response().content_type, "Method " + std::string(request.method) + " not allowed, POST required."};
  }
  if (request.method != "GET" && request.method != "HEAD" && request.method != "POST") {
    return {405, Response().content_type, "Method " + std::string(request.method) + " not allowed.\n"};
  }
  if (request.method == "POST" && is_cross_site(request)) {
    return {403, Response().content_type,
            "a browser's POST is taken only from this interface's own page, by its address or as localhost\n"};
  }
  return found->handle(query, target);
}

}  // namespace inlay::proxy::admin
