// SPDX-License-Identifier: Apache-2.0
#include "proxy/access_log/json_line.h"

#include <algorithm>
#include <string_view>

#include "base/ascii.h"
#include "document/scalars.h"
#include "proxy/router/empty_value.h"
#include "proxy/router/metadata_value.h"

namespace inlay::proxy::access_log {
namespace {

using config::JsonFormat;
using config::Operator;
using Kind = JsonFormat::Kind;

bool is_number(Operator op) {
  switch (op) {
    case Operator::kResponseCode:
    case Operator::kBytesReceived:
    case Operator::kBytesSent:
    case Operator::kRequestHeadersBytes:
    case Operator::kResponseHeadersBytes:
    case Operator::kDuration:
    case Operator::kResponseDuration:
    case Operator::kDownstreamRemotePort:
    case Operator::kDownstreamDirectPort:
    case Operator::kDownstreamLocalPort:
    case Operator::kUpstreamHostPort:
    case Operator::kUpstreamLocalPort:
    case Operator::kConnectionId:
    case Operator::kAttemptCount:
      return true;
    default:
      return false;
  }
}

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
}

void append_escaped(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text[0]);
    size_t used = 1;
    if (is_plain(text[0])) {
      out += text[0];
    } else if (text[0] == '"' || text[0] == '\\') {
      out += {'\\', text[0]};
    } else if (text[0] == '\n' || text[0] == '\r' || text[0] == '\t') {
      out += {'\\', text[0] == '\n' ? 'n' : text[0] == '\r' ? 'r' : 't'};
    } else if (byte < 0x80) {
      append_hex(out += "\\u00", text[0]);
    } else if (used = document::utf8_length(text); used > 0) {
      out += text.substr(0, used);
    } else {
      out += "\xef\xbf\xbd";
      used = 1;
    }
    text.remove_prefix(used);
  }
}

// Escapes what was appended since `from`; most values need nothing.
void escape_tail(std::string& out, size_t from) {
  if (std::all_of(out.begin() + static_cast<ptrdiff_t>(from), out.end(), is_plain)) return;
  const std::string value = out.substr(from);
  out.resize(from);
  append_escaped(value, out);
}

class Writer {
 public:
  Writer(const router::FormatContext& context, bool omit_empty, std::string& out)
      : context_(context), omit_empty_(omit_empty), out_(out) {}

  // False: it has no value and nothing was written.
  bool write(const JsonFormat& format) {
    switch (format.kind) {
      case Kind::kLiteral:
        out_ += format.literal;
        return true;
      case Kind::kString:
        write_string(format.format);
        return true;
      case Kind::kValue:
        return write_value(format.format.parts.front());
      case Kind::kObject:
        return write_children(format, '{', '}');
      case Kind::kList:
        return write_children(format, '[', ']');
    }
    return false;
  }

 private:
  void write_string(const config::Format& format) {
    out_ += '"';
    for (const config::FormatPart& part : format.parts) {
      const size_t before = out_.size();
      router::append_value(part, context_, out_);
      if (out_.size() == before && !omit_empty_ && !router::has_empty_value(part, context_)) out_ += '-';
      escape_tail(out_, before);
    }
    out_ += '"';
  }

  bool write_value(const config::FormatPart& part) {
    if (part.op == Operator::kDynamicMetadata) {
      const auto value = router::metadata_value(context_.info->dynamic_metadata, part.text);
      if (value && !value->is_text) {
        out_ += value->text;
        return true;
      }
    }
    const bool number = is_number(part.op);
    const size_t before = out_.size();
    if (!number) out_ += '"';
    const size_t begin = out_.size();
    router::append_value(part, context_, out_);
    if (out_.size() == begin && (number || !router::has_empty_value(part, context_))) {
      out_.resize(before);
      if (omit_empty_) return false;
      out_ += "null";
      return true;
    }
    if (number) return true;
    escape_tail(out_, begin);
    out_ += '"';
    return true;
  }

  bool write_children(const JsonFormat& format, char open, char close) {
    const size_t before = out_.size();
    out_ += open;
    const size_t begin = out_.size();
    for (const JsonFormat& child : format.children) {
      const size_t at = out_.size();
      if (at != begin) out_ += ',';
      out_ += child.key;
      if (!write(child)) out_.resize(at);
    }
    if (out_.size() == begin && !format.children.empty()) {
      out_.resize(before);
      return false;
    }
    out_ += close;
    return true;
  }

  const router::FormatContext& context_;
  const bool omit_empty_;
  std::string& out_;
};

}  // namespace

void append_json(const JsonFormat& format, const router::FormatContext& context, bool omit_empty, std::string& out) {
  if (!Writer(context, omit_empty, out).write(format)) out += "{}";
}

}  // namespace inlay::proxy::access_log
