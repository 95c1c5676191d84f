# The libraries that tine needs. Each comes from the project that tine is a part of, if that has a
# target of the library; else from the system; else FetchContent gets a release.
include(FetchContent)

# Lists the libraries that do not come from the system. They are not installed, so tine cannot be
# installed either.
set(tine_not_installed "")

# Fetches a library. This is a function so that the variables below are set for the fetched project
# only. They also keep its options out of the cache.
function(tine_fetch name repository tag)
  # A static library goes into tine, which may be shared itself.
  set(BUILD_SHARED_LIBS OFF)
  set(LIBUV_BUILD_SHARED OFF)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  # Not all of these projects compile as a unity build.
  set(CMAKE_UNITY_BUILD OFF)
  # tine does not run the tests of these projects.
  set(BUILD_TESTING OFF)
  set(JSON_BuildTests OFF)
  # A preset may turn warnings into errors. Warnings in other projects cannot be mended here.
  string(APPEND CMAKE_C_FLAGS " -w")
  string(APPEND CMAKE_CXX_FLAGS " -w")
  set(CMAKE_WARN_DEPRECATED OFF)
  # Some projects ask for the behaviour of a CMake so old that newer ones refuse it, and that ignores
  # the variables above in option().
  set(CMAKE_POLICY_VERSION_MINIMUM 3.5)
  set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)

  FetchContent_Declare(${name} GIT_REPOSITORY ${repository} GIT_TAG ${tag} GIT_SHALLOW ON SYSTEM)
  FetchContent_MakeAvailable(${name})

  # Only the targets that tine needs are built, and nothing is installed. FetchContent_Declare has an
  # option for this since CMake 3.28.
  FetchContent_GetProperties(${name} SOURCE_DIR source_dir)
  set_property(DIRECTORY ${source_dir} PROPERTY EXCLUDE_FROM_ALL ON)
endfunction()

# Hides the symbols of a target if it is a static library inside a shared tine, because an application
# may have another copy of that library.
set(tine_hidden "")
function(tine_hide target)
  get_target_property(type ${target} TYPE)
  if(BUILD_SHARED_LIBS AND type STREQUAL "STATIC_LIBRARY")
    list(APPEND tine_hidden ${target})
    set(tine_hidden ${tine_hidden} PARENT_SCOPE)
  endif()
endfunction()

find_package(Threads REQUIRED)

if(TARGET nlohmann_json::nlohmann_json)
  get_target_property(imported nlohmann_json::nlohmann_json IMPORTED)
  if(NOT imported OR NOT nlohmann_json_VERSION)
    list(APPEND tine_not_installed nlohmann_json)
  endif()
else()
  find_package(nlohmann_json 3.11 QUIET)
  if(NOT nlohmann_json_FOUND)
    tine_fetch(nlohmann_json https://github.com/nlohmann/json.git v3.11.3)
    list(APPEND tine_not_installed nlohmann_json)
  endif()
endif()

include(cmake/simdjson.cmake)

# An application that shares a loop with tine must use the same libuv, which is offered as tine::libuv.
set(candidates uv_a libuv::uv_a uv libuv::uv libuv::libuv)
if(BUILD_SHARED_LIBS)
  set(candidates uv libuv::uv uv_a libuv::uv_a libuv::libuv)
endif()
set(tine_libuv_target "")
foreach(target IN LISTS candidates)
  if(TARGET ${target} AND NOT tine_libuv_target)
    set(tine_libuv_target ${target})
    list(APPEND tine_not_installed libuv)
  endif()
endforeach()
if(NOT tine_libuv_target)
  # Systems ship libuv with a .pc file; its CMake package is rare.
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(libuv QUIET IMPORTED_TARGET libuv>=1.44)
  endif()
  if(libuv_FOUND)
    set(tine_libuv_target PkgConfig::libuv)
  else()
    # Before 1.48 it has CVE-2024-24806.
    tine_fetch(libuv https://github.com/libuv/libuv.git v1.50.0)
    set(tine_libuv_target uv_a)
    list(APPEND tine_not_installed libuv)
  endif()
endif()
tine_hide(${tine_libuv_target})
# tine itself is linked with the target, because only that one is known where tine is installed.
add_library(tine_libuv INTERFACE)
target_link_libraries(tine_libuv INTERFACE ${tine_libuv_target})
