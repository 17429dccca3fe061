# SPDX-License-Identifier: Apache-2.0
# libinlay.so: the room dynamic_module and all that is below it, as what Envoy loads (docs/reference/dynamic_module.md). It needs the
# C library alone, shows nothing but Envoy's hooks, and is never unloaded: its signal handlers and threads stay.
#
# Libraries that are linked into it have to be there as archives, and a sanitizer would have to be Envoy's, too: else there is
# none, and its tests say so.
find_library(STATIC_CRYPTO libcrypto.a)
find_library(STATIC_Z libz.a)
if(INLAY_SANITIZE OR NOT STATIC_CRYPTO OR NOT STATIC_Z)
  message(STATUS "libinlay.so is not built: it needs libcrypto.a and libz.a, and no sanitizer")
  return()
endif()

# Thread-local state is where a signal handler can reach it, whatever has loaded us.
foreach(room dynamic_module engine stats base)
  target_compile_options(${room} PRIVATE -ftls-model=initial-exec)
endforeach()

set(exports ${CMAKE_SOURCE_DIR}/dynamic_module/exports.map)
set(below host http stats engine base)
add_library(inlay_module MODULE ${CMAKE_BINARY_DIR}/generated/no_module.cc)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/no_module.cc CONTENT "")
set_target_properties(inlay_module PROPERTIES OUTPUT_NAME inlay LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}
  LINK_DEPENDS ${exports})
add_dependencies(inlay_module dynamic_module ${below})
list(TRANSFORM below REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE archives)
target_link_libraries(inlay_module PRIVATE -Wl,--whole-archive $<TARGET_FILE:dynamic_module> -Wl,--no-whole-archive
  -Wl,--start-group ${archives} -Wl,--end-group ${STATIC_CRYPTO} ${STATIC_Z})
target_link_options(inlay_module PRIVATE -static-libstdc++ -static-libgcc LINKER:--version-script=${exports}
  LINKER:-z,nodelete LINKER:-z,now LINKER:-z,relro LINKER:--gc-sections)
