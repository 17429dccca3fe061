# SPDX-License-Identifier: Apache-2.0
# Debian's packages as targets (scripts/bootstrap installs them). inlay:: targets are those that bring no CMake package
# of their own; they are SYSTEM includes, so that our warnings stay ours.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
if(INLAY_TESTS)
  find_package(GTest REQUIRED)
endif()
if(INLAY_BENCH)
  find_package(benchmark REQUIRED)
  find_path(BEAST_INCLUDE boost/beast/http/basic_parser.hpp REQUIRED)
endif()

find_library(WABT_LIBRARY NAMES wabt REQUIRED)
find_path(WABT_INCLUDE wabt/binary-reader.h REQUIRED)
add_library(inlay_wabt INTERFACE)
target_include_directories(inlay_wabt SYSTEM INTERFACE ${WABT_INCLUDE})
target_link_libraries(inlay_wabt INTERFACE ${WABT_LIBRARY} OpenSSL::Crypto)
add_library(inlay::wabt ALIAS inlay_wabt)

find_library(RE2_LIBRARY NAMES re2 REQUIRED)
add_library(inlay_re2 INTERFACE)
target_link_libraries(inlay_re2 INTERFACE ${RE2_LIBRARY})
add_library(inlay::re2 ALIAS inlay_re2)

find_path(RAPIDJSON_INCLUDE rapidjson/document.h REQUIRED)
add_library(inlay_rapidjson INTERFACE)
target_include_directories(inlay_rapidjson SYSTEM INTERFACE ${RAPIDJSON_INCLUDE})
add_library(inlay::rapidjson ALIAS inlay_rapidjson)
