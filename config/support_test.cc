// SPDX-License-Identifier: Apache-2.0
#include "config/support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace inlay::config {
namespace {

TEST(Rules, NameMessagesAndFieldsThatEnvoyHas) {
  std::set<std::string> seen;
  for (const MessageRules& rules : all_rules()) {
    const std::string message(rules.message);
    EXPECT_TRUE(seen.insert(message).second) << message << " has two tables";
    const MessageType* type = find_message(message);
    ASSERT_NE(type, nullptr) << message;
    std::set<std::string_view> fields;
    for (const FieldRule& rule : rules.rules) {
      EXPECT_NE(type->find(rule.field), nullptr) << message << "." << rule.field;
      EXPECT_TRUE(fields.insert(rule.field).second) << message << "." << rule.field << " has two rules";
      EXPECT_EQ(rule.support == Support::kOnly, !rule.only.empty()) << message << "." << rule.field;
    }
  }
  EXPECT_GT(seen.size(), 40u);
}

TEST(Rules, TheMessagesOfSupportedFieldsHaveTables) {
  // A message without fields of its own needs no table; a TLS or match message without one supports no field at all.
  const std::set<std::string_view> without = {
      "envoy.config.route.v3.RouteMatch.GrpcRouteMatchOptions", "envoy.config.listener.v3.FilterChainMatch",
      "envoy.config.accesslog.v3.NotHealthCheckFilter", "envoy.extensions.wasm.v3.SanitizationConfig",
      "envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext.SystemRootCerts"};
  for (const MessageRules& rules : all_rules()) {
    for (const FieldRule& rule : rules.rules) {
      const FieldType* field = find_message(rules.message)->find(rule.field);
      if (rule.support != Support::kYes || field->kind != FieldKind::kMessage) continue;
      const bool known = std::any_of(all_rules().begin(), all_rules().end(),
                                     [&](const MessageRules& other) { return other.message == field->message->name; });
      EXPECT_TRUE(known || without.contains(field->message->name)) << rules.message << "." << rule.field;
    }
  }
}

TEST(FieldTable, FindsBothSpellings) {
  const MessageType* type = find_message("envoy.config.core.v3.SocketAddress");
  ASSERT_NE(type, nullptr);
  EXPECT_EQ(type->find("port_value"), type->find("portValue"));
  EXPECT_EQ(type->find("PortValue"), nullptr);
  EXPECT_EQ(find_message("envoy.config.core.v3.SocketAddres"), nullptr);
  EXPECT_GT(all_messages().size(), 380u);
}

TEST(Nearest, FindsTyposOnly) {
  const std::vector<std::string_view> names = {"filter_chains", "name", "address"};
  EXPECT_EQ(nearest("filterChain", names), "filter_chains");
  EXPECT_EQ(nearest("adress", names), "address");
  EXPECT_EQ(nearest("nam", names), "name");
  EXPECT_EQ(nearest("zzz", names), "");
  EXPECT_EQ(nearest("", names), "");
  EXPECT_EQ(nearest(std::string(1000, 'a'), names), "");
}

}  // namespace
}  // namespace inlay::config
