// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sources by name: which of them refers to which (references.h), and so the order in which they are compiled.

#include <cstdint>
#include <span>
#include <string_view>

#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/config_reader.h"

namespace inlay::header_augmenting {

// find_source: the place of the source `name` in Config::sources; else kNoSource, and an error at `place`.
uint32_t find_source(const Config& config, const Place& place, std::string_view name, Report& report);

// order_sources: notes in each source which others it refers to, and whether it is referred to; gives all their places,
// a source behind those that it refers to. Reports what refers to no source or to one without a value of its own, a
// cycle, and more than three references in a row. For a module that has references.
std::span<const uint32_t> order_sources(Config& config, Report& report);

}  // namespace inlay::header_augmenting
