// SPDX-License-Identifier: Apache-2.0
#include "upstream/dns_resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace inlay::upstream {
namespace {

constexpr size_t kMaxThreads = 4;
constexpr std::chrono::milliseconds kMinRefresh{10};

std::vector<std::string> of_family(const addrinfo* list, int family) {
  std::vector<std::string> out;
  for (const addrinfo* a = list; a != nullptr; a = a->ai_next) {
    if (a->ai_family != family) continue;
    char text[INET6_ADDRSTRLEN] = {};
    const void* bytes = family == AF_INET
                            ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(a->ai_addr)->sin_addr)
                            : static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(a->ai_addr)->sin6_addr);
    if (inet_ntop(family, bytes, text, sizeof text) == nullptr) continue;
    if (std::find(out.begin(), out.end(), text) == out.end()) out.emplace_back(text);
  }
  return out;
}

std::vector<std::string> pick(const addrinfo* list, DnsFamily family) {
  auto v4 = of_family(list, AF_INET);
  auto v6 = of_family(list, AF_INET6);
  switch (family) {
    case DnsFamily::kV4Only:
      return v4;
    case DnsFamily::kV6Only:
      return v6;
    case DnsFamily::kV4Preferred:
      return v4.empty() ? v6 : v4;
    case DnsFamily::kAll:
      v4.insert(v4.end(), v6.begin(), v6.end());
      return v4;
    case DnsFamily::kAuto:
      break;
  }
  return v6.empty() ? v4 : v6;
}

}  // namespace

Result<std::vector<std::string>> system_resolve(const std::string& name, DnsFamily family) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  // Without this, AUTO prefers an IPv6 address that this machine has no route to.
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  int rc = getaddrinfo(name.c_str(), nullptr, &hints, &list);
  if (rc == EAI_NONAME || rc == EAI_ADDRFAMILY || rc == EAI_NODATA) {
    hints.ai_flags = 0;  // a machine with loopback only has no "configured" family at all
    rc = getaddrinfo(name.c_str(), nullptr, &hints, &list);
  }
  if (rc != 0) {
    return Error{ErrorCode::kUnavailable, "cannot resolve '" + name + "': " + gai_strerror(rc), ""};
  }
  auto addresses = pick(list, family);
  freeaddrinfo(list);
  if (addresses.empty()) {
    return Error{ErrorCode::kNotFound, "'" + name + "' has no address of the family that dns_lookup_family asks for",
                 ""};
  }
  return addresses;
}

// The threads share the state and are detached: a getaddrinfo that hangs must not hold up the end of the process.
struct DnsResolver::State {
  struct Watch {
    Query query;
    Callback callback;
  };
  using Time = std::chrono::steady_clock::time_point;

  explicit State(ResolveFunction r) : resolve(std::move(r)) {}

  ResolveFunction resolve;
  std::mutex mutex;
  std::condition_variable wake;
  std::multimap<Time, std::shared_ptr<Watch>> due;
  size_t threads = 0;
  size_t idle = 0;
  bool stopping = false;
  std::mutex callbacks;  // held while a callback runs

  std::shared_ptr<Watch> take(std::unique_lock<std::mutex>& lock) {
    while (!stopping) {
      if (due.empty()) {
        wake.wait(lock);
        continue;
      }
      const Time first = due.begin()->first;
      if (first > std::chrono::steady_clock::now()) {
        wake.wait_until(lock, first);
        continue;
      }
      auto watch = std::move(due.begin()->second);
      due.erase(due.begin());
      return watch;
    }
    return nullptr;
  }

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      ++idle;
      auto watch = take(lock);
      --idle;
      if (!watch) return;
      lock.unlock();
      auto answer = resolve(watch->query.name, watch->query.family);
      {
        std::lock_guard running(callbacks);
        lock.lock();
        const bool stopped = stopping;
        lock.unlock();
        if (!stopped) watch->callback(std::move(answer));
      }
      lock.lock();
      due.emplace(std::chrono::steady_clock::now() + std::max(watch->query.refresh, kMinRefresh), std::move(watch));
    }
  }
};

DnsResolver::DnsResolver(ResolveFunction resolve) : state_(std::make_shared<State>(std::move(resolve))) {}

DnsResolver::~DnsResolver() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  std::lock_guard wait_for_callback(state_->callbacks);
}

void DnsResolver::watch(Query query, Callback callback) {
  std::lock_guard lock(state_->mutex);
  state_->due.emplace(std::chrono::steady_clock::now(),
                      std::make_shared<State::Watch>(State::Watch{std::move(query), std::move(callback)}));
  if (state_->threads < kMaxThreads && state_->idle < state_->due.size()) {
    ++state_->threads;
    std::thread([state = state_] { state->run(); }).detach();
  }
  state_->wake.notify_one();
}

}  // namespace inlay::upstream
