// SPDX-License-Identifier: Apache-2.0
#pragma once

// What of the tester (tester/) the suite speaks of all the time, by its plain name.

#include "tester/case.h"
#include "tester/transcript.h"
#include "tester/words.h"
#include "tester/world.h"

namespace inlay::conformance {

using tester::Answer;
using tester::Case;
using tester::Fields;
using tester::InEnvoy;
using tester::PluginCase;
using tester::Protocol;
using tester::Run;
using tester::Transcript;
using tester::Transport;
using tester::Upstream;
using tester::World;

}  // namespace inlay::conformance
