// SPDX-License-Identifier: Apache-2.0
#pragma once

// The file of a pipe: who may take its place. Envoy deletes whatever has the path of a pipe that it is to listen on, be
// it a file with somebody's data or the socket of a process that serves; here only a socket that nobody listens on
// goes.

#include "base/address.h"
#include "base/result.h"

namespace inlay::net {

// Whether somebody may listen on this pipe. Of a path: there is nothing, or a socket that nobody listens on any more,
// which is found out by connecting to it; of an abstract name: nobody has it. Errors: kIo, which says what is there;
// kInvalidArgument for what is no path (to_socket_address).
Result<Unit> check_pipe_is_free(const Address& pipe);

// The same, and deletes the socket that nobody listens on. Between looking and deleting another process could put
// something else there: its directory should be the proxy's own.
Result<Unit> make_way_for_pipe(const Address& pipe);

}  // namespace inlay::net
