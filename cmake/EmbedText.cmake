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

# inlay_embed_files(TARGET FOLDER NAMESPACE FUNCTION FILE...): compiles files, as they are, into TARGET as the function
# `std::string_view NAMESPACE::FUNCTION(std::string_view name)`, which has their text by their names below FOLDER.
function(inlay_embed_files target folder namespace function)
  set(source ${CMAKE_BINARY_DIR}/generated/${function}.cc)
  set(entries "")
  foreach(file ${ARGN})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR}/${folder} ${file})
    file(READ ${file} text)
    string(APPEND entries "    {\"${name}\", R\"inlay(${text})inlay\"},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[
#include <string_view>
namespace @namespace@ {
std::string_view @function@(std::string_view name);
namespace {
struct File {
  std::string_view name;
  std::string_view text;
};
constexpr File kFiles[] = {
@entries@};
}  // namespace
std::string_view @function@(std::string_view name) {
  for (const File& file : kFiles)
    if (file.name == name) return file.text;
  return {};
}
}
]])
  set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)  # clang counts
  target_sources(${target} PRIVATE ${source})
endfunction()
