# cmake -D COMPILED=FILE -D TEMPLATE=FILE -D HEADER=FILE -P write_json_header.cmake
#
# Writes HEADER from TEMPLATE, with the values that cmake/json_probe.cpp left in COMPILED.
cmake_minimum_required(VERSION 3.25)

file(STRINGS ${COMPILED} macros REGEX "tine_json_probe [A-Z0-9_]+=")
foreach(macro IN LISTS macros)
  string(REGEX MATCH "tine_json_probe ([A-Z0-9_]+)=(.*)$" found "${macro}")
  set(${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
endforeach()
if(NOT DEFINED NLOHMANN_JSON_NAMESPACE)
  message(FATAL_ERROR "${COMPILED} does not tell what tine is compiled with: is json_probe.cpp not compiled to a usual object file?")
endif()

foreach(macro _LIBCPP_VERSION _GLIBCXX_DEBUG)
  set(has${macro} 1)
  if("${${macro}}" STREQUAL "${macro}")
    set(has${macro} 0)
  endif()
endforeach()

set(json_version "${NLOHMANN_JSON_VERSION_MAJOR}.${NLOHMANN_JSON_VERSION_MINOR}.${NLOHMANN_JSON_VERSION_PATCH}")

# Options that this version of nlohmann/json, or this standard library, defines.
set(options "")
foreach(option
    _GLIBCXX_USE_CXX11_ABI JSON_DIAGNOSTICS JSON_DIAGNOSTIC_POSITIONS NLOHMANN_JSON_NAMESPACE_NO_VERSION)
  if(NOT "${${option}}" STREQUAL "${option}")
    string(APPEND options
      "#elif ${option} != ${${option}}\n"
      "#error \"tine was built with ${option}=${${option}}, and this program is compiled with another value: use the same one for both\"\n")
  endif()
endforeach()

configure_file(${TEMPLATE} ${HEADER} @ONLY)
# An unchanged header keeps its old time, and would be written again by every build.
file(TOUCH_NOCREATE ${HEADER})
