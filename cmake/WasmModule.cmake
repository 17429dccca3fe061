# SPDX-License-Identifier: Apache-2.0
# inlay_wasm_module(NAME SOURCES files... [ROOMS rooms...] [BUDGET bytes] [EXPORTS names...])
#
# A module of this tree: inlay_add_filter() with the rooms (default: sdk abi base) that its sources may include, warnings as
# errors, and the output in ${CMAKE_BINARY_DIR}/wasm. Does nothing without INLAY_WASM.
if(INLAY_WASM)
  include(AddFilter)
endif()

function(inlay_wasm_module name)
  if(NOT INLAY_WASM)
    return()
  endif()
  cmake_parse_arguments(WASM "" "BUDGET" "SOURCES;ROOMS;EXPORTS" ${ARGN})
  if(NOT WASM_ROOMS)
    set(WASM_ROOMS sdk abi base)
  endif()
  list(TRANSFORM WASM_ROOMS PREPEND ${INLAY_ROOMS_DIR}/)
  inlay_add_filter(${name} ${WASM_SOURCES} INCLUDES ${WASM_ROOMS} EXPORTS ${WASM_EXPORTS} BUDGET ${WASM_BUDGET}
    OPTIONS -ffile-prefix-map=${CMAKE_BINARY_DIR}/rooms=. -Wall -Wextra -Werror -Wshadow
    OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/wasm)
endfunction()
