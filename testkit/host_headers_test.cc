// SPDX-License-Identifier: Apache-2.0
// Header functions and header callbacks, on guests in text form.

#include "testkit/guest_fixture.h"

namespace inlay::testkit {
namespace {

using abi::HeadersStatus;

class HostHeaders : public GuestTest {};
INLAY_BOTH_ENGINES(HostHeaders);

const HeaderList kRequest = {{":method", "GET"}, {":path", "/"}, {":authority", "a"}};

TEST_P(HostHeaders, AddReplaceRemoveEditTheMapInPlace) {
  TestProxy proxy(options());
  auto& plugin =
      load(proxy, guest(import_proxy("add_header_map_value", 5) + import_proxy("replace_header_map_value", 5) +
                            import_proxy("remove_header_map_value", 3),
                        R"(
    (data (i32.const 0) "X-Onevaluex-gone")
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (drop (call $add_header_map_value (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 5) (i32.const 5)))
      (drop (call $replace_header_map_value (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 6) (i32.const 3)))
      (drop (call $remove_header_map_value (i32.const 0) (i32.const 10) (i32.const 6)))
      (i32.const 0))
  )"));
  HeaderList headers = kRequest;
  headers.emplace_back("x-gone", "1");
  auto stream = proxy.stream(plugin, headers);
  EXPECT_EQ(stream->request_headers(), HeadersStatus::kContinue);
  EXPECT_EQ(stream->request.get("x-one"), "alu");
  EXPECT_EQ(stream->request.count("x-one"), 1u);
  EXPECT_FALSE(stream->request.get("x-gone"));
}

}  // namespace
}  // namespace inlay::testkit
