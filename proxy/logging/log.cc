// SPDX-License-Identifier: Apache-2.0
#include "proxy/logging/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

#include "base/printable.h"
#include "document/scalars.h"

namespace inlay::proxy::logging {
namespace {

// In the order of their names. "main" stands for every component that is none of the others.
constexpr std::array<std::string_view, 8> kComponents = {"admin", "config",   "connection", "http",
                                                         "main",  "upstream", "wasm",       "worker"};
constexpr size_t kMain = 4;
static_assert(kComponents[kMain] == "main");

// Those that only Envoy has (1.36 to 1.40).
constexpr std::string_view kEnvoysComponents[] = {"a2a",
                                                  "ai_protocol_manager",
                                                  "alternate_protocols_cache",
                                                  "assert",
                                                  "aws",
                                                  "backtrace",
                                                  "basic_auth",
                                                  "cache_filter",
                                                  "client",
                                                  "compression",
                                                  "conn_handler",
                                                  "credential_injector",
                                                  "decompression",
                                                  "dns",
                                                  "dubbo",
                                                  "dynamic_modules",
                                                  "envoy_bug",
                                                  "ext_authz",
                                                  "ext_proc",
                                                  "file",
                                                  "filter",
                                                  "forward_proxy",
                                                  "geolocation",
                                                  "golang",
                                                  "grpc",
                                                  "happy_eyeballs",
                                                  "hc",
                                                  "health_checker",
                                                  "http2",
                                                  "hystrix",
                                                  "init",
                                                  "io",
                                                  "ip_tagging",
                                                  "json_rpc",
                                                  "jwt",
                                                  "kafka",
                                                  "key_value_store",
                                                  "local_rate_limit",
                                                  "lua",
                                                  "matcher",
                                                  "mcp",
                                                  "misc",
                                                  "mongo",
                                                  "multi_connection",
                                                  "notification",
                                                  "oauth2",
                                                  "pool",
                                                  "quic",
                                                  "quic_stream",
                                                  "rate_limit_quota",
                                                  "rbac",
                                                  "rds",
                                                  "redis",
                                                  "rocketmq",
                                                  "router",
                                                  "runtime",
                                                  "secret",
                                                  "sse",
                                                  "stats",
                                                  "stats_sinks",
                                                  "tap",
                                                  "testing",
                                                  "thrift",
                                                  "tracing",
                                                  "udp",
                                                  "websocket"};

bool is_envoys(std::string_view component) {
  return std::find(std::begin(kEnvoysComponents), std::end(kEnvoysComponents), component) !=
         std::end(kEnvoysComponents);
}

// Envoy's %j: the message for a JSON string, without its quotes.
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string json = document::json_string({message.payload.data(), message.payload.size()});
    out.append(json.data() + 1, json.data() + json.size() - 1);
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonMessage>(); }
};

std::unique_ptr<spdlog::formatter> make_formatter(std::string pattern) {
  // Envoy's escaped message, which a message always is here; and the place in the source, of which there is none. "%%"
  // is a percent sign, whatever comes after it.
  for (size_t at = pattern.find('%'); at != std::string::npos; at = pattern.find('%', at)) {
    const std::string_view rest = std::string_view(pattern).substr(at);
    if (rest.starts_with("%g:%#")) {
      pattern.erase(at, 5);
      continue;
    }
    if (rest.starts_with("%_")) pattern[at + 1] = 'v';
    at = std::min(at + 2, pattern.size());
  }
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<JsonMessage>('j').set_pattern(pattern);
  return formatter;
}

struct LevelName {
  std::string_view name;
  spdlog::level::level_enum level;
};
constexpr LevelName kLevels[] = {
    {"trace", spdlog::level::trace},       {"debug", spdlog::level::debug}, {"info", spdlog::level::info},
    {"warning", spdlog::level::warn},      {"warn", spdlog::level::warn},   {"error", spdlog::level::err},
    {"critical", spdlog::level::critical}, {"off", spdlog::level::off},
};

size_t index_of(std::string_view component) {
  const auto it = std::find(kComponents.begin(), kComponents.end(), component);
  return it == kComponents.end() ? kComponents.size() : static_cast<size_t>(it - kComponents.begin());
}

