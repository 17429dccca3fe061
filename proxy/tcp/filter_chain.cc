// SPDX-License-Identifier: Apache-2.0
#include "proxy/tcp/filter_chain.h"

#include <utility>

namespace inlay::proxy::tcp {

class FilterChain::Link final : public FilterCallbacks {
 public:
  Link(FilterChain& owner, size_t position, std::unique_ptr<Filter> made)
      : chain(owner), index(position), filter(std::move(made)) {}

  net::EventLoop& loop() override { return chain.loop_; }
  downstream::StreamInfo& info() override { return chain.info(); }
  Buffer& read_buffer() override { return chain.read_buffer_; }
  Buffer& write_buffer() override { return chain.write_buffer_; }
  void continue_reading() override {
    if (!std::exchange(read_paused, false) || chain.closed_) return;
    chain.run_read(index + 1);
  }
  void continue_writing() override {
    if (!std::exchange(write_paused, false) || chain.closed_) return;
    chain.run_write(index);
  }
  void close(net::Connection::Close how, std::string_view details, uint32_t flags) override {
    if (!chain.closed_) chain.sink_.close(how, details, flags);
  }
  void write(Buffer& data, bool end_stream) override {
    if (chain.closed_) return data.clear();
    chain.write_buffer_.move_from(data);
    chain.write_end_ = chain.write_end_ || end_stream;
    chain.run_write(index);
  }
  void allow_reading(bool allowed) override { chain.sink_.allow_reading(allowed); }
  bool client_has_reset() override { return chain.reset_; }

  FilterChain& chain;
  const size_t index;
  const std::unique_ptr<Filter> filter;
  bool told = false;  // of the connection
  bool read_paused = false;
  bool write_paused = false;
};

FilterChain::FilterChain(net::EventLoop& loop, Sink& sink, const std::vector<FilterFactory*>& factories,
                         std::unique_ptr<Filter> last)
    : loop_(loop), sink_(sink) {
  const auto add = [this](std::unique_ptr<Filter> filter) {
    links_.push_back(std::make_unique<Link>(*this, links_.size(), std::move(filter)));
  };
  for (FilterFactory* factory : factories) add(factory->create());
  if (last) add(std::move(last));
}

FilterChain::~FilterChain() = default;

void FilterChain::start() {
  for (const auto& link : links_) link->filter->start(*link);
  run_read(0);
}

void FilterChain::on_data(Buffer& data, bool end_stream) {
  if (closed_) return data.clear();
  read_buffer_.move_from(data);
  read_end_ = read_end_ || end_stream;
  run_read(0);
}

void FilterChain::run_read(size_t index) {
  for (; index < links_.size(); ++index) {
    Link& link = *links_[index];
    if (!std::exchange(link.told, true)) {
      link.read_paused = link.filter->on_new_connection() == Action::kPause;
      if (closed_) return;
      if (link.read_paused) break;
    }
    if (read_buffer_.empty() && !read_end_) continue;
    link.read_paused = link.filter->on_read(read_buffer_, read_end_) == Action::kPause;
    if (closed_) return;
    if (link.read_paused) break;
  }
  sink_.on_buffers_changed();
}

// `index` is that of the filter that the bytes come from: those before it see them.
void FilterChain::run_write(size_t index) {
  while (index > 0) {
    Link& link = *links_[--index];
    link.write_paused = link.filter->on_write(write_buffer_, write_end_) == Action::kPause;
    if (closed_) return;
    if (link.write_paused) return sink_.on_buffers_changed();
  }
  const bool end = write_end_ && !write_ended_;
  if (write_buffer_.empty() && !end) return;
  write_ended_ = write_end_;
  sink_.send(write_buffer_, end);
  if (!closed_) sink_.on_buffers_changed();
}

void FilterChain::on_write_watermark(bool above) {
  if (closed_ || links_.empty()) return;
  Filter& last = *links_.back()->filter;
  above ? last.on_above_write_watermark() : last.on_below_write_watermark();
}

void FilterChain::on_close(abi::PeerType by, bool reset) {
  if (std::exchange(closed_, true)) return;
  reset_ = reset;
  for (const auto& link : links_) link->filter->on_close(by);
  read_buffer_.clear();
  write_buffer_.clear();
}

}  // namespace inlay::proxy::tcp
