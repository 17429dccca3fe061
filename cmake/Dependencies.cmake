# SPDX-License-Identifier: Apache-2.0
# Debian's packages as targets (scripts/bootstrap installs them). inlay:: targets are those that bring no CMake package
# of their own; they are SYSTEM includes, so that our warnings stay ours.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
include(Wabt)
if(INLAY_TESTS)
  find_package(GTest REQUIRED)
endif()
if(INLAY_BENCH)
  find_package(benchmark REQUIRED)
  find_path(BEAST_INCLUDE boost/beast/http/basic_parser.hpp REQUIRED)
endif()

find_path(RAPIDJSON_INCLUDE rapidjson/document.h REQUIRED)
add_library(inlay_rapidjson INTERFACE)
target_include_directories(inlay_rapidjson SYSTEM INTERFACE ${RAPIDJSON_INCLUDE})
add_library(inlay::rapidjson ALIAS inlay_rapidjson)

if(INLAY_PROXY)
  find_package(yaml-cpp REQUIRED)
  find_package(spdlog REQUIRED)
  find_package(CLI11 REQUIRED)
  find_library(RE2_LIBRARY NAMES re2 REQUIRED)
  add_library(inlay_re2 INTERFACE)
  target_link_libraries(inlay_re2 INTERFACE ${RE2_LIBRARY})
  add_library(inlay::re2 ALIAS inlay_re2)
endif()
