// SPDX-License-Identifier: Apache-2.0
#include "net/pipe_path.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "net/socket_address.h"

namespace inlay::net {
namespace {

Error taken(const Address& pipe, const std::string& why) {
  return {ErrorCode::kIo, "cannot listen on " + pipe.to_string() + ": " + why, ""};
}

// What the system says to a try, on a socket of its own.
template <class Try>
int error_of(Try&& attempt) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int error = attempt(fd) == 0 ? 0 : errno;
  close(fd);
  return error;
}

Result<Unit> check_abstract(const Address& pipe, const SocketAddress& at) {
  const int error = error_of([&](int fd) { return ::bind(fd, at.get(), at.size); });
  if (error != EADDRINUSE) return Unit{};  // listening itself will say what else is wrong
  return taken(pipe, "another process has this name (ss -xlp shows which)");
}

// A socket's file outlives who has made it: whether it does, only its answer tells.
Result<Unit> check_socket(const Address& pipe, const SocketAddress& at) {
  const int error = error_of([&](int fd) { return ::connect(fd, at.get(), at.size); });
  if (error == ECONNREFUSED || error == ENOENT) return Unit{};
  if (error == 0 || error == EAGAIN) return taken(pipe, "another process listens there (ss -xlp shows which)");
  return taken(pipe, "a socket is there, and whether somebody listens on it cannot be told: " +
                         std::generic_category().message(error));
}

}  // namespace

Result<Unit> check_pipe_is_free(const Address& pipe) {
  INLAY_TRY(const SocketAddress at, to_socket_address(pipe));
  if (pipe.is_abstract()) return check_abstract(pipe, at);
  struct stat there {};
  if (lstat(pipe.host.c_str(), &there) != 0) return Unit{};
  if (S_ISSOCK(there.st_mode)) return check_socket(pipe, at);
  const char* const what = S_ISDIR(there.st_mode)   ? "a directory"
                           : S_ISLNK(there.st_mode) ? "a symbolic link"
                           : S_ISREG(there.st_mode) ? "a file"
                                                    : "something";
  return taken(pipe, std::string(what) + " is there that is no socket; remove it, or choose another path for the pipe");
}

Result<Unit> make_way_for_pipe(const Address& pipe) {
  INLAY_RETURN_IF_ERROR(check_pipe_is_free(pipe));
  if (pipe.is_abstract() || unlink(pipe.host.c_str()) == 0 || errno == ENOENT) return Unit{};
  if (errno == ENOTDIR) return Unit{};  // binding says the same
  return taken(pipe, "the socket that is left there cannot be deleted: " + std::generic_category().message(errno));
}

}  // namespace inlay::net
