// SPDX-License-Identifier: Apache-2.0
#pragma once

// TcpOrigin: the last filter of a TCP listener's chain in the place of tcp_proxy, with the upstream behind it. It
// writes down what it gets and sends what it is told.

#include <memory>
#include <optional>
#include <string>

#include "config/model.h"
#include "proxy/tcp/filter.h"
#include "tester/scripted_origin.h"

namespace inlay::tester {

class TcpOrigin final : public proxy::tcp::Filter {
 public:
  TcpOrigin(OriginScript& script, const config::TcpProxy& config) : script_(script), config_(config) {}

  void start(proxy::tcp::FilterCallbacks& callbacks) override;
  proxy::tcp::Action on_new_connection() override;
  proxy::tcp::Action on_read(Buffer& data, bool end) override;
  void on_above_write_watermark() override;
  void on_below_write_watermark() override;
  void on_close(abi::PeerType by) override;

  net::EventLoop& loop() { return callbacks_->loop(); }
  const std::string& name() const { return name_; }  // of the upstream
  // From an event of the loop.
  void send(std::string_view bytes, bool end);
  void reset();

 private:
  void connect();
  void got(std::string_view how);

  OriginScript& script_;
  const config::TcpProxy& config_;
  proxy::tcp::FilterCallbacks* callbacks_ = nullptr;
  std::optional<net::DeferredTask> connecting_;
  std::string name_;
  bool connected_ = false;
  bool ended_ = false;  // it knows that no more comes
};

class TcpOriginFactory final : public proxy::tcp::FilterFactory {
 public:
  TcpOriginFactory(OriginScript& script, const config::TcpProxy& config) : script_(script), config_(config) {}
  std::unique_ptr<proxy::tcp::Filter> create() override { return std::make_unique<TcpOrigin>(script_, config_); }

 private:
  OriginScript& script_;
  const config::TcpProxy& config_;
};

}  // namespace inlay::tester
