# SPDX-License-Identifier: Apache-2.0
# inlay_embed_text(TARGET FILE NAMESPACE NAME): compiles FILE into TARGET as `extern const std::string_view NAMESPACE::NAME`.
function(inlay_embed_text target file namespace name)
  set(source ${CMAKE_BINARY_DIR}/generated/${name}.cc)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${file})
  file(READ ${CMAKE_SOURCE_DIR}/${file} text)
  string(REGEX REPLACE "[ \t\r\n]*\n[ \t]*" "" text "${text}")
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[
#include <string_view>
namespace @namespace@ {
extern const std::string_view @name@;
const std::string_view @name@ = R"inlay(@text@)inlay";
}
]])
  set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)  # clang counts
  target_sources(${target} PRIVATE ${source})
endfunction()
