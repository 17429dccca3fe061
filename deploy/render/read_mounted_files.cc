// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/read_mounted_files.h"

#include <algorithm>

#include "document/scalars.h"

namespace inlay::deploy {

using config::View;

std::vector<MountedFile> read_mounted_files(View service, config::Reporter& report) {
  constexpr uint32_t kHour = 3600;
  std::vector<MountedFile> files;
  for (View entry : service.list("files")) {
    MountedFile file;
    file.name = entry.text("name");
    if (View token = entry["service_account_token"]) {
      file.audience = token.text("audience");
      file.seconds = token.uint32("seconds", kHour);
    } else if (View secret = entry["secret"]) {
      file.secret_name = secret.text("name");
      file.secret_key = secret.text("key");
    } else if (entry.node().source->find("service_account_token") == nullptr &&
               entry.node().source->find("secret") == nullptr) {
      report.error(entry.node(), "one of `service_account_token` and `secret` is missing");
    }
    const bool twice =
        std::any_of(files.begin(), files.end(), [&](const MountedFile& other) { return other.name == file.name; });
    if (twice) report.error(entry.node(), "two files are called " + document::quote(file.name));
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace inlay::deploy
