// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/secrets.h"
#include "base/ascii.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "config/redact.h"
#include "deploy/render/placeholders.h"

namespace inlay::deploy {

namespace {

constexpr std::string_view kSecretEndings[] = {"secret",     "password",   "passwd",      "passphrase",
                                               "apikey",     "privatekey", "accesskey",   "secretkey",
                                               "signingkey", "credential", "credentials", "clientassertion"};

// What tokens and keys begin with, whatever they are called.
constexpr std::string_view kSecretBeginnings[] = {"Bearer ", "Basic ", "eyJ", "-----BEGIN ", "ghp_", "AKIA"};

std::string letters(std::string_view key) {
  std::string out;
  for (char c : key)
    if (is_alphanumeric(c)) out += to_lower(c);
  return out;
}

// names_another: whether `text` takes a value from somewhere else: a template, or the value of one of the
// header-augmenting filter's sources.
bool names_another(std::string_view text) {
  if (text.find("{/") != std::string_view::npos || text.find("{text}") != std::string_view::npos) return true;
  const size_t at = text.find("${source:");
  return at != std::string_view::npos && (at == 0 || text[at - 1] != '$');
}

bool is_header_map(std::string_view key) {
  return key == "request_headers" || key == "headers";
}

}  // namespace

bool is_literal_secret(std::string_view parent_key, std::string_view key, std::string_view text) {
  if (text.empty() || has_placeholder(text, Placeholder::Kind::kEnvironment) || names_another(text)) return false;
  const std::string folded = letters(key);
  if (std::any_of(std::begin(kSecretEndings), std::end(kSecretEndings),
                  [&](std::string_view word) { return folded.ends_with(word); }))
    return true;
  if (is_header_map(parent_key) && config::looks_secret(key)) return true;
  return std::any_of(std::begin(kSecretBeginnings), std::end(kSecretBeginnings),
                     [&](std::string_view word) { return text.starts_with(word) && text.size() > word.size(); });
}

}  // namespace inlay::deploy
