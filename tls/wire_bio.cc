// SPDX-License-Identifier: Apache-2.0
#include "tls/wire_bio.h"

#include <openssl/bio.h>

#include "tls/tls_connection.h"

namespace inlay::tls {
namespace {

TlsConnection& connection_of(BIO* bio) {
  return *static_cast<TlsConnection*>(BIO_get_data(bio));
}

int read_wire(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  TlsConnection& connection = connection_of(bio);
  const int got = connection.read_cipher(to, static_cast<size_t>(size));
  if (got > 0) return got;
  if (connection.wire_ended()) return 0;
  BIO_set_retry_read(bio);
  return -1;
}

int write_wire(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  if (size > 0) connection_of(bio).write_cipher(bytes, static_cast<size_t>(size));
  return size;
}

long control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return connection_of(bio).wire_ended() ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "inlay connection");
  BIO_meth_set_read(method, read_wire);
  BIO_meth_set_write(method, write_wire);
  BIO_meth_set_ctrl(method, control);
  return method;
}

}  // namespace

BIO* new_wire_bio(TlsConnection& connection) {
  static BIO_METHOD* const kMethod = make_method();
  BIO* bio = BIO_new(kMethod);
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, &connection);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace inlay::tls
