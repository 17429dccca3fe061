# SPDX-License-Identifier: Apache-2.0
# Warnings are errors, and sanitizers are a property of the whole build.
add_library(inlay_warnings INTERFACE)
target_compile_options(inlay_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Wextra-semi)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # Those that depend on the optimiser see overlaps and overflows in inlined library code that are not there (gcc bug 105651).
  target_compile_options(inlay_warnings INTERFACE -Wno-interference-size -Wno-restrict -Wno-stringop-overflow
    -Wno-stringop-overread -Wno-array-bounds -Wno-alloc-size-larger-than -Wno-maybe-uninitialized -Wno-free-nonheap-object
    -Wno-dangling-pointer)
endif()
if(INLAY_SANITIZE)
  add_compile_options(-fsanitize=${INLAY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${INLAY_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang AND INLAY_SANITIZE MATCHES undefined)
    add_compile_options(-fno-sanitize=pointer-overflow)  # RapidJSON 1.1 adds an offset to a null stack top
  endif()
endif()
