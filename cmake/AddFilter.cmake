# SPDX-License-Identifier: Apache-2.0
# inlay_add_filter(NAME sources... [INCLUDES dirs...] [OPTIONS flags...] [EXPORTS names...] [BUDGET bytes] [OUTPUT_DIRECTORY dir])
#
# A proxy-wasm module, NAME.wasm in OUTPUT_DIRECTORY (default: ${CMAKE_CURRENT_BINARY_DIR}), target NAME_wasm (part of `all`).
# Its sources include the SDK as "sdk/sdk.h"; the SDK exports what the filter implements, EXPORTS adds to that. INCLUDES are
# more folders to include from, OPTIONS more flags of the compiler. Relative sources and INCLUDES are relative to the
# CMakeLists.txt that calls, a relative OUTPUT_DIRECTORY to its build folder. A module is always optimised, whatever the build
# type, and the same sources give the same bytes. The build fails when it is larger than BUDGET.
#
# The compiler is INLAY_WASM_CXX; unset, the first clang++ that has a C++ library for wasm32. Besides, wasm-opt and
# wasm-objdump are needed. All are looked for by the first call, not before. The project needs no language.
#
# Part of the installed package: find_package(inlay COMPONENTS sdk) includes this file. The global property INLAY_INCLUDE_DIR
# is where the installed headers are; this tree's own modules leave it unset, and name their INCLUDES.

# inlay_wasm_target_flags(VARIABLE): the flags that say what is compiled for.
function(inlay_wasm_target_flags variable)
  set(${variable} --target=wasm32-wasi -std=c++20 -mbulk-memory PARENT_SCOPE)
endfunction()

