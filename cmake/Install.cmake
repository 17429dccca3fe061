# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` (make install PREFIX=...) puts into a prefix, and the CMake package and pkg-config file by which
# other trees use it: docs/guide/out_of_tree.md.
#
#   bin/inlay                              the program
#   share/inlay/*.wasm                     the filters that ship
#   include/inlay/{sdk,abi,base,engine,http,stats,host,compiler}   public headers, to be included as "sdk/sdk.h", "host/host.h"
#   lib/libinlay_{base,engine,http,stats,host}.a      the host library: runs modules that are compiled already
#   lib/libinlay_compiler.a                    what makes such of WebAssembly, and interprets it; with wabt
#   lib/inlay                              what `inlay compile --dynamic-module` links with, and libinlay.so, if they were built
#   lib/cmake/inlay, lib/pkgconfig/{inlay,inlay-compiler}.pc
#   share/{bash-completion,zsh,fish,man}   completions of the command line, and inlay(1)
#   share/doc/inlay                        the licence and the changes
if(NOT DEFINED CMAKE_INSTALL_LIBDIR)
  # Not what the system calls it: what is there is static, and the folder can be moved.
  set(CMAKE_INSTALL_LIBDIR lib CACHE PATH "Object code libraries")
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(headers ${CMAKE_INSTALL_INCLUDEDIR}/inlay)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/inlay)

# inlay_install_room(NAME EXPORT set HEADERS files...): the room as target inlay::NAME of an export set.
function(inlay_install_room name)
  cmake_parse_arguments(ROOM "" "EXPORT" "HEADERS" ${ARGN})
  set_target_properties(${name} PROPERTIES OUTPUT_NAME inlay_${name})
  target_include_directories(${name} INTERFACE $<INSTALL_INTERFACE:${headers}>)
  target_compile_features(${name} INTERFACE cxx_std_20)
  install(TARGETS ${name} EXPORT ${ROOM_EXPORT} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  foreach(header ${ROOM_HEADERS})
    get_filename_component(folder ${header} DIRECTORY)
    install(FILES ${CMAKE_SOURCE_DIR}/${header} DESTINATION ${headers}/${folder})
  endforeach()
endfunction()

# Headers that a filter includes: all of the SDK's but what only its own tests share.
file(GLOB_RECURSE sdk_headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/sdk/*.h)
list(FILTER sdk_headers EXCLUDE REGEX "_fixture\\.h$")
inlay_install_room(base EXPORT inlay-sdk HEADERS base/buffer.h base/result.h)
inlay_install_room(abi EXPORT inlay-sdk HEADERS abi/functions.h abi/pairs.h abi/types.h)
inlay_install_room(sdk EXPORT inlay-sdk HEADERS ${sdk_headers})
inlay_install_room(engine EXPORT inlay-host HEADERS engine/engine.h engine/detail/call.h engine/detail/context.h
  engine/detail/host_function.h)
inlay_install_room(http EXPORT inlay-host HEADERS http/header_map.h)
inlay_install_room(stats EXPORT inlay-host HEADERS stats/histogram_bins.h stats/metrics.h)
inlay_install_room(host EXPORT inlay-host HEADERS host/embedder.h host/host.h host/standalone.h host/tcp.h)
inlay_install_room(compiler EXPORT inlay-compiler HEADERS compiler/compiler.h)
install(EXPORT inlay-sdk NAMESPACE inlay:: DESTINATION ${package})
install(EXPORT inlay-host NAMESPACE inlay:: DESTINATION ${package})
install(EXPORT inlay-compiler NAMESPACE inlay:: DESTINATION ${package})

configure_package_config_file(cmake/inlay-config.cmake.in ${CMAKE_BINARY_DIR}/inlay-config.cmake INSTALL_DESTINATION ${package}
  PATH_VARS headers)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/inlay-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/inlay-config.cmake ${CMAKE_BINARY_DIR}/inlay-config-version.cmake cmake/AddFilter.cmake
  cmake/wasm_size.cmake cmake/Wabt.cmake DESTINATION ${package})
file(RELATIVE_PATH to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
foreach(file inlay.pc inlay-compiler.pc)
  configure_file(cmake/${file}.in ${CMAKE_BINARY_DIR}/${file} @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/${file} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

install(FILES LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES docs/reference/case.tmLanguage.json DESTINATION ${CMAKE_INSTALL_DATADIR}/inlay)
if(INLAY_PROXY)
  install(TARGETS inlay RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  set(completions ${CMAKE_BINARY_DIR}/completions)
  install(FILES ${completions}/inlay DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${completions}/_inlay DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${completions}/inlay.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
  install(FILES ${completions}/inlay.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()
if(INLAY_WASM)
  install(FILES ${CMAKE_BINARY_DIR}/wasm/header_augmenting.wasm ${CMAKE_BINARY_DIR}/wasm/header_augmenting_lean.wasm
    DESTINATION ${CMAKE_INSTALL_DATADIR}/inlay)
endif()
