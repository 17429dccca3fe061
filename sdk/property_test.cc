// SPDX-License-Identifier: Apache-2.0
#include "sdk/property.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <optional>
#include <string>

#include "sdk/context.h"
#include "sdk/properties.h"
#include "sdk/register.h"
#include "sdk/testing/fake_host.h"

namespace inlay::sdk {
namespace {

using std::string_view_literals::operator""sv;

template <class T>
std::string encoded(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(T)};
}

// Reads what the test has it read, within a request.
struct Reader : HttpContext {
  static inline void (*read)() = nullptr;
  HeadersStatus on_request_headers(size_t, bool) override {
    read();
    return HeadersStatus::kContinue;
  }
};
INLAY_REGISTER("property_reader", RootContext, Reader);

void in_a_request(const std::map<std::string, std::string>& properties, void (*read)()) {
  testing::FakeHost host;
  host.stream_property = [&](const testing::FakeStream&, std::string_view path) -> std::optional<std::string> {
    const auto found = properties.find(std::string(path));
    return found == properties.end() ? std::nullopt : std::optional(found->second);
  };
  Reader::read = read;
  testing::FakeWorker& worker = host.add_worker();
  const auto root = worker.start("property_reader", "");
  worker.request(root, {{":path", "/"}});
}

TEST(Property, IsReadAsItsType) {
  in_a_request({{std::string("response\0code"sv), encoded<int64_t>(503)},
                {std::string("request\0path"sv), "/a?b"},
                {std::string("connection\0mtls"sv), std::string("\1"sv)},
                {std::string("request\0time"sv), encoded<int64_t>(1'700'000'000'123'456'789)},
                {"a number", encoded(-0.25)}},
               [] {
                 EXPECT_EQ(*properties::response_code.get(), 503);
                 EXPECT_EQ(properties::request_path.get()->view(), "/a?b");
                 EXPECT_TRUE(*properties::connection_mtls.get());
                 EXPECT_EQ(properties::request_time.get()->count(), 1'700'000'000'123'456'789);
                 EXPECT_EQ(*Property<double>("a number").get(), -0.25);
               });
}

TEST(Property, ThatIsNotThereIsNotFound) {
  in_a_request({}, [] {
    EXPECT_EQ(properties::response_code.get().error(), Status::kNotFound);
    EXPECT_EQ(properties::request_path.get().error(), Status::kNotFound);
    EXPECT_EQ(properties::connection_mtls.get().error(), Status::kNotFound);
    EXPECT_EQ(properties::request_time.get().error(), Status::kNotFound);
  });
}

TEST(Property, OfAnotherLengthThanItsTypeIsRefused) {
  in_a_request({{std::string("response\0code"sv), "200"},
                {std::string("connection\0mtls"sv), "true"},
                {std::string("request\0time"sv), ""},
                {"a number", "0.25"}},
               [] {
                 EXPECT_EQ(properties::response_code.get().error(), Status::kParseFailure);
                 EXPECT_EQ(properties::connection_mtls.get().error(), Status::kParseFailure);
                 EXPECT_EQ(properties::request_time.get().error(), Status::kParseFailure);
                 EXPECT_EQ(Property<double>("a number").get().error(), Status::kParseFailure);
               });
}

TEST(Property, PathsHaveTheirParts) {
  EXPECT_EQ(properties::cluster_name.path(), "xds\0cluster_name"sv);
  EXPECT_EQ(properties::plugin_name.path(), "plugin_name");
}

}  // namespace
}  // namespace inlay::sdk
