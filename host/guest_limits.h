// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one guest may make the host hold. The engine bounds a guest's own memory, time and stack; these bound what host
// functions keep for it, so that no guest can take the process's memory. Beyond a limit a host function does nothing
// and returns kInternalFailure (unless the limit says otherwise), and the first time in a VM's life it says so in the
// log.
//
// "a VM": one guest instance on one worker. "a stream": a request and its response.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace inlay::host::limits {

// A header map: its bytes, and its entries.
inline constexpr size_t kMapBytes = size_t{1} << 20;
inline constexpr size_t kMapEntries = 2048;
// A body, as proxy_set_buffer_bytes may make it. One that came larger may be replaced by as much.
inline constexpr size_t kBodyBytes = size_t{16} << 20;
// The body of a local reply.
inline constexpr size_t kReplyBytes = size_t{16} << 20;
// The details of a local reply; more is cut off.
inline constexpr size_t kReplyDetails = 1024;
// HTTP call-outs of a VM that are under way: their number, and the bytes of their requests.
inline constexpr size_t kCalls = 10'000;
inline constexpr size_t kCallBytes = size_t{64} << 20;
// gRPC calls and streams of a VM that are under way: their number, and the bytes of their metadata and of the calls'
// messages (what is sent on streams the embedder bounds); a message that comes (a larger one ends the call with
// ResourceExhausted) or goes out. Streams that have ended and that the guest has not closed are remembered up to as
// many.
inline constexpr size_t kGrpcCalls = 10'000;
inline constexpr size_t kGrpcBytes = size_t{64} << 20;
inline constexpr size_t kGrpcMessage = size_t{16} << 20;
// The shared data of one vm_id. An entry costs its key, its value and kEntryCost.
inline constexpr size_t kSharedDataBytes = size_t{256} << 20;
inline constexpr size_t kEntryCost = 128;
// The shared queues of one vm_id: their number, and the bytes of all their items (an item costs kItemCost more).
inline constexpr size_t kQueues = 1024;
inline constexpr size_t kQueueName = 1024;
inline constexpr size_t kQueueBytes = size_t{64} << 20;
inline constexpr size_t kItemCost = sizeof(void*) * 4;
// The properties that a stream may be given: their number, and the bytes of paths and values.
inline constexpr size_t kProperties = 256;
inline constexpr size_t kPropertyBytes = size_t{1} << 20;
// A property's path; a longer one is kBadArgument.
inline constexpr size_t kPropertyPath = 8 * 1024;
// compress and uncompress: the bytes that go in and the bytes that come out.
inline constexpr size_t kCompressionBytes = size_t{16} << 20;
// verify_signature and sign: an encoded key, and the bits of an RSA key.
inline constexpr size_t kKeyBytes = 16 * 1024;
inline constexpr int kKeyBits = 8192;
// A line of the log; more is cut off. Bytes of lines of a VM in a second; lines beyond are dropped and counted.
inline constexpr size_t kLogLine = 64 * 1024;
inline constexpr size_t kLogBytesPerSecond = size_t{16} << 20;

}  // namespace inlay::host::limits

namespace inlay::host {

// GuestLimit names a limit for the log.
enum class GuestLimit : uint8_t {
  kHeaderMap,
  kBody,
  kReply,
  kCalls,
  kGrpc,
  kSharedData,
  kQueues,
  kMetrics,
  kProperties,
  kCompression,
};
inline constexpr size_t kGuestLimits = 10;

// "a header map larger than 1 MiB or 2048 entries"
std::string_view describe(GuestLimit limit);

}  // namespace inlay::host
