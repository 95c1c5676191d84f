# simdjson, which parses messages. It is compiled into tine, with its namespace renamed to
# tine_simdjson, so that it does not collide with an application's own simdjson of another version or
# with other flags.
#
# If the project that tine is a part of has a target of simdjson, tine uses that one.
foreach(target simdjson::simdjson simdjson)
  if(TARGET ${target})
    list(APPEND tine_not_installed simdjson)
    add_library(tine_simdjson INTERFACE)
    target_link_libraries(tine_simdjson INTERFACE ${target})
    tine_hide(${target})
    return()
  endif()
endforeach()

# cmake/install-dependencies puts the sources here.
set(tine_simdjson_source ${PROJECT_SOURCE_DIR}/build/sources/simdjson)
if(FETCHCONTENT_SOURCE_DIR_SIMDJSON)
  set(tine_simdjson_source ${FETCHCONTENT_SOURCE_DIR_SIMDJSON})
elseif(NOT EXISTS ${tine_simdjson_source})
  message(STATUS "tine: fetching simdjson from GitHub. Where that fails, run cmake/install-dependencies build, "
                 "which gets it from Debian, or give -DFETCHCONTENT_SOURCE_DIR_SIMDJSON=<folder of its sources>")
  # The name is not simdjson, or an application that fetches simdjson later would get ours. Its own
  # CMakeLists.txt is not used, because it creates targets of that name.
  FetchContent_Declare(tine_simdjson GIT_REPOSITORY https://github.com/simdjson/simdjson.git
    GIT_TAG v3.0.1 GIT_SHALLOW ON SOURCE_SUBDIR none)
  FetchContent_MakeAvailable(tine_simdjson)
  set(tine_simdjson_source ${tine_simdjson_SOURCE_DIR})
endif()

add_library(tine_simdjson OBJECT ${tine_simdjson_source}/src/simdjson.cpp)
# Renames the namespace and nothing else: macros of simdjson begin with SIMDJSON_ or simdjson_.
target_compile_definitions(tine_simdjson PUBLIC simdjson=tine_simdjson)
target_compile_features(tine_simdjson PRIVATE cxx_std_20)
target_include_directories(tine_simdjson SYSTEM
  PUBLIC ${tine_simdjson_source}/include PRIVATE ${tine_simdjson_source}/src)
# Optimized in every build type, as systems ship it: tests that parse much would be slow otherwise.
target_compile_options(tine_simdjson PRIVATE -O2 -g0 -w -fno-sanitize=all -ffunction-sections -fdata-sections)
set_target_properties(tine_simdjson PROPERTIES
  UNITY_BUILD OFF
  CXX_VISIBILITY_PRESET hidden
  VISIBILITY_INLINES_HIDDEN ON
  POSITION_INDEPENDENT_CODE ON)
