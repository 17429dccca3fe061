// SPDX-License-Identifier: Apache-2.0
#pragma once

// How many clients there may be at once, so that upstreams, the admin page, logs and name resolution always get their
// descriptors.
//
//     ClientLimit all(1000);                                  // of the process: shared by all workers
//     Admission admission{&all, nullptr, [&](Refusal) { overflow.add(); }};
//     auto listening = listen(loop, address, on_accept, on_error, Sharing::kShared, admission);

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

namespace inlay::net {

// ClientLimit counts clients and says when there are enough. Thread-safe; outlives its tickets.
class ClientLimit {
 public:
  static constexpr uint64_t kNone = std::numeric_limits<uint64_t>::max();
  explicit ClientLimit(uint64_t most = kNone) : most_(most) {}

  void set_most(uint64_t most) { most_.store(most, std::memory_order_relaxed); }
  uint64_t most() const { return most_.load(std::memory_order_relaxed); }
  uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  // One more client; false: there is no room for it.
  bool enter();
  void leave() { count_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> most_;
  std::atomic<uint64_t> count_{0};
};

// ClientTicket is one client's place in up to two limits, for as long as its descriptor is open.
class ClientTicket {
 public:
  ClientTicket() = default;
  // The limits were entered.
  ClientTicket(ClientLimit* all, ClientLimit* own) : all_(all), own_(own) {}
  ~ClientTicket() { release(); }
  ClientTicket(ClientTicket&& other) noexcept : ClientTicket() { *this = std::move(other); }
  ClientTicket& operator=(ClientTicket&& other) noexcept;
  void release();

 private:
  ClientLimit* all_ = nullptr;
  ClientLimit* own_ = nullptr;
};

// Why a client was sent away: the listener's own limit, or that of the process.
enum class Refusal : uint8_t { kListener, kProcess };

// Admission is what a listener asks before it takes a client.
struct Admission {
  ClientLimit* all = nullptr;  // nullptr: no such limit
  ClientLimit* own = nullptr;
  std::function<void(Refusal)> on_refused = {};
  // Take clients only as long as descriptors are left for the rest of the process (descriptors.h).
  bool keep_descriptors = false;

  // Whether the client with this descriptor may stay; then `ticket` is its place. If not, on_refused was called.
  bool admit(int fd, ClientTicket& ticket) const;
};

}  // namespace inlay::net
