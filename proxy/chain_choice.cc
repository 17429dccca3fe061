// SPDX-License-Identifier: Apache-2.0
#include "proxy/chain_choice.h"

#include <algorithm>
#include <utility>

#include "proxy/downstream/listener_stats.h"
#include "tls/client_hello.h"

namespace inlay::proxy {
namespace {

using config::FilterChainMatch;

bool names(const FilterChainMatch& match, std::string_view name) {
  return std::find(match.server_names.begin(), match.server_names.end(), name) != match.server_names.end();
}

// Of those for which `takes`, the one of the protocol, or else that of any; nullopt: there are none at all.
template <class Takes>
std::optional<std::optional<size_t>> among(const std::vector<const FilterChainMatch*>& chains, bool tls, Takes takes) {
  bool any = false;
  std::optional<size_t> found;
  const std::string_view protocol = tls ? "tls" : "raw_buffer";
  for (size_t i = 0; i < chains.size(); ++i) {
    if (chains[i]->is_default || !takes(*chains[i])) continue;
    any = true;
    if (chains[i]->transport_protocol == protocol) return std::optional<size_t>(i);
    if (chains[i]->transport_protocol.empty()) found = i;
  }
  if (!any) return std::nullopt;
  return found;
}

}  // namespace

std::optional<size_t> choose_chain(const std::vector<const FilterChainMatch*>& chains, std::string_view server_name,
                                   bool tls) {
  std::optional<std::optional<size_t>> chosen;
  if (!server_name.empty()) {
    chosen = among(chains, tls, [&](const FilterChainMatch& match) { return names(match, server_name); });
    for (size_t dot = server_name.find('.'); !chosen && dot != std::string_view::npos;
         dot = server_name.find('.', dot + 1)) {
      const std::string wildcard = "*" + std::string(server_name.substr(dot));
      chosen = among(chains, tls, [&](const FilterChainMatch& match) { return names(match, wildcard); });
    }
  }
  if (!chosen) chosen = among(chains, tls, [](const FilterChainMatch& match) { return match.server_names.empty(); });
  if (chosen && *chosen) return *chosen;
  for (size_t i = 0; i < chains.size(); ++i)
    if (chains[i]->is_default) return i;
  return std::nullopt;
}

class ChainChoice::Undecided final : public net::ConnectionHandler {
 public:
  Undecided(ChainChoice& choice, std::unique_ptr<net::Connection> connection)
      : choice_(choice), connection_(std::move(connection)), timer_(choice.loop_, [this] { on_timeout(); }) {
    connection_->set_handler(this);
    connection_->resume_reading();
    if (choice.listener_.choice_timeout.count() > 0) timer_.arm(choice.listener_.choice_timeout);
  }
  std::unique_ptr<net::Connection> take() {
    connection_->pause_reading();
    return std::move(connection_);
  }
  // Nothing more comes of it; it is about to be deleted.
  void end() {
    timer_.disarm();
    if (connection_) connection_->close(net::Connection::Close::kNow);
  }

 private:
  void on_data(Buffer& data, bool end) override {
    came_ += data.to_string();
    const tls::FirstBytes first = tls::read_first_bytes(came_);
    kept_.move_from(data);
    if (first.kind == tls::FirstBytes::Kind::kIncomplete) {
      if (end) choice_.forget(*this);
      return;
    }
    data.move_from(kept_);  // for the chain
    choice_.decide(*this, first.server_name, first.kind == tls::FirstBytes::Kind::kTls);
  }
  void on_closed(net::CloseReason, std::string_view) override { choice_.forget(*this); }
  void on_timeout() {
    choice_.timeout_.add();
    if (choice_.listener_.goes_on_without_choice && kept_.empty()) return choice_.decide(*this, "", false);
    choice_.forget(*this);
  }

  ChainChoice& choice_;
  std::unique_ptr<net::Connection> connection_;
  net::Timer timer_;
  std::string came_;
  Buffer kept_;  // the same, for the chain
};

ChainChoice::ChainChoice(net::EventLoop& loop, const config::Listener& listener, stats::MetricStore& metrics,
                         std::vector<Chain> chains)
    : loop_(loop),
      listener_(listener),
      chains_(std::move(chains)),
      then_task_(loop, net::DeferredTask::When::kNextTurn, [this] {
        if (const auto then = std::exchange(then_, nullptr)) then();
      }) {
  for (const Chain& chain : chains_) matches_.push_back(chain.match);
  const std::string prefix = downstream::listener_stat_prefix(listener);
  no_match_ = stats::Counter(metrics.define(abi::MetricType::kCounter, prefix + "no_filter_chain_match"));
  timeout_ = stats::Counter(metrics.define(abi::MetricType::kCounter, prefix + "downstream_pre_cx_timeout"));
}

ChainChoice::~ChainChoice() = default;

void ChainChoice::accept(std::unique_ptr<net::Connection> connection) {
  undecided_.push_back(std::make_unique<Undecided>(*this, std::move(connection)));
}

void ChainChoice::close_all() {
  then_ = nullptr;
  undecided_.clear();
}

void ChainChoice::decide(Undecided& connection, std::string_view server_name, bool tls) {
  const auto chosen = choose_chain(matches_, server_name, tls);
  if (!chosen) {
    no_match_.add();
    return forget(connection);
  }
  std::unique_ptr<net::Connection> taken = connection.take();
  forget(connection);
  chains_[*chosen].accept(std::move(taken));
}

// It may be what calls.
void ChainChoice::forget(Undecided& connection) {
  const auto it =
      std::find_if(undecided_.begin(), undecided_.end(), [&](const auto& owned) { return owned.get() == &connection; });
  if (it == undecided_.end()) return;
  connection.end();
  loop_.delete_later(std::move(*it));
  *it = std::move(undecided_.back());
  undecided_.pop_back();
  if (undecided_.empty() && then_) then_task_.schedule();
}

}  // namespace inlay::proxy