# inlay_find_wasm_toolchain(): sets the cache variables INLAY_WASM_CXX, INLAY_WASM_OPT and INLAY_WASM_OBJDUMP, or fails and
# says what to install.
function(inlay_find_wasm_toolchain)
  # Debian 12 has the library for clang 14, Debian 13 for its default one.
  if(NOT INLAY_WASM_CXX)
    inlay_wasm_target_flags(flags)
    set(probe ${CMAKE_BINARY_DIR}/CMakeFiles/inlay_wasm_probe)
    file(WRITE ${probe}.cc "#include <coroutine>\n#include <string>\nint main() { return static_cast<int>(std::string().size()); }\n")
    foreach(candidate clang++-14 clang++ clang++-19 clang++-18 clang++-16)
      unset(found)
      find_program(found ${candidate} NO_CACHE)
      if(found)
        execute_process(COMMAND ${found} ${flags} ${probe}.cc -o ${probe}.wasm RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
        if(NOT failed)
          set(INLAY_WASM_CXX ${found} CACHE FILEPATH "The compiler of WebAssembly modules" FORCE)
          break()
        endif()
      endif()
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
endfunction()

# inlay_object_path(VARIABLE source): the place of a source's object below its module's folder: the source's path from the
# calling CMakeLists.txt, so that no two sources share one. As CMake does for its own objects, `..` becomes `__`.
function(inlay_object_path variable source)
  file(RELATIVE_PATH path ${CMAKE_CURRENT_SOURCE_DIR} ${source})
  string(REPLACE "../" "__/" path ${path})
  set(${variable} ${path}.o PARENT_SCOPE)
endfunction()

# inlay_compile_filter(OBJECTS FOLDER SOURCES sources... [INCLUDES dirs...] [OPTIONS flags...]): the commands that compile a
# filter's sources to objects in FOLDER; sets OBJECTS to their paths.
function(inlay_compile_filter objects folder)
  cmake_parse_arguments(PARSE_ARGV 2 FILTER "" "" "SOURCES;INCLUDES;OPTIONS")
  inlay_wasm_target_flags(target_flags)
  set(flags ${target_flags} -Oz -flto -fno-exceptions -fno-rtti -fvisibility=hidden -ffunction-sections
    -fdata-sections -fno-threadsafe-statics -fno-c++-static-destructors
    -fwhole-program-vtables -fvirtual-function-elimination -ffile-prefix-map=${CMAKE_SOURCE_DIR}=. ${FILTER_OPTIONS})
  foreach(include ${FILTER_INCLUDES})
    get_filename_component(include ${include} ABSOLUTE)
    list(APPEND flags -I${include})
  endforeach()
  get_property(sdk GLOBAL PROPERTY INLAY_INCLUDE_DIR)
  if(sdk)
    list(APPEND flags -isystem ${sdk} -ffile-prefix-map=${sdk}=.)
  endif()

  set(made)
  foreach(source ${FILTER_SOURCES})
    get_filename_component(source ${source} ABSOLUTE)
    file(RELATIVE_PATH shown ${CMAKE_SOURCE_DIR} ${source})
    inlay_object_path(object ${source})
    set(object ${folder}/${object})
    get_filename_component(parent ${object} DIRECTORY)
    add_custom_command(OUTPUT ${object}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${parent}
      COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${INLAY_WASM_CXX} ${flags} -MD -MF ${object}.d -c ${source} -o ${object}
      DEPENDS ${source} DEPFILE ${object}.d VERBATIM COMMENT "Building wasm object ${shown}")
    list(APPEND made ${object})
  endforeach()
  set(${objects} ${made} PARENT_SCOPE)
endfunction()

# inlay_link_filter(NAME OUTPUT FOLDER BUDGET OBJECTS objects... [EXPORTS names...]): the command that makes the module OUTPUT
# of objects, with what lies between in FOLDER.
function(inlay_link_filter name output folder budget)
  cmake_parse_arguments(PARSE_ARGV 4 FILTER "" "" "OBJECTS;EXPORTS")
  inlay_wasm_target_flags(target_flags)
  # No -O at the link: given one, clang runs a wasm-opt of its own, without the features that we use. Loop strength reduction
  # gives a loop several counters where one would do, which a host's own compiler finds out by itself.
  set(flags ${target_flags} -flto -mexec-model=reactor -Wl,--gc-sections,--strip-all,-O2,--global-base=1024,-z,stack-size=32768
    -Wl,-mllvm,-disable-lsr)
  foreach(export ${FILTER_EXPORTS})
    list(APPEND flags -Wl,--export=${export})
  endforeach()
  # The linker leaves the first 1024 bytes of the memory alone, and a module's memory starts as zeros. Stripping comes first: a
  # pass behind the last -Oz undoes a part of it, the choice of what stays on the stack.
  set(size ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/wasm_size.cmake)
  add_custom_command(OUTPUT ${output}
    COMMAND ${INLAY_WASM_CXX} ${flags} ${FILTER_OBJECTS} -o ${folder}/linked.wasm
    COMMAND ${INLAY_WASM_OPT} --enable-bulk-memory --low-memory-unused --zero-filled-memory --strip-debug --strip-producers
      --flatten --rereloop -Oz -Oz --merge-similar-functions -Oz --converge ${folder}/linked.wasm -o ${folder}/small.wasm
    COMMAND ${CMAKE_COMMAND} -DMODULE=${folder}/small.wasm -DNAME=${name} -DBUDGET=${budget}
      -DOBJDUMP=${INLAY_WASM_OBJDUMP} -P ${size}
    COMMAND ${CMAKE_COMMAND} -E copy ${folder}/small.wasm ${output}
    DEPENDS ${FILTER_OBJECTS} ${size} VERBATIM COMMENT "Linking wasm module ${name}.wasm")
endfunction()

function(inlay_add_filter name)
  cmake_parse_arguments(PARSE_ARGV 1 FILTER "" "BUDGET;OUTPUT_DIRECTORY" "INCLUDES;OPTIONS;EXPORTS")
  if(NOT FILTER_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "inlay_add_filter(${name} ...) names no sources")
  endif()
  foreach(path ${FILTER_UNPARSED_ARGUMENTS} ${FILTER_INCLUDES})
    if(path MATCHES "\\$<")
      message(FATAL_ERROR "inlay_add_filter(${name} ...): '${path}' is a generator expression; sources and INCLUDES have to be "
        "paths that are known when CMake runs. Choose between them with if().")
    endif()
  endforeach()
  if(NOT FILTER_BUDGET)
    set(FILTER_BUDGET 0)
  endif()
  if(NOT FILTER_OUTPUT_DIRECTORY)
    set(FILTER_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  get_filename_component(directory ${FILTER_OUTPUT_DIRECTORY} ABSOLUTE BASE_DIR ${CMAKE_CURRENT_BINARY_DIR})

  inlay_find_wasm_toolchain()
  inlay_compile_filter(objects ${directory}/${name}.dir SOURCES ${FILTER_UNPARSED_ARGUMENTS} INCLUDES ${FILTER_INCLUDES}
    OPTIONS ${FILTER_OPTIONS})
  inlay_link_filter(${name} ${directory}/${name}.wasm ${directory}/${name}.dir ${FILTER_BUDGET} OBJECTS ${objects}
    EXPORTS ${FILTER_EXPORTS})
  add_custom_target(${name}_wasm ALL DEPENDS ${directory}/${name}.wasm)
endfunction()
