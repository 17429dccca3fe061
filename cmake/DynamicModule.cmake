# SPDX-License-Identifier: Apache-2.0
# Inlay as what Envoy loads (docs/reference/dynamic_module.md): the room dynamic_module and all that is below it, C++'s library too,
# as one object file, inlay_dynamic_module.o. `inlay compile --dynamic-module` links it with compiled modules; linked alone it
# is libinlay.so. Either needs the C library alone, shows nothing but Envoy's hooks, and is never unloaded: signal handlers and
# threads of it stay.
#
# Libraries that are linked into it have to be there as archives, and a sanitizer would have to be Envoy's, too: else there is
# none, and its tests say so.
find_library(STATIC_CRYPTO libcrypto.a)
find_library(STATIC_Z libz.a)
foreach(library stdc++ gcc gcc_eh)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=lib${library}.a OUTPUT_VARIABLE found
    OUTPUT_STRIP_TRAILING_WHITESPACE)
  list(APPEND cxx_archives ${found})
endforeach()
list(FILTER cxx_archives INCLUDE REGEX "^/")
list(LENGTH cxx_archives count)
if(INLAY_SANITIZE OR NOT STATIC_CRYPTO OR NOT STATIC_Z OR NOT count EQUAL 3)
  message(STATUS "libinlay.so is not built: it needs libcrypto.a, libz.a and libstdc++.a, and no sanitizer")
  add_custom_target(inlay_module)
  return()
endif()

# Thread-local state is where a signal handler can reach it, whatever has loaded us.
foreach(room dynamic_module engine stats base)
  target_compile_options(${room} PRIVATE -ftls-model=initial-exec)
endforeach()

set(rooms dynamic_module host http stats engine base)
set(runtime ${CMAKE_BINARY_DIR}/inlay_dynamic_module.o)
list(TRANSFORM rooms REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE archives)
list(POP_FRONT archives hooks)
# What the linker has read is written down, for a list of what is in it.
add_custom_command(OUTPUT ${runtime}
  COMMAND ${CMAKE_CXX_COMPILER} -r -nostdlib -o ${runtime} -Wl,--dependency-file=${runtime}.linked -Wl,--whole-archive ${hooks} -Wl,--no-whole-archive
    -Wl,--start-group ${archives} ${STATIC_CRYPTO} ${STATIC_Z} ${cxx_archives} -Wl,--end-group
  DEPENDS ${rooms} COMMAND_EXPAND_LISTS VERBATIM COMMENT "Linking inlay_dynamic_module.o")

set(exports ${CMAKE_SOURCE_DIR}/dynamic_module/exports.map)
set(library ${CMAKE_BINARY_DIR}/libinlay.so)
add_custom_command(OUTPUT ${library}
  COMMAND ${CMAKE_C_COMPILER} -shared -o ${library} ${runtime} -Wl,--version-script=${exports} -Wl,-z,nodelete,-z,now,-z,relro
    -Wl,-z,noexecstack -Wl,--gc-sections,--strip-debug -lm
  DEPENDS ${runtime} ${exports} VERBATIM COMMENT "Linking libinlay.so")
add_custom_target(inlay_module ALL DEPENDS ${library} ${runtime})
install(FILES ${runtime} ${library} DESTINATION lib/inlay OPTIONAL)  # where `inlay compile` looks, beside bin
