// SPDX-License-Identifier: Apache-2.0
// A refresh token, and those that come in its place.
#include <set>
#include <string>

#include "filters/header_augmenting/exchange_fixture.h"

namespace inlay::header_augmenting {
namespace {

// The service takes each refresh token once, and gives another one for it; one that comes again ends them all.
class RefreshTokenTest : public ExchangeTest {
 protected:
  RefreshTokenTest() {
    host_.services["sts"] = [this](const FakeCall& call) {
      const std::string sent = form(call, "refresh_token");
      sent_.push_back(sent);
      if (sent != current_) {
        current_.clear();
        return FakeReply{.status = 400,
                         .body = R"({"error":"invalid_grant","error_description":"reuse of )" + sent + R"("})",
                         .delay_ms = 20};
      }
      std::string brought = brought_;
      if (rotates_) {
        current_ = "hush-" + std::to_string(sent_.size());
        brought += R"("refresh_token":")" + current_ + R"(",)";
      }
      return FakeReply{
          .body = "{" + brought + R"("access_token":")" + access_ + R"(","token_type":"Bearer","expires_in":60})",
          .delay_ms = 20};
    };
  }

  static std::string refreshing(const std::string& more = "", const std::string& token = "hush-0") {
    return exchange_config("", R"(, "auth_method": "none", "refresh_token": ")" + token + "\"" + more, "refresh_token");
  }
  std::string authorization(FakeWorker& worker, ContextId root) {
    return worker.request(root, {{":path", "/"}}).header("authorization");
  }
  bool logged_a_secret() const {
    for (const auto& log : host_.logs) {
      if (log.text.find("hush-") != std::string::npos) return true;
    }
    return false;
  }

  std::vector<std::string> sent_;
  std::string current_ = "hush-0";
  std::string access_ = "t";
  std::string brought_;
  bool rotates_ = true;
};

TEST_F(RefreshTokenTest, IsSent) {
  current_ = "r%2B1";
  rotates_ = false;
  const auto root = start(refreshing("", "r+1"));
  host_.advance(1s);
  EXPECT_EQ(host_.calls.back().body, "grant_type=refresh_token&refresh_token=r%2B1&client_id=gw");
  EXPECT_EQ(authorization(worker_, root), "Bearer t");
  host_.advance(60s);
  EXPECT_EQ(sent_, std::vector<std::string>(sent_.size(), "r%2B1")) << "what the answer does not replace, stays";
}

TEST_F(RefreshTokenTest, IsReplacedByThatOfTheAnswerForAllWorkers) {
  FakeWorker& other = host_.add_worker();
  const auto root = start(refreshing());
  const auto there = start(other, refreshing());
  host_.advance(600s);
  ASSERT_GT(sent_.size(), 10u);
  for (size_t i = 0; i < sent_.size(); ++i) EXPECT_EQ(sent_[i], "hush-" + std::to_string(i));
  EXPECT_EQ(std::set<std::string>(sent_.begin(), sent_.end()).size(), sent_.size()) << "each is used once";
  EXPECT_EQ(authorization(worker_, root), "Bearer t");
  EXPECT_EQ(authorization(other, there), "Bearer t");
  EXPECT_FALSE(logged_a_secret());
  for (const auto& [key, value] : host_.shared_data) EXPECT_EQ(key.find("hush-"), std::string::npos);
}

TEST_F(RefreshTokenTest, IsFollowedByAnotherConfigurationThatBeginsWithTheSame) {
  const auto root = start(refreshing());
  host_.advance(100s);
  const size_t before = sent_.size();
  const auto changed = start(host_.add_worker(), refreshing(R"(, "scopes": ["read"])"));
  worker_.stop(root);
  host_.advance(100s);
  ASSERT_GT(sent_.size(), before + 1);
  EXPECT_EQ(sent_[before], "hush-" + std::to_string(before));
  EXPECT_NE(changed, 0u);
  EXPECT_FALSE(host_.logged("fetch failed"));
}

TEST_F(RefreshTokenTest, AnotherOneInTheConfigurationBeginsAnew) {
  const auto root = start(refreshing());
  host_.advance(100s);
  worker_.stop(root);
  const size_t before = sent_.size();
  current_ = "hush-new";
  start(refreshing("", "hush-new"));
  host_.advance(100s);
  ASSERT_GT(sent_.size(), before + 1);
  EXPECT_EQ(sent_[before], "hush-new");
  EXPECT_EQ(sent_[before + 1], "hush-" + std::to_string(before + 1));
}

TEST_F(RefreshTokenTest, IsKeptEvenIfTheAnswerIsOfNoUseOtherwise) {
  access_ = R"(\r\n)";  // which no header may have
  const auto root = start(refreshing());
  host_.advance(40ms);  // the answer comes after 25, and no retry before 50
  EXPECT_EQ(sent_.size(), 1u);
  access_ = "t";
  host_.advance(5s);
  EXPECT_EQ(authorization(worker_, root), "Bearer t");
  EXPECT_EQ(sent_, (std::vector<std::string>{"hush-0", "hush-1"}));
}

TEST_F(RefreshTokenTest, OneThatIsNoStringIsNone) {
  rotates_ = false;
  brought_ = R"("refresh_token":7,)";
  start(refreshing());
  host_.advance(100s);
  EXPECT_EQ(std::set<std::string>(sent_.begin(), sent_.end()), std::set<std::string>{"hush-0"});
  brought_ = R"("refresh_token":"",)";
  host_.advance(100s);
  EXPECT_EQ(std::set<std::string>(sent_.begin(), sent_.end()), std::set<std::string>{"hush-0"});
}

// Asking again with what is not accepted is of no use, and may be taken for a theft.
TEST_F(RefreshTokenTest, RefusalIsSaidOnceAndAskedAboutSeldom) {
  current_ = "another";
  const auto root = start(refreshing());
  host_.advance(60s);
  EXPECT_EQ(worker_.request(root, {{":path", "/"}}).reply_status, 503u);
  EXPECT_TRUE(host_.logged("source obo: fetch failed: the answer's status is not 200 but 400 (invalid_grant)"));
  EXPECT_LE(sent_.size(), 4u) << "after 10 s, 20 s, 40 s";
  EXPECT_FALSE(logged_a_secret());
}

}  // namespace
}  // namespace inlay::header_augmenting
