// SPDX-License-Identifier: Apache-2.0
// Foreign functions from the guest's side: what is sent to the host, and what is made of its answers.

#include "sdk/foreign.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "sdk/sdk.h"
#include "sdk/testing/fake_host.h"

namespace inlay::sdk {
namespace {

using testing::FakeHost;

// What the guest does when it is configured.
std::function<void()> guest;

class ForeignRoot : public RootContext {
 public:
  bool on_configure(size_t) override {
    guest();
    return true;
  }
};
INLAY_REGISTER("foreign_test", ForeignRoot);

class Foreign : public ::testing::Test {
 protected:
  void as_guest(std::function<void()> body) {
    guest = std::move(body);
    ASSERT_NE(host_.add_worker().start("foreign_test", ""), 0u);
  }

  FakeHost host_;
};

TEST_F(Foreign, ArgumentAndResultPassThrough) {
  host_.foreign_functions["compress"] = [](std::string_view argument) { return "<" + std::string(argument) + ">"; };
  host_.foreign_functions["uncompress"] = [](std::string_view) -> Result<std::string> {
    return Status::kSerializationFailure;
  };
  as_guest([] {
    const auto small = compress("text");
    ASSERT_TRUE(small);
    EXPECT_EQ(small->view(), "<text>");
    EXPECT_EQ(uncompress("text").error(), Status::kSerializationFailure);
    EXPECT_EQ(call_foreign_function("nope").error(), Status::kNotFound);
    EXPECT_EQ(clear_route_cache().error(), Status::kNotFound);
  });
}

TEST_F(Foreign, DeclarationsAreMessages) {
  std::string got;
  const auto note = [&](std::string_view argument) -> Result<std::string> {
    got = argument;
    return std::string();
  };
  host_.foreign_functions["declare_property"] = note;
  host_.foreign_functions["set_envoy_filter_state"] = note;
  as_guest([&] {
    EXPECT_TRUE(declare_property({.name = "n", .read_only = true, .span = LifeSpan::kDownstreamConnection}));
    EXPECT_EQ(got, "\x0a\x01n\x10\x01\x18\x01\x28\x02");
    EXPECT_TRUE(set_envoy_filter_state("k", "v"));
    EXPECT_EQ(got, "\x0a\x01k\x12\x01v");
    EXPECT_TRUE(set_envoy_filter_state(std::string(200, 'k'), "", LifeSpan::kDownstreamRequest));
    EXPECT_EQ(got, "\x0a\xc8\x01" + std::string(200, 'k') + "\x18\x01");
  });
}

TEST_F(Foreign, SignaturesAreMessages) {
  std::string got;
  std::string answer;
  const auto reply = [&](std::string_view argument) -> Result<std::string> {
    got = argument;
    return answer;
  };
  host_.foreign_functions["verify_signature"] = reply;
  host_.foreign_functions["sign"] = reply;
  as_guest([&] {
    answer = "\x08\x01";
    EXPECT_TRUE(*verify_signature("sha256", {.der = "d", .pem = {}}, "s", "t"));
    EXPECT_EQ(got,
              "\x0a\x06sha256\x12\x01"
              "d\x1a\x01s\x22\x01t");
    answer = "\x12\x03why";
    EXPECT_FALSE(*verify_signature("sha256", {.der = {}, .pem = "p"}, "s", "t"));
    EXPECT_EQ(got, "\x0a\x06sha256\x1a\x01s\x22\x01t\x2a\x01p");
    EXPECT_EQ(sign("sha256", {.der = {}, .pem = "p"}, "t").error(), Status::kInternalFailure);
    EXPECT_EQ(got, "\x0a\x06sha256\x1a\x01t\x22\x01p");
    answer =
        "\x08\x01\x12\x03"
        "abc";
    const auto signature = sign("sha256", {.der = "d", .pem = {}}, "t");
    ASSERT_TRUE(signature);
    EXPECT_EQ(signature->view(), "abc");
  });
}

TEST_F(Foreign, AnswersThatAreNoMessagesAreFalse) {
  std::string answer;
  host_.foreign_functions["verify_signature"] = [&](std::string_view) -> Result<std::string> { return answer; };
  host_.foreign_functions["sign"] = host_.foreign_functions["verify_signature"];
  as_guest([&] {
    const std::string malformed[] = {"", "\x08", "\x12\xff", std::string("\x0d\x01\0\0\0", 5), std::string(12, '\xff')};
    for (const std::string& bytes : malformed) {
      answer = bytes;
      EXPECT_FALSE(*verify_signature("sha256", {.der = "d", .pem = {}}, "s", "t"));
      EXPECT_FALSE(sign("sha256", {.der = "d", .pem = {}}, "t"));
    }
  });
}

}  // namespace
}  // namespace inlay::sdk
