// SPDX-License-Identifier: Apache-2.0
// A TCP filter that stands before a Redis server: commands that its configuration names never reach the server. The
// server sees a command REFUSED in their place, which it does not know, so that the client gets an error in the right
// order and its connection goes on.
#include <string>
#include <vector>

#include "examples/redis_guard/commands.h"
#include "sdk/sdk.h"

using namespace inlay::sdk;

class GuardRoot : public RootContext {
 public:
  bool on_configure(size_t) override {
    if (const auto configuration = plugin_configuration().read()) names_ = configuration->view();
    refused_ = Counter::define("redis_guard_refused");
    if (!names_.empty()) return true;
    log(LogLevel::kError, "the configuration must name the commands to refuse, such as \"FLUSHALL CONFIG\"");
    return false;
  }
  bool refuses(std::string_view command) const { return has_word(names_, command); }
  void count_refused() { refused_.increment(); }

 private:
  std::string names_;
  Counter refused_;
};

class GuardConnection : public TcpContext {
 public:
  explicit GuardConnection(GuardRoot& root) : root_(root) {}

  Action on_downstream_data(size_t size, bool end_of_stream) override {
    const auto data = downstream_data().read();
    if (!data) return Action::kContinue;
    CommandReader reader = reader_;  // what is paused comes again, and is read again from the same state
    std::string changed;
    std::vector<std::string_view> refused;
    size_t copied = 0;  // of the data
    while (const auto name = reader.next(data->view())) {
      if (!root_.refuses(name->text)) continue;
      refused.push_back(name->text);
      changed.append(data->view().substr(copied, name->begin - copied)).append(name->refused);
      copied = name->end;
    }
    if (reader.stopped() == CommandReader::Stop::kBroken) {
      log(LogLevel::kWarn, "closing a connection that does not speak Redis's protocol");
      close();
      return Action::kPause;
    }
    if (reader.stopped() == CommandReader::Stop::kCut && !end_of_stream) return Action::kPause;
    reader_ = reader.rest();
    up_ += size;
    for (const std::string_view name : refused) {  // once, when they pass
      log_warn("refused ", name);
      root_.count_refused();
    }
    if (copied > 0) (void)downstream_data().replace(changed.append(data->view().substr(copied)));
    return Action::kContinue;
  }

  Action on_upstream_data(size_t size, bool) override {
    down_ += size;
    return Action::kContinue;
  }

  void on_log() override { log_info("a connection ends: ", up_, " bytes up, ", down_, " bytes down"); }

 private:
  GuardRoot& root_;
  CommandReader reader_;
  uint64_t up_ = 0;
  uint64_t down_ = 0;
};

INLAY_REGISTER("*", GuardRoot, GuardConnection);
