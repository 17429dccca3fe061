// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which rule a request falls under, and what an origin may take for one of the filter's headers. What of the request is
// read from the host, and when: only what a rule that is looked at asks for, and the cluster, :authority, :path and
// :method once at most.

#include <string_view>

#include "filters/header_augmenting/config.h"
#include "sdk/bytes.h"

namespace inlay::header_augmenting {

// RequestView: the request in hand, as far as it has been read.
class RequestView {
 public:
  // cluster: where the request's route leads, as far as the host knows when the filter sees the request: the host's
  // property xds.cluster_name. Empty if there is none: no route, a route without a cluster, or a cluster that is not
  // there.
  std::string_view cluster();
  std::string_view authority() { return read(authority_, ":authority"); }
  std::string_view path() { return read(path_, ":path"); }
  std::string_view method() { return read(method_, ":method"); }
  // is_trace: whether the method is TRACE. Who asks last, asks this: it keeps nothing of what it reads.
  bool is_trace() const;

 private:
  struct Field {
    bool read = false;
    sdk::Bytes value;
  };
  static std::string_view read(Field& field, std::string_view name);

  Field cluster_;
  Field authority_;
  Field path_;
  Field method_;
};

// matches: whether every condition of `match` that is given holds.
bool matches(const Match& match, RequestView& request);

// is_alias: whether an origin may take a header `name` for `owned`, though it is another: CGI, WSGI and their kin make
// "_" of each "-", so that they know no difference between x-api-key, x_api_key and x-api_key.
bool is_alias(std::string_view owned, std::string_view name);

// has_aliases: whether there is any alias of `name`.
bool has_aliases(std::string_view name);

// is_authority: whether `authority`, as a client sent it, is `pattern`: the same but for the case of letters, or what
// "*.x" stands for. A pattern without a port takes any port.
bool is_authority(std::string_view pattern, std::string_view authority);

}  // namespace inlay::header_augmenting
