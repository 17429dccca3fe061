# SPDX-License-Identifier: Apache-2.0
# inlay::wabt, which brings no CMake package of its own. The installed package includes this file too.
find_library(WABT_LIBRARY NAMES wabt REQUIRED)
find_path(WABT_INCLUDE wabt/binary-reader.h REQUIRED)
if(NOT TARGET inlay::wabt)
  add_library(inlay::wabt INTERFACE IMPORTED)
  target_include_directories(inlay::wabt SYSTEM INTERFACE ${WABT_INCLUDE})
  target_link_libraries(inlay::wabt INTERFACE ${WABT_LIBRARY} OpenSSL::Crypto)
endif()