Result<spdlog::level::level_enum> parse_level(std::string_view name) {
  for (const LevelName& l : kLevels) {
    if (l.name == name) return l.level;
  }
  return Error{ErrorCode::kInvalidArgument,
               "no log level is named '" + std::string(name) +
                   "'; there are trace, debug, info, warning, error, critical and off",
               ""};
}

spdlog::level::level_enum to_spdlog(abi::LogLevel level) {
  return static_cast<spdlog::level::level_enum>(
      std::min<uint32_t>(static_cast<uint32_t>(level), spdlog::level::critical));
}

}  // namespace

struct Logger::Impl {
  std::array<std::shared_ptr<spdlog::logger>, kComponents.size()> loggers;
};

Logger::Logger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Logger::~Logger() = default;

Result<std::unique_ptr<Logger>> Logger::create(const Options& options) {
  spdlog::sink_ptr sink;
  if (options.path.empty()) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    try {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.path);
    } catch (const spdlog::spdlog_ex& e) {
      return Error{ErrorCode::kIo, std::string("cannot open the log: ") + e.what(), options.path};
    }
  }
  sink->set_formatter(make_formatter(options.format.empty() ? "[%Y-%m-%d %T.%e][%t][%l][%n] %v" : options.format));
  auto impl = std::make_unique<Impl>();
  for (size_t i = 0; i < kComponents.size(); ++i) {
    impl->loggers[i] = std::make_shared<spdlog::logger>(std::string(kComponents[i]), sink);
    impl->loggers[i]->flush_on(spdlog::level::trace);
    impl->loggers[i]->set_error_handler([](const std::string&) {});  // a full disk must not end the proxy
  }
  std::unique_ptr<Logger> logger(new Logger(std::move(impl)));
  INLAY_RETURN_IF_ERROR(logger->set_level("", options.level));
  std::string ignored;
  std::string_view rest = options.component_levels;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const size_t colon = part.find(':');
    if (colon == std::string_view::npos) {
      return Error{ErrorCode::kInvalidArgument,
                   "'" + std::string(part) + "' is no component level; 'wasm:debug' would be one", ""};
    }
    const std::string_view component = part.substr(0, colon);
    if (is_envoys(component)) {
      INLAY_RETURN_IF_ERROR(parse_level(part.substr(colon + 1)));
      ignored.append(ignored.empty() ? "" : ", ").append(component);
      continue;
    }
    INLAY_RETURN_IF_ERROR(logger->set_level(component, part.substr(colon + 1)));
  }
  if (!ignored.empty()) logger->info("main", "components of Envoy's without a log of their own here: " + ignored);
  return logger;
}

abi::LogLevel Logger::level(std::string_view component) const {
  const size_t i = index_of(component);
  const auto level = impl_->loggers[i < kComponents.size() ? i : kMain]->level();
  return static_cast<abi::LogLevel>(level);  // "off" is one above critical in both
}

void Logger::write(abi::LogLevel level, std::string_view component, std::string_view message) {
  const size_t i = index_of(component);
  spdlog::logger& logger = *impl_->loggers[i < kComponents.size() ? i : kMain];
  if (!logger.should_log(to_spdlog(level))) return;
  message.remove_suffix(message.size() - (message.find_last_not_of("\r\n") + 1));  // a guest's line may have its end
  std::string storage;
  const std::string_view line = one_line(message, storage);
  logger.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

Result<Unit> Logger::set_level(std::string_view component, std::string_view level) {
  INLAY_TRY(const auto value, parse_level(level));
  if (component.empty()) {
    for (auto& logger : impl_->loggers) logger->set_level(value);
    return Unit{};
  }
  const size_t i = index_of(component);
  if (i == kComponents.size()) {
    std::string message = "no log component is named '" + std::string(component) + "'; there are";
    for (const std::string_view name : kComponents) message += " " + std::string(name);
    return Error{ErrorCode::kInvalidArgument, message, ""};
  }
  impl_->loggers[i]->set_level(value);
  return Unit{};
}

std::vector<std::pair<std::string, std::string>> Logger::levels() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (size_t i = 0; i < kComponents.size(); ++i) {
    const auto name = spdlog::level::to_string_view(impl_->loggers[i]->level());
    out.emplace_back(kComponents[i], std::string(name.data(), name.size()));
  }
  return out;
}

}  // namespace inlay::proxy::logging
