// SPDX-License-Identifier: Apache-2.0
#include "proxy/port_check.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "net/pipe_path.h"
#include "net/socket_address.h"

namespace inlay::proxy {

Result<Unit> check_port_is_free(const Address& address) {
  if (address.is_pipe) return net::check_pipe_is_free(address);
  if (address.port == 0) return Unit{};
  const auto to = net::to_socket_address(address);
  if (!to) return to.error();
  const int fd = socket(to->family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Unit{};  // listening itself will say what is wrong
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // connections in TIME_WAIT are no obstacle
  const int error = bind(fd, to->get(), to->size) == 0 ? 0 : errno;
  close(fd);
  if (error != EADDRINUSE) return Unit{};
  return Error{ErrorCode::kIo,
               "cannot listen on " + address.to_string() + ": " + std::generic_category().message(error) +
                   "; another process has this port (ss -ltnp shows which)",
               ""};
}

}  // namespace inlay::proxy
