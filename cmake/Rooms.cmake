# SPDX-License-Identifier: Apache-2.0
# inlay_room(NAME [DIR dir] [NO_RECURSE] DEPS rooms... [TEST_DEPS rooms...] LIBS libraries...)
#
# One library target a room, from every .cc of its folder but main.cc, x_test.cc, x_benchmark.cc, x_fuzz.cc; the tests become
# NAME_tests, the benchmarks NAME_benchmarks, each fuzzer a program of its own. TEST_DEPS are rooms that these alone, and their
# fixtures, include: of whatever floor, as nothing includes a test. The include path of a room holds itself
# and DEPS, and what those include: each room has a folder of its own with one link in it. scripts/check_includes says where
# a file includes a room that its own does not declare.

set(INLAY_ROOMS_DIR ${CMAKE_BINARY_DIR}/rooms)

function(inlay_room name)
  cmake_parse_arguments(ROOM "NO_RECURSE" "DIR" "DEPS;TEST_DEPS;LIBS" ${ARGN})
  if(NOT ROOM_DIR)
    set(ROOM_DIR ${name})
  endif()
  get_filename_component(parent ${ROOM_DIR} DIRECTORY)
  file(MAKE_DIRECTORY ${INLAY_ROOMS_DIR}/${name}/${parent})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${ROOM_DIR} ${INLAY_ROOMS_DIR}/${name}/${ROOM_DIR} SYMBOLIC)

  if(ROOM_NO_RECURSE)
    file(GLOB all CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${ROOM_DIR}/*.cc)
  else()
    file(GLOB_RECURSE all CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${ROOM_DIR}/*.cc)
  endif()
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "_(test|benchmark|fuzz)\\.cc$|/main\\.cc$|/testdata/")

  if(sources)
    add_library(${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:inlay_warnings>)
  else()
    add_library(${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${name} ${scope} $<BUILD_INTERFACE:${INLAY_ROOMS_DIR}/${name}>)
  target_link_libraries(${name} ${scope} ${ROOM_DEPS} ${ROOM_LIBS})

  if(INLAY_TESTS)
    set(tests ${all})
    list(FILTER tests INCLUDE REGEX "_test\\.cc$")
    list(FILTER tests EXCLUDE REGEX "/testdata/")
    if(tests)
      add_executable(${name}_tests ${tests})
      target_link_libraries(${name}_tests PRIVATE ${name} ${ROOM_TEST_DEPS} inlay_warnings GTest::gtest GTest::gmock GTest::gtest_main)
      target_compile_definitions(${name}_tests PRIVATE INLAY_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
        INLAY_BINARY_DIR="${CMAKE_BINARY_DIR}")
      # What a test says need not be fast, and takes half the time to compile so. What it tests is optimised.
      target_compile_options(${name}_tests PRIVATE $<$<CONFIG:Release>:-O1>)
      add_test(NAME ${name} COMMAND ${name}_tests)
    endif()
  endif()
  if(INLAY_BENCH)
    set(benchmarks ${all})
    list(FILTER benchmarks INCLUDE REGEX "_benchmark\\.cc$")
    if(benchmarks)
      add_executable(${name}_benchmarks ${benchmarks})
      target_link_libraries(${name}_benchmarks PRIVATE ${name} ${ROOM_TEST_DEPS} inlay_warnings benchmark::benchmark_main)
      target_compile_definitions(${name}_benchmarks PRIVATE INLAY_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
        INLAY_BINARY_DIR="${CMAKE_BINARY_DIR}")
    endif()
  endif()
  if(INLAY_FUZZ)
    set(fuzzers ${all})
    list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
    foreach(fuzzer ${fuzzers})
      get_filename_component(stem ${fuzzer} NAME_WE)
      add_executable(${stem} ${fuzzer})
      target_link_libraries(${stem} PRIVATE ${name} ${ROOM_TEST_DEPS} inlay_warnings)
      target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
  if(ROOM_NO_RECURSE)
    inlay_header_self_check(${name} ${ROOM_DIR} FALSE ${ROOM_TEST_DEPS})
  else()
    inlay_header_self_check(${name} ${ROOM_DIR} TRUE ${ROOM_TEST_DEPS})
  endif()
endfunction()
