// SPDX-License-Identifier: Apache-2.0
#include "cli/pull_image.h"

#include <arpa/inet.h>

#include <string_view>
#include <vector>

#include "base/find_program.h"
#include "base/printable.h"
#include "base/process_group.h"
#include "base/read_file.h"
#include "base/temporary_directory.h"

namespace inlay::cli {
namespace {

constexpr std::string_view kScheme = "oci://";

// Whether the registry of an image is at this machine. A name that only begins like a loopback's address is anybody's.
bool is_loopback(const std::string& name) {
  const std::string host = name.substr(0, name.find_first_of(":/"));
  in_addr address{};
  return host == "localhost" || (host.starts_with("127.") && inet_pton(AF_INET, host.c_str(), &address) == 1);
}

// skopeo's last words, of which a registry's answer may be a part.
std::string last_words(const std::string& log) {
  constexpr size_t kMost = 600;
  const auto text = read_file(log, size_t{1} << 20);
  if (!text) return "";
  std::string_view said = *text;
  while (said.ends_with('\n')) said.remove_suffix(1);
  said = said.substr(said.rfind('\n') + 1);
  return printable(said.substr(0, kMost));
}

}  // namespace

Result<Unit> pull_image(const std::string& reference, const std::string& layout) {
  const std::string skopeo = find_program("skopeo");
  if (skopeo.empty())
    return Error{ErrorCode::kUnavailable, "skopeo, which brings images from registries, is not installed here", ""};
  const TemporaryDirectory scratch("inlay-pull-");
  if (scratch.path().empty()) return Error{ErrorCode::kIo, "cannot make a folder for skopeo's words", ""};
  const std::string name = reference.substr(kScheme.size());
  std::vector<std::string> command = {skopeo, "copy", "--all", "--preserve-digests"};
  if (is_loopback(name)) command.emplace_back("--src-tls-verify=false");
  command.push_back("docker://" + name);
  command.push_back("oci:" + layout);
  ProcessGroup group;
  INLAY_RETURN_IF_ERROR(group.start(command, {}, scratch.file("log")));
  if (group.wait() != std::vector<bool>{true})
    return Error{ErrorCode::kNotFound, "cannot be pulled; skopeo says: " + last_words(scratch.file("log")), reference};
  return Unit{};
}

}  // namespace inlay::cli
