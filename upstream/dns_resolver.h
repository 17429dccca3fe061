// SPDX-License-Identifier: Apache-2.0
#pragma once

// DnsResolver: resolves names again and again on helper threads, so that no worker ever blocks in getaddrinfo.
//
//     DnsResolver resolver(system_resolve);
//     resolver.watch({"app.local", DnsFamily::kAuto, 5s}, [](Result<std::vector<std::string>> ips) { ... });
//
// Thread-safe. A watch's callback runs on a helper thread, one call at a time; it may still be running when the
// resolver is destroyed only if the callback itself takes that long: the destructor waits for callbacks, not for
// getaddrinfo.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/model.h"

namespace inlay::upstream {

using DnsFamily = config::Cluster::DnsFamily;
using ResolveFunction = std::function<Result<std::vector<std::string>>(const std::string& name, DnsFamily family)>;

// getaddrinfo; IP addresses as text, in the order of the system, without duplicates. An IP address resolves to itself.
// AUTO: IPv6 addresses if there are any, else IPv4. V4_PREFERRED: the other way round. ALL: both.
Result<std::vector<std::string>> system_resolve(const std::string& name, DnsFamily family);

class DnsResolver {
 public:
  struct Query {
    std::string name;
    DnsFamily family = DnsFamily::kAuto;
    std::chrono::milliseconds refresh{5000};
  };
  using Callback = std::function<void(Result<std::vector<std::string>>)>;

  explicit DnsResolver(ResolveFunction resolve = system_resolve);
  ~DnsResolver();
  DnsResolver(const DnsResolver&) = delete;
  DnsResolver& operator=(const DnsResolver&) = delete;

  // Resolves at once and then every `refresh` after the last answer.
  void watch(Query query, Callback callback);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace inlay::upstream
