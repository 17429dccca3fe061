# SPDX-License-Identifier: Apache-2.0
# inlay_wasm_module(NAME SOURCES files... [ROOMS rooms...] [BUDGET bytes] [EXPORTS names...])
#
# A proxy-wasm module, NAME.wasm in ${CMAKE_BINARY_DIR}/wasm, target NAME_wasm (part of `all`). ROOMS (default: sdk abi
# base) are what its sources may include; the SDK exports what the filter implements, EXPORTS adds to that. It is always
# optimised, whatever the preset, and the same sources give the same bytes. The build fails when it is larger than BUDGET.

set(INLAY_WASM_TARGET_FLAGS --target=wasm32-wasi -std=c++20 -mbulk-memory)
set(INLAY_WASM_DIR ${CMAKE_BINARY_DIR}/wasm)

# The first clang that has a C++ library for wasm32 (Debian 12: 14; Debian 13: the default one).
if(NOT INLAY_WASM_CXX)
  set(probe ${CMAKE_BINARY_DIR}/CMakeFiles/wasm_probe)
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
  message(FATAL_ERROR "No clang++ can build for wasm32-wasi. Debian: clang lld wasi-libc libc++-dev-wasm32 "
    "libclang-rt-dev-wasm32 (scripts/bootstrap installs them).")
endif()
find_program(INLAY_WASM_OPT wasm-opt REQUIRED)
find_program(INLAY_WASM_OBJDUMP wasm-objdump REQUIRED)

function(inlay_wasm_module name)
  cmake_parse_arguments(WASM "" "BUDGET" "SOURCES;ROOMS;EXPORTS" ${ARGN})
  if(NOT WASM_ROOMS)
    set(WASM_ROOMS sdk abi base)
  endif()
  if(NOT WASM_BUDGET)
    set(WASM_BUDGET 0)
  endif()
  set(flags ${INLAY_WASM_TARGET_FLAGS} -Oz -flto -fno-exceptions -fno-rtti -fvisibility=hidden -ffunction-sections
    -fdata-sections -fno-threadsafe-statics -fno-c++-static-destructors -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.
    -ffile-prefix-map=${CMAKE_BINARY_DIR}/rooms=. -Wall -Wextra -Werror -Wshadow)
  foreach(room ${WASM_ROOMS})
    list(APPEND flags -I${CMAKE_BINARY_DIR}/rooms/${room})
  endforeach()
  # No -O at the link: given one, clang runs a wasm-opt of its own, without the features that we use.
  set(link_flags -mexec-model=reactor -Wl,--gc-sections,--strip-all,-O2,--global-base=1024,-z,stack-size=32768)
  foreach(export ${WASM_EXPORTS})
    list(APPEND link_flags -Wl,--export=${export})
  endforeach()

  set(objects)
  foreach(source ${WASM_SOURCES})
    get_filename_component(source ${source} ABSOLUTE)
    file(RELATIVE_PATH relative ${CMAKE_SOURCE_DIR} ${source})
    string(MAKE_C_IDENTIFIER ${relative} stem)
    set(object ${INLAY_WASM_DIR}/${name}.dir/${stem}.o)
    add_custom_command(OUTPUT ${object}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${INLAY_WASM_DIR}/${name}.dir
      COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${INLAY_WASM_CXX} ${flags} -MD -MF ${object}.d -c ${source} -o ${object}
      DEPENDS ${source} DEPFILE ${object}.d VERBATIM COMMENT "Building wasm object ${relative}")
    list(APPEND objects ${object})
  endforeach()

  # The linker leaves the first 1024 bytes of the memory alone, and a module's memory starts as zeros.
  set(output ${INLAY_WASM_DIR}/${name}.wasm)
  add_custom_command(OUTPUT ${output}
    COMMAND ${INLAY_WASM_CXX} ${INLAY_WASM_TARGET_FLAGS} -flto ${link_flags} ${objects} -o ${INLAY_WASM_DIR}/${name}.dir/linked.wasm
    COMMAND ${INLAY_WASM_OPT} -Oz --converge --low-memory-unused --zero-filled-memory
      --enable-bulk-memory --strip-debug --strip-producers ${INLAY_WASM_DIR}/${name}.dir/linked.wasm
      -o ${INLAY_WASM_DIR}/${name}.dir/small.wasm
    COMMAND ${CMAKE_COMMAND} -DMODULE=${INLAY_WASM_DIR}/${name}.dir/small.wasm -DNAME=${name} -DBUDGET=${WASM_BUDGET}
      -DOBJDUMP=${INLAY_WASM_OBJDUMP} -P ${CMAKE_SOURCE_DIR}/cmake/wasm_size.cmake
    COMMAND ${CMAKE_COMMAND} -E copy ${INLAY_WASM_DIR}/${name}.dir/small.wasm ${output}
    DEPENDS ${objects} ${CMAKE_SOURCE_DIR}/cmake/wasm_size.cmake VERBATIM COMMENT "Linking wasm module ${name}.wasm")
  add_custom_target(${name}_wasm ALL DEPENDS ${output})
endfunction()
