# SPDX-License-Identifier: Apache-2.0
# inlay_add_filter(NAME sources... [INCLUDES dirs...] [OPTIONS flags...] [EXPORTS names...] [BUDGET bytes] [OUTPUT_DIRECTORY dir])
#
# A proxy-wasm module, NAME.wasm in OUTPUT_DIRECTORY (default: ${CMAKE_CURRENT_BINARY_DIR}), target NAME_wasm (part of `all`).
# Its sources include the SDK as "sdk/sdk.h"; the SDK exports what the filter implements, EXPORTS adds to that. INCLUDES are
# more folders to include from, OPTIONS more flags of the compiler. It is always optimised, whatever the build type, and the
# same sources give the same bytes. The build fails when it is larger than BUDGET. The compiler is INLAY_WASM_CXX; unset, the
# first clang++ that has a C++ library for wasm32. Besides, wasm-opt and wasm-objdump are needed. The project needs no language.
#
# Part of the installed package: find_package(inlay COMPONENTS sdk) includes this file.

set(INLAY_WASM_TARGET_FLAGS --target=wasm32-wasi -std=c++20 -mbulk-memory)
set(INLAY_ADD_FILTER_DIR ${CMAKE_CURRENT_LIST_DIR})

# Debian 12 has the library for clang 14, Debian 13 for its default one.
if(NOT INLAY_WASM_CXX)
  set(probe ${CMAKE_BINARY_DIR}/CMakeFiles/inlay_wasm_probe)
  file(WRITE ${probe}.cc "#include <coroutine>\n#include <string>\nint main() { return static_cast<int>(std::string().size()); }\n")
  foreach(candidate clang++-14 clang++ clang++-19 clang++-18 clang++-16)
    find_program(INLAY_WASM_CANDIDATE ${candidate} NO_CACHE)
    if(INLAY_WASM_CANDIDATE)
      execute_process(COMMAND ${INLAY_WASM_CANDIDATE} ${INLAY_WASM_TARGET_FLAGS} ${probe}.cc -o ${probe}.wasm
        RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
      if(NOT failed)
        set(INLAY_WASM_CXX ${INLAY_WASM_CANDIDATE} CACHE FILEPATH "The compiler of WebAssembly modules")
        break()
      endif()
    endif()
    unset(INLAY_WASM_CANDIDATE)
  endforeach()
endif()
if(NOT INLAY_WASM_CXX)
  message(FATAL_ERROR "No clang++ can build for wasm32-wasi. On Debian, install: clang lld wasi-libc libc++-dev-wasm32 and "
    "libclang-rt-14-dev-wasm32 (Debian 12) or libclang-rt-19-dev-wasm32 (Debian 13).")
endif()
find_program(INLAY_WASM_OPT wasm-opt)
find_program(INLAY_WASM_OBJDUMP wasm-objdump)
if(NOT INLAY_WASM_OPT OR NOT INLAY_WASM_OBJDUMP)
  message(FATAL_ERROR "To build filters, wasm-opt and wasm-objdump are needed. On Debian, install: binaryen wabt")
endif()

function(inlay_add_filter name)
  cmake_parse_arguments(PARSE_ARGV 1 FILTER "" "BUDGET;OUTPUT_DIRECTORY" "INCLUDES;OPTIONS;EXPORTS")
  if(NOT FILTER_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "inlay_add_filter(${name} ...) names no sources")
  endif()
  if(NOT FILTER_BUDGET)
    set(FILTER_BUDGET 0)
  endif()
  if(NOT FILTER_OUTPUT_DIRECTORY)
    set(FILTER_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  set(work ${FILTER_OUTPUT_DIRECTORY}/${name}.dir)
  set(flags ${INLAY_WASM_TARGET_FLAGS} -Oz -flto -fno-exceptions -fno-rtti -fvisibility=hidden -ffunction-sections
    -fdata-sections -fno-threadsafe-statics -fno-c++-static-destructors -ffile-prefix-map=${CMAKE_SOURCE_DIR}=. ${FILTER_OPTIONS})
  foreach(folder ${FILTER_INCLUDES})
    list(APPEND flags -I${folder})
  endforeach()
  if(INLAY_INCLUDE_DIR)  # the installed SDK
    list(APPEND flags -isystem ${INLAY_INCLUDE_DIR} -ffile-prefix-map=${INLAY_INCLUDE_DIR}=.)
  endif()
  # No -O at the link: given one, clang runs a wasm-opt of its own, without the features that we use.
  set(link_flags -mexec-model=reactor -Wl,--gc-sections,--strip-all,-O2,--global-base=1024,-z,stack-size=32768)
  foreach(export ${FILTER_EXPORTS})
    list(APPEND link_flags -Wl,--export=${export})
  endforeach()

  set(objects)
  foreach(source ${FILTER_UNPARSED_ARGUMENTS})
    get_filename_component(source ${source} ABSOLUTE)
    file(RELATIVE_PATH relative ${CMAKE_SOURCE_DIR} ${source})
    string(MAKE_C_IDENTIFIER ${relative} stem)
    set(object ${work}/${stem}.o)
    add_custom_command(OUTPUT ${object}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${work}
      COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${INLAY_WASM_CXX} ${flags} -MD -MF ${object}.d -c ${source} -o ${object}
      DEPENDS ${source} DEPFILE ${object}.d VERBATIM COMMENT "Building wasm object ${relative}")
    list(APPEND objects ${object})
  endforeach()

  # The linker leaves the first 1024 bytes of the memory alone, and a module's memory starts as zeros.
  set(output ${FILTER_OUTPUT_DIRECTORY}/${name}.wasm)
  add_custom_command(OUTPUT ${output}
    COMMAND ${INLAY_WASM_CXX} ${INLAY_WASM_TARGET_FLAGS} -flto ${link_flags} ${objects} -o ${work}/linked.wasm
    COMMAND ${INLAY_WASM_OPT} -Oz --converge --low-memory-unused --zero-filled-memory
      --enable-bulk-memory --strip-debug --strip-producers ${work}/linked.wasm -o ${work}/small.wasm
    COMMAND ${CMAKE_COMMAND} -DMODULE=${work}/small.wasm -DNAME=${name} -DBUDGET=${FILTER_BUDGET}
      -DOBJDUMP=${INLAY_WASM_OBJDUMP} -P ${INLAY_ADD_FILTER_DIR}/wasm_size.cmake
    COMMAND ${CMAKE_COMMAND} -E copy ${work}/small.wasm ${output}
    DEPENDS ${objects} ${INLAY_ADD_FILTER_DIR}/wasm_size.cmake VERBATIM COMMENT "Linking wasm module ${name}.wasm")
  add_custom_target(${name}_wasm ALL DEPENDS ${output})
endfunction()
