// SPDX-License-Identifier: Apache-2.0
// An example of docs/guide/plugins.md: an access logger on each worker hands what it hears over to one service on the
// main thread, which counts and writes one line an entry.
#include "sdk/sdk.h"

using namespace inlay::sdk;

constexpr std::string_view kQueue = "entries";
constexpr std::string_view kCollector = "audit_collector";  // the service's vm_id

// The access logger: has no streams, only on_log.
class Reporter : public RootContext {
 public:
  void on_log() override {
    const auto queue = SharedQueue::find(kCollector, kQueue);
    const auto method = HttpContext::request_headers().get(":method");
    const auto path = HttpContext::request_headers().get(":path");
    const auto status = properties::response_code.get();
    if (!queue || !method || !path) return;
    Line entry;
    entry.add(status ? *status : 0);
    entry.add(" ");
    entry.add(method->view());
    entry.add(" ");
    entry.add(path->view());
    if (!queue->enqueue(entry.view())) log_warn("the queue is full; an entry is lost");
  }
};

// The service.
class Collector : public RootContext {
 public:
  bool on_configure(size_t) override {
    entries_ = Counter::define("audit.entries");
    failures_ = Counter::define("audit.failures");
    return bool(SharedQueue::open(kQueue));
  }

  void on_queue_ready(uint32_t) override {
    const auto queue = SharedQueue::find("", kQueue);
    if (!queue) return;
    while (const auto entry = queue->dequeue()) {
      entries_.increment();
      if (entry->view().starts_with('5')) failures_.increment();
      log_info("audit: ", entry->view());
    }
  }

 private:
  Counter entries_;
  Counter failures_;
};

INLAY_REGISTER("reporter", Reporter);
INLAY_REGISTER("collector", Collector);
