// SPDX-License-Identifier: Apache-2.0
#pragma once

// Deleter lets a std::unique_ptr own what a C library frees by a function:
//
//     using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;

namespace inlay {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

}  // namespace inlay
