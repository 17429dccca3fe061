// SPDX-License-Identifier: Apache-2.0
// Modules of a few bytes that would have their readers take gigabytes, or all of the stack.
#include "compiler/reader_guard.h"

#include <gmock/gmock.h>
#include <pthread.h>

#include "engine/engine_fixture.h"

namespace inlay::compiler {
namespace {

using namespace engine;

std::vector<uint8_t> module_of(std::vector<uint8_t> sections) {
  std::vector<uint8_t> bytes = {0, 'a', 's', 'm', 1, 0, 0, 0};
  bytes.insert(bytes.end(), sections.begin(), sections.end());
  return bytes;
}

std::string refusal(std::span<const uint8_t> bytes) {
  LoadOptions options;
  options.kind = EngineKind::kInterp;
  auto module = load_module(bytes, options);
  if (module) return "none";
  EXPECT_EQ(module.error().code, ErrorCode::kInvalidArgument);
  return module.error().message;
}

void put_leb(std::vector<uint8_t>& out, size_t number) {
  do {
    out.push_back(static_cast<uint8_t>((number & 0x7f) | (number > 0x7f ? 0x80 : 0)));
    number >>= 7;
  } while (number != 0);
}

void put_section(std::vector<uint8_t>& out, uint8_t id, const std::vector<uint8_t>& content) {
  out.push_back(id);
  put_leb(out, content.size());
  out.insert(out.end(), content.begin(), content.end());
}

// Exports answer: (i32) -> i32, which is 42 behind `depth` ifs, blocks and loops in each other. Written as bytes:
// wabt's reader of the text form needs more stack for this than there is.
std::vector<uint8_t> nested(int depth) {
  std::vector<uint8_t> body = {0};  // no locals
  for (int i = 0; i < depth; ++i) {
    if (i % 3 == 0) body.insert(body.end(), {0x20, 0x00});  // local.get 0
    body.insert(body.end(), {static_cast<uint8_t>(i % 3 == 0 ? 0x04 : i % 3 == 1 ? 0x02 : 0x03), 0x40});
  }
  body.insert(body.end(), {0x41, 0x2a, 0x21, 0x00});  // (local.set 0 (i32.const 42))
  body.insert(body.end(), depth, 0x0b);
  body.insert(body.end(), {0x20, 0x00, 0x0b});
  std::vector<uint8_t> code = {1};
  put_leb(code, body.size());
  code.insert(code.end(), body.begin(), body.end());
  std::vector<uint8_t> sections;
  put_section(sections, 1, {1, 0x60, 1, 0x7f, 1, 0x7f});
  put_section(sections, 3, {1, 0});
  put_section(sections, 7, {1, 6, 'a', 'n', 's', 'w', 'e', 'r', 0, 0});
  put_section(sections, 10, code);
  return module_of(sections);
}

TEST(ReaderGuardTest, APromiseOfDataSegmentsIsNotBelieved) {
  // wabt reserves memory for 0xfeb57a56 segments: 100 GB.
  const auto bytes = module_of({0x0c, 0x05, 0xd6, 0xf4, 0xd5, 0xf5, 0x0f});
  EXPECT_EQ(refusal(bytes), "the module announces 4273306198 data segments, the limit is 15");
}

// wabt 1.0.32 believes it, and memory.init then reads a segment that is not there.
TEST(ReaderGuardTest, DataSegmentsThatAreAnnouncedAndMissing) {
  EXPECT_EQ(refusal(module_of({0x0c, 1, 2})), "the module announces 2 data segments and has 0");
  EXPECT_EQ(refusal(module_of({0x0c, 1, 0})), "none");
  EXPECT_EQ(refusal(module_of({0x0c, 1, 1, 11, 4, 1, 1, 1, 'x'})), "none");  // one passive segment of one byte
}

TEST(ReaderGuardTest, LocalsThatAreOnlyCounted) {
  // One function, of type () -> (), with 268435455 locals of type i64.
  const auto bytes =
      module_of({1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 10, 1, 8, 1, 0xff, 0xff, 0xff, 0xff, 0x00, 0x7e, 0x0b});
  EXPECT_EQ(refusal(bytes), "a function has 268435455 locals, the limit is 50000");
}

TEST(ReaderGuardTest, ManyParametersAndResults) {
  const auto signature = [](int params, int results) {
    std::string text = "(module (func (import \"env\" \"f\") (param";
    for (int i = 0; i < params; ++i) text += " i32";
    text += ") (result";
    for (int i = 0; i < results; ++i) text += " i32";
    return wasm(text + ")))");
  };
  EXPECT_EQ(refusal(signature(1000, 1000)), "none");
  EXPECT_EQ(refusal(signature(1001, 0)), "a type has 1001 parameters, the limit is 1000");
  EXPECT_EQ(refusal(signature(0, 1001)), "a type has 1001 results, the limit is 1000");
}

TEST(ReaderGuardTest, BlocksInBlocks) {
  EXPECT_EQ(refusal(nested(10001)), "a function nests 10001 blocks in each other, the limit is 10000");
}

TEST(ReaderGuardTest, AnInitialValueWithoutAnEnd) {
  // A global of type i32 whose value's last byte is the last of its section: (i32.const 1413) and no end.
  EXPECT_THAT(refusal(module_of({6, 6, 1, 0x7f, 1, 0x41, 0x85, 0x0b})),
              testing::AnyOf("an initial value has no end", testing::HasSubstr("must end with END")));  // a later wabt
  EXPECT_EQ(refusal(module_of({6, 6, 1, 0x7f, 1, 0x41, 0x05, 0x0b})), "none");
}

TEST(ReaderGuardTest, AFunctionThatGoesOnAfterItsEnd) {
  // unreachable, end, drop, end; and the same without what follows the first end.
  EXPECT_THAT(refusal(module_of({1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 7, 1, 5, 0, 0x00, 0x0b, 0x1a, 0x0b})),
              testing::AnyOf("a function goes on after its end", testing::HasSubstr("function body shorter")));
  EXPECT_EQ(refusal(module_of({1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 5, 1, 3, 0, 0x00, 0x0b})), "none");
}

// wabt's validation looks at none of these types, and its C writer aborts on them.
TEST(ReaderGuardTest, ATypeThatIsNone) {
  const auto loads = [](const std::vector<uint8_t>& bytes) {
    LoadOptions options;
    options.kind = EngineKind::kInterp;
    return static_cast<bool>(load_module(bytes, options));
  };
  const auto table = [](uint8_t type) { return module_of({4, 4, 1, type, 0, 2}); };
  EXPECT_TRUE(loads(table(0x70)));
  for (const uint8_t type : {0x6b, 0x5e, 0x7f, 0x40}) EXPECT_FALSE(loads(table(type))) << int{type};
  const auto body = [](const std::vector<uint8_t>& code) {
    std::vector<uint8_t> bytes = {1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10};
    const auto size = static_cast<uint8_t>(code.size());
    bytes.insert(bytes.end(), {static_cast<uint8_t>(size + 3), 1, static_cast<uint8_t>(size + 1), 0});
    bytes.insert(bytes.end(), code.begin(), code.end());
    return module_of(bytes);
  };
  EXPECT_TRUE(loads(body({0xd0, 0x70, 0x1a, 0x0b})));  // ref.null func, drop
  for (const uint8_t type : {0x6b, 0x5e, 0x7f, 0x40}) EXPECT_FALSE(loads(body({0xd0, type, 0x1a, 0x0b}))) << int{type};
  EXPECT_TRUE(loads(body({0x00, 0x1c, 1, 0x7f, 0x1a, 0x0b})));  // unreachable, select of one type, drop
  for (const uint8_t type : {0x6b, 0x5e, 0x7a, 0x40})
    EXPECT_FALSE(loads(body({0x00, 0x1c, 1, type, 0x1a, 0x0b}))) << int{type};
}

void check_deepest() {
  for (const EngineKind kind : {EngineKind::kAot, EngineKind::kInterp}) {
    LoadOptions options;
    options.kind = kind;
    options.cache_dir = shared_cache();
    options.optimization = 0;
    auto module = load_module(nested(10000), options);
    ASSERT_TRUE(module) << module.error().to_string();
    auto instance = Instance::create(*module, {}, nullptr, {});
    ASSERT_TRUE(instance) << instance.error().to_string();
    EXPECT_EQ(*(*instance)->call(*(*instance)->function<uint32_t(uint32_t)>("answer"), 1u), 42u);
  }
}

// With either engine, and on whatever stack load_module() is called.
TEST(ReaderGuardTest, TheDeepestNestingThatIsAllowedRuns) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  // ThreadSanitizer keeps what it knows of a thread on its stack.
#ifdef __SANITIZE_THREAD__
  constexpr size_t kStack = 4096 * 1024;
#else
  constexpr size_t kStack = 512 * 1024;
#endif
  pthread_attr_setstacksize(&attributes, kStack);
  pthread_t thread{};
  const auto run = [](void*) -> void* {
    check_deepest();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, nullptr), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

}  // namespace
}  // namespace inlay::compiler
