// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/access_logger.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <string>
#include <utility>

#include "dynamic_module/attributes.h"
#include "dynamic_module/modules.h"
#include "dynamic_module/process.h"

namespace inlay::dynamic_module {
namespace {

using abi::MapType;
using abi::Status;

class LoggedAttributes final : public AttributeSource {
 public:
  explicit LoggedAttributes(envoy::AccessLogger* logger) : logger_(logger) {}
  bool text(uint32_t id, envoy::View* value) const override {
    return envoy::access_logger_get_attribute_string != nullptr &&
           envoy::access_logger_get_attribute_string(logger_, id, value);
  }
  bool number(uint32_t id, uint64_t* value) const override {
    return envoy::access_logger_get_attribute_int != nullptr &&
           envoy::access_logger_get_attribute_int(logger_, id, value);
  }
  bool flag(uint32_t id, bool* value) const override {
    return envoy::access_logger_get_attribute_bool != nullptr &&
           envoy::access_logger_get_attribute_bool(logger_, id, value);
  }
  bool state(const std::string&, envoy::View*) const override { return false; }

 private:
  envoy::AccessLogger* const logger_;
};

// A stream that is over: it can be read.
class LoggedStream final : public host::HttpStream {
 public:
  LoggedStream(envoy::AccessLogger* logger, WorkerVm& vm) : logger_(logger), vm_(vm) {}

  http::HeaderMap* headers(MapType type, bool writable) override;
  Buffer* body(abi::BufferType) override { return nullptr; }
  void continue_stream(host::Direction) override {}
  void send_local_reply(host::LocalReply) override {}
  void reset(std::string_view) override {}
  void clear_route_cache() override {}
  Status get_property(const std::vector<std::string_view>& path, std::string& value) override;
  Status set_property(std::string_view, std::string_view, const host::PropertyTraits&) override {
    return Status::kNotFound;
  }

 private:
  struct Copy {
    bool read = false;
    http::HeaderMap map;
  };

  envoy::AccessLogger* const logger_;
  WorkerVm& vm_;
  std::array<Copy, 4> copies_;  // by MapType
};

// As Envoy's, which has no request trailers any more, and an empty map where there is none.
http::HeaderMap* LoggedStream::headers(MapType type, bool writable) {
  const auto number = static_cast<uint32_t>(type);
  if (writable || number >= copies_.size()) return nullptr;
  Copy& copy = copies_[number];
  if (std::exchange(copy.read, true)) return &copy.map;
  std::vector<envoy::Field> fields(envoy::access_logger_get_headers_size(logger_, number));
  if (fields.empty() || !envoy::access_logger_get_headers(logger_, number, fields.data())) return &copy.map;
  for (const envoy::Field& field : fields) copy.map.add(field.name, field.value);
  return &copy.map;
}

Status LoggedStream::get_property(const std::vector<std::string_view>& path, std::string& value) {
  if (path.size() > 1 && path[0] == "xds" && path[1] == "node") return vm_.get_property(path, value);
  const VisibleMaps maps{headers(MapType::kHttpRequestHeaders, false), headers(MapType::kHttpResponseHeaders, false),
                         headers(MapType::kHttpResponseTrailers, false)};
  return get_attribute(LoggedAttributes(logger_), maps, path, value);
}

bool can_log() {
  return envoy::access_logger_get_worker_index != nullptr && envoy::access_logger_get_headers_size != nullptr &&
         envoy::access_logger_get_headers != nullptr;
}

// The fields are those of a filter, and have other names around them.
Error as_logger(Error error) {
  for (std::string* text : {&error.message, &error.where}) {
    for (const std::string_view name : {"filter_config", "filter_name"}) {
      for (size_t at = text->find(name); at != std::string::npos; at = text->find(name, at + 1))
        text->replace(at, std::string_view("filter").size(), "logger");
    }
  }
  return error;
}

}  // namespace

Result<std::unique_ptr<AccessLogger>> AccessLogger::create(std::string_view name, std::string_view text) {
  if (!can_log()) return Error{ErrorCode::kUnsupported, "this Envoy does not let a module read what it logs", ""};
  auto settings = read_settings(name, text);
  if (!settings) return as_logger(settings.error());
  auto module = find_module(*settings);
  if (!module) return as_logger(module.error());
  return start(*std::move(settings), *std::move(module));
}

Result<std::unique_ptr<AccessLogger>> AccessLogger::start(Settings settings, std::shared_ptr<engine::Module> module) {
  host::Host& host = Process::get().host(settings);
  INLAY_TRY(auto plugin, host.create_plugin(std::move(settings.plugin), std::move(module)));
  const bool validates = envoy::is_validation_mode != nullptr && envoy::is_validation_mode();
  std::shared_ptr<VmSet> vms;
  if (!validates) vms = VmSet::of(host, *plugin, settings.node, std::max(envoy::get_concurrency(), 1u));
  return std::unique_ptr<AccessLogger>(new AccessLogger(std::move(plugin), std::move(vms)));
}

AccessLogger::AccessLogger(std::shared_ptr<host::Plugin> plugin, std::shared_ptr<VmSet> vms)
    : plugin_(std::move(plugin)), vms_(std::move(vms)) {
  if (vms_ != nullptr) there_ = vms_->join(nullptr, plugin_);
}

AccessLogger::~AccessLogger() {
  if (vms_ != nullptr) vms_->leave(nullptr, *plugin_);
}

void AccessLogger::log(envoy::AccessLogger* logger) {
  if (there_.empty()) return;
  const size_t worker = envoy::access_logger_get_worker_index(logger) % there_.size();
  WorkerVm& vm = vms_->vm(worker);
  const std::lock_guard lock(vm.mutex());
  LoggedStream stream(logger, vm);
  there_[worker]->log(stream);
}

}  // namespace inlay::dynamic_module
