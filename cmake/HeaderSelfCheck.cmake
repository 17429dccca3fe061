# SPDX-License-Identifier: Apache-2.0
# header_self_check: every header of a room compiles alone, with the include path of that room and of its TEST_DEPS, and
# nothing else. One object library a room, not part of `all`: it also shows an include that the room has not declared. A
# header that its own .cc includes before all else is checked by the build. Headers in detail/ are the insides of a public
# one and need not stand alone.
add_custom_target(header_self_check)

function(inlay_header_self_check name dir recurse)
  if(recurse)
    file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/${dir}/*.h)
  else()
    file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/${dir}/*.h)
  endif()
  list(FILTER headers EXCLUDE REGEX "/testdata/|/detail/")
  set(sources "")
  foreach(header ${headers})
    string(REGEX REPLACE "\\.h$" ".cc" own ${CMAKE_SOURCE_DIR}/${header})
    if(EXISTS ${own})
      file(STRINGS ${own} includes REGEX "^#include" LIMIT_COUNT 1)
      if(includes STREQUAL "#include \"${header}\"")
        continue()
      endif()
    endif()
    set(source ${CMAKE_BINARY_DIR}/header_self_check/${header}.cc)
    file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"  // NOLINT\n#include \"${header}\"\n")
    list(APPEND sources ${source})
  endforeach()
  if(sources)
    add_library(${name}_headers OBJECT EXCLUDE_FROM_ALL ${sources})
    target_link_libraries(${name}_headers PRIVATE ${name} ${ARGN} inlay_warnings)
    # No code is made: only the syntax and the types are checked.
    target_compile_options(${name}_headers PRIVATE -O0)
    add_dependencies(header_self_check ${name}_headers)
  endif()
endfunction()
