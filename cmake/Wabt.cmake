# SPDX-License-Identifier: Apache-2.0
# inlay::wabt, which brings no CMake package of its own: a target only where it is found. The installed package includes this
# file too, after it has found OpenSSL.
find_library(WABT_LIBRARY NAMES wabt)
find_path(WABT_INCLUDE wabt/binary-reader.h)
if(WABT_LIBRARY AND WABT_INCLUDE AND NOT TARGET inlay::wabt)
  add_library(inlay::wabt INTERFACE IMPORTED)
  target_include_directories(inlay::wabt SYSTEM INTERFACE ${WABT_INCLUDE})
  target_link_libraries(inlay::wabt INTERFACE ${WABT_LIBRARY} OpenSSL::Crypto)
endif()
