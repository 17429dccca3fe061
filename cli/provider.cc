// SPDX-License-Identifier: Apache-2.0
#include "cli/provider.h"

#include <cstdio>
#include <memory>
#include <random>
#include <utility>

#include "base/files.h"
#include "cli/subcommand.h"

namespace inlay::cli {
namespace {

using http::HeaderId;

constexpr std::string_view kJson = "application/json";

// What a poll gets while a fault is set. The good answer of that poll is handed in for those that spoil it.
struct Fault {
  std::string_view name;
  Reply (*reply)(const std::string& good);
};
constexpr Fault kFaults[] = {
    {"none", [](const std::string& good) { return Reply{.content_type = std::string(kJson), .body = good}; }},
    {"status", [](const std::string&) { return Reply{.status = 500, .body = "the provider is not well\n"}; }},
    {"garbage",
     [](const std::string&) { return Reply{.content_type = std::string(kJson), .body = "{\"authorization\": "}; }},
    {"array",
     [](const std::string&) { return Reply{.content_type = std::string(kJson), .body = "[\"authorization\"]"}; }},
    {"empty", [](const std::string&) { return Reply{.content_type = std::string(kJson)}; }},
    {"large", [](const std::string&) { return Reply{.body = "{\"x-large\": \"" + std::string(1 << 20, 'a') + "\"}"}; }},
    {"forbidden",
     [](const std::string& good) {
       return Reply{.content_type = std::string(kJson),
                    .body =
                        "{\"host\": \"evil\", \"content-length\": \"7\", \"x-split\": \"a\\r\\nx-evil: 1\", "
                        "\"x-number\": 7, " +
                        good.substr(1)};
     }},
    {"slow",
     [](const std::string& good) {
       return Reply{.content_type = std::string(kJson), .body = good, .delay = std::chrono::milliseconds(2000)};
     }},
    {"close", [](const std::string&) { return Reply{.how = Reply::How::kClose}; }},
    {"hang", [](const std::string&) { return Reply{.how = Reply::How::kHang}; }},
};

const Fault* find_fault(std::string_view name) {
  for (const Fault& fault : kFaults) {
    if (fault.name == name) return &fault;
  }
  return nullptr;
}

std::string random_hex() {
  static std::random_device device;
  char text[17];
  std::snprintf(text, sizeof text, "%08x%08x", device(), device());
  return text;
}

}  // namespace

ProviderHandler::ProviderHandler(Options options) : options_(std::move(options)) {}

bool ProviderHandler::is_fault(std::string_view name) {
  return find_fault(name) != nullptr;
}

std::string ProviderHandler::fault_names() {
  std::string names;
  for (const Fault& fault : kFaults) names += (names.empty() ? "" : ", ") + std::string(fault.name);
  return names;
}

Reply ProviderHandler::on_request(const Request& request) {
  constexpr std::string_view kFaultPath = "/fault/";
  const std::string_view path = request.path();
  if (path == "/polls") {
    return {.content_type = std::string(kJson), .body = "{\"polls\": " + std::to_string(polls_) + "}\n"};
  }
  if (!path.starts_with(kFaultPath)) return poll();
  if (request.headers.value(HeaderId::kMethod) != "POST") return {.status = 405, .body = "a fault is set with POST\n"};
  const std::string_view name = path.substr(kFaultPath.size());
  if (!is_fault(name)) return {.status = 404, .body = "no such fault; there are: " + fault_names() + "\n"};
  options_.fault = name;
  return {.body = "fault: " + options_.fault + "\n"};
}

Reply ProviderHandler::poll() {
  ++polls_;
  const std::string number = std::to_string(polls_);
  if (!options_.count_file.empty()) {
    if (auto written = replace_file(options_.count_file, number + "\n"); !written) {
      std::fprintf(stderr, "%s\n", written.error().to_string().c_str());
    }
  }
  const std::string good =
      "{\"authorization\": " + json_string("Bearer " + options_.token_prefix + number + "." + random_hex()) +
      ", \"x-token-number\": \"" + number + "\"}\n";
  return find_fault(options_.fault)->reply(good);
}

void add_provider(CLI::App& app, Action& action) {
  auto service = std::make_shared<ServiceOptions>();
  auto options = std::make_shared<ProviderHandler::Options>();
  service->address = {"127.0.0.1", 8082};
  CLI::App* command =
      app.add_subcommand("provider", "A header-providing service: hands out a new bearer token each time it is asked");
  add_service_options(*command, *service);
  command->add_option("--token-prefix", options->token_prefix, "What each token starts with");
  command->add_option("--count-file", options->count_file, "Write the number of polls to this file after each")
      ->type_name(kFile);
  command->add_option("--fault", options->fault, "Fail every poll: " + ProviderHandler::fault_names())
      ->check([](const std::string& name) {
        return ProviderHandler::is_fault(name) ? std::string()
                                               : "no such fault; there are: " + ProviderHandler::fault_names();
      });
  command->callback([service, options, &action] {
    action = [service, options] {
      ProviderHandler handler(*options);
      return serve(*service, handler);
    };
  });
}

}  // namespace inlay::cli
