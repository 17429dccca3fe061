// SPDX-License-Identifier: Apache-2.0
// What the filter reads from outside: configuration, the provider's answer, its Cache-Control, shared data.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "abi/pairs.h"
#include "filters/header_augmenting/answer.h"
#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/header_rules.h"
#include "filters/header_augmenting/header_set.h"
#include "sdk/testing/fake_host.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace inlay::header_augmenting;
  inlay::sdk::testing::FakeHost host;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  {
    Config config;
    (void)parse_config(text, std::string_view("NAME=value\0", 11), config);
  }
  (void)read_max_age(text);
  HeaderSet headers;
  (void)headers.assign(text);
  inlay::abi::Pair templates[] = {{"authorization", "Bearer {/access_token}"}, {"x", "{/a/0/b~1c}-{/x}"}};
  for (const auto format :
       {SourceConfig::Format::kHeaders, SourceConfig::Format::kOAuth2, SourceConfig::Format::kTemplate}) {
    SourceConfig source;
    source.format = format;
    source.headers = std::span(templates).first(format == SourceConfig::Format::kOAuth2 ? 1 : 2);
    const auto answer = read_answer(text, source);
    if (!answer) continue;
    if (!headers.assign(answer->pairs.view())) std::abort();
    for (const inlay::abi::Pair& header : headers) {
      if (!is_token(header.key) || is_forbidden(header.key) || !is_safe_value(header.value)) std::abort();
    }
  }
  return 0;
}
