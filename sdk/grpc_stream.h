// SPDX-License-Identifier: Apache-2.0
#pragma once

// GrpcStream: a gRPC call with any number of messages in either direction.
//
//     class Watch : public RootContext {
//       Task<> follow() {
//         GrpcStream stream(*this);
//         const auto opened = stream.open({.target = "config", .service = "config.v1.Config", .method = "Watch"});
//         if (!opened || !stream.send("first", /*end=*/true)) co_return log_warn("cannot be asked");
//         for (;;) {
//           const auto message = co_await stream.receive(60s);
//           if (message) {
//             log_info(message->view());
//           } else if (stream.ended()) {
//             co_return log_warn("ended with ", stream.status());
//           }
//         }
//       }
//     };
//
// It belongs to the context that it is made with, as a local of one of its tasks or as a member, and is cancelled at
// its own end, and so with the context. What comes while no task waits is kept, all of it: a service that sends much is
// not slowed down.

#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

#include "sdk/context.h"
#include "sdk/detail/vm.h"
#include "sdk/grpc_call.h"

namespace inlay::sdk {

class GrpcStream final : private detail::GrpcSink {
 public:
  template <class V = detail::Vm>
  explicit GrpcStream(Context& context) : GrpcSink(*context.scheduler_), sinks_(detail::grpc_sinks<V>) {
    (void)&detail::on_grpc_receive<V>;
    (void)&detail::on_grpc_close<V>;
  }
  GrpcStream(const GrpcStream&) = delete;
  GrpcStream& operator=(const GrpcStream&) = delete;
  ~GrpcStream() {
    cancel();
    while (first_ != nullptr) (void)take();
  }

  // open: sends the head of the request, whose `message` is not looked at. Errors: as of grpc_call, and
  // kInternalFailure for a stream that is open. One that has ended, or was cancelled, may be opened again.
  Result<> open(const GrpcRequest& request) {
    if (token_ != 0) return Status::kInternalFailure;
    const auto token = detail::open_grpc_stream(request);
    if (!token) return token.error();
    while (first_ != nullptr) (void)take();
    token_ = *token;
    ended_ = false;
    status_ = 0;
    next = std::exchange(sinks_, static_cast<GrpcSink*>(this));
    return {};
  }
  // send: a message, and with `end` the last one. close: there is no more; what the service sends still comes.
  // cancel: ends it both ways; no task is woken. Errors: kNotFound where it is not open.
  Result<> send(std::string_view message, bool end = false) {
    if (token_ == 0) return Status::kNotFound;
    return to_result(proxy_grpc_send(token_, message.data(), message.size(), end ? 1 : 0));
  }
  Result<> close() {
    if (token_ == 0) return Status::kNotFound;
    return to_result(proxy_grpc_close(token_));
  }
  void cancel() {
    if (token_ == 0) return;
    (void)proxy_grpc_cancel(token_);
    leave();
  }

  // receive: co_await stream.receive(5s) gives the next message. Errors: kEmpty when there is none any more, since the
  // stream has ended or is not open; kBrokenConnection when none came in that time. One task at a time may wait.
  [[nodiscard]] auto receive(Duration timeout) { return Awaiter(*this, timeout); }

  // ended: the service has ended it, and status is its last word; its message is grpc_status_message(), while the task
  // that was told has not been suspended again.
  bool ended() const { return ended_; }
  uint32_t status() const { return status_; }

 private:
  struct Node {
    Node* next;
    Bytes bytes;
  };
  class Awaiter {
   public:
    Awaiter(GrpcStream& stream, Duration timeout) : stream_(stream), timeout_(timeout) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    bool await_ready() const { return stream_.first_ != nullptr || stream_.token_ == 0; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
      waiter_.suspend(coroutine);
      waiter_.is_call = true;
      waiter_.call_id = stream_.token_;
      stream_.scheduler_.arm(waiter_, timeout_);
    }
    Result<Bytes> await_resume() const {
      if (stream_.first_ != nullptr) return stream_.take();
      return stream_.token_ == 0 ? Status::kEmpty : Status::kBrokenConnection;
    }

   private:
    GrpcStream& stream_;
    Duration timeout_;
    detail::Waiter waiter_;
  };

  void on_message(size_t size) override {
    auto* const node = static_cast<Node*>(std::malloc(sizeof(Node)));
    if (node == nullptr) return;
    auto bytes = Buffer(BufferType::kGrpcCallMessage).read(0, size);
    ::new (node) Node{nullptr, bytes ? std::move(*bytes) : Bytes()};
    (last_ == nullptr ? first_ : last_->next) = node;
    last_ = node;
  }
  void on_close(uint32_t status) override {
    (void)proxy_grpc_close(token_);
    leave();
    ended_ = true;
    status_ = status;
  }
  // leave: the list of open streams.
  void leave() {
    token_ = 0;
    GrpcSink** at = &sinks_;
    while (*at != this) at = &(*at)->next;
    *at = next;
  }
  Bytes take() {
    Node* const node = first_;
    first_ = node->next;
    if (first_ == nullptr) last_ = nullptr;
    Bytes bytes = std::move(node->bytes);
    node->~Node();
    std::free(node);
    return bytes;
  }

  GrpcSink*& sinks_;
  Node* first_ = nullptr;  // messages that nobody has taken yet
  Node* last_ = nullptr;
  bool ended_ = false;
  uint32_t status_ = 0;
};

}  // namespace inlay::sdk
