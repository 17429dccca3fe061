// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "deploy/render/values.h"

namespace inlay::deploy {

// Where the target kubernetes has module.file mounted into the proxy's container, and the target istio expects it.
std::string mounted_module(const Values& values);

// Where the files of a service of that kind are mounted, and the socket on which the proxy answers with them.
std::string files_folder(const Service& service);
std::string files_socket(const Service& service);

}  // namespace inlay::deploy
