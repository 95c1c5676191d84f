# Generates tine/detail/json.hpp, which states what tine is compiled with. Only a compilation with the
# same flags knows that. So this compiles a source that contains nothing but texts, and
# cmake/write_json_header.cmake reads the texts from the object file.
#
# Each configuration has a header of its own. If several are installed in one prefix, the last one
# remains.
set(tine_generated_include ${PROJECT_BINARY_DIR}/generated)
get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(multi_config)
  string(APPEND tine_generated_include /$<CONFIG>)
endif()

add_library(tine_json_probe STATIC EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/json_probe.cpp)
target_compile_features(tine_json_probe PRIVATE cxx_std_20)
target_compile_definitions(tine_json_probe PRIVATE $<TARGET_PROPERTY:tine,COMPILE_DEFINITIONS>)
# With LTO, the object file would not contain the texts.
target_compile_options(tine_json_probe PRIVATE $<TARGET_PROPERTY:tine,COMPILE_OPTIONS> -fno-lto)
set_target_properties(tine_json_probe PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
target_link_libraries(tine_json_probe PRIVATE nlohmann_json::nlohmann_json)

set(tine_json_template ${PROJECT_SOURCE_DIR}/include/tine/detail/json.hpp.in)
add_custom_command(
  OUTPUT ${tine_generated_include}/tine/detail/json.hpp
  COMMAND ${CMAKE_COMMAND}
    -D COMPILED=$<TARGET_FILE:tine_json_probe>
    -D TEMPLATE=${tine_json_template}
    -D HEADER=${tine_generated_include}/tine/detail/json.hpp
    -P ${CMAKE_CURRENT_LIST_DIR}/write_json_header.cmake
  DEPENDS tine_json_probe ${tine_json_template} ${CMAKE_CURRENT_LIST_DIR}/write_json_header.cmake
  COMMENT "Writing tine/detail/json.hpp"
  VERBATIM)
target_sources(tine PUBLIC FILE_SET HEADERS BASE_DIRS ${tine_generated_include} FILES
  ${tine_generated_include}/tine/detail/json.hpp)
