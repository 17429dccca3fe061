// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: certificates made on the spot.
//
//     const TestAuthority authority("Test CA");
//     const TestCertificate server = authority.issue({.dns = {"idp.example"}});

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <string>
#include <vector>

#include "tls/openssl.h"

namespace inlay::tls::testing {

struct TestCertificate {
  std::string chain;
  std::string key;
};

struct TestNames {
  std::vector<std::string> dns{};
  std::vector<std::string> uri{};
  std::vector<std::string> ip{};
  bool expired = false;
};

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name) : key_(EVP_EC_gen("P-256")), name_(name) {
    certificate_ = make(name, *key_, {}, true);
  }

  std::string pem() const { return to_pem(*certificate_); }

  TestCertificate issue(const TestNames& names, const std::string& subject = "leaf") const {
    const KeyPtr key(EVP_EC_gen("P-256"));
    const CertificatePtr leaf = make(subject, *key, names, false);
    const BioPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return {to_pem(*leaf), take(*out)};
  }

 private:
  static std::string take(BIO& bio) {
    char* text = nullptr;
    const long size = BIO_get_mem_data(&bio, &text);
    return {text, static_cast<size_t>(size)};
  }
  static std::string to_pem(X509& certificate) {
    const BioPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(out.get(), &certificate);
    return take(*out);
  }
  static void add_extension(X509& certificate, int nid, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(&certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  CertificatePtr make(const std::string& subject, EVP_PKEY& key, const TestNames& names, bool is_authority) const {
    CertificatePtr out(X509_new());
    X509_set_version(out.get(), 2);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(out.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(out.get()), -7200);
    X509_gmtime_adj(X509_getm_notAfter(out.get()), names.expired ? -3600 : 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(out.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
    X509_set_issuer_name(out.get(),
                         is_authority ? X509_get_subject_name(out.get()) : X509_get_subject_name(certificate_.get()));
    X509_set_pubkey(out.get(), &key);
    add_extension(*out, NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    std::string all;
    const auto add = [&](const char* kind, const std::vector<std::string>& values) {
      for (const std::string& value : values) all += (all.empty() ? "" : ",") + std::string(kind) + value;
    };
    add("DNS:", names.dns);
    add("URI:", names.uri);
    add("IP:", names.ip);
    if (!all.empty()) add_extension(*out, NID_subject_alt_name, all);
    X509_sign(out.get(), key_.get(), EVP_sha256());
    return out;
  }

  KeyPtr key_;
  std::string name_;
  CertificatePtr certificate_;
};

}  // namespace inlay::tls::testing
