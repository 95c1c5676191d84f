# What tine stands on: from the system where it has it, else FetchContent gets the release.
include(FetchContent)

# The names of what had to be fetched: it is not installed, so tine cannot be either.
set(tine_fetched "")

# A function, so that what is set for these projects, and keeps their options out of the cache, is set
# for them only.
function(tine_fetch name repository tag)
  # Into tine, which may itself be shared.
  set(BUILD_SHARED_LIBS OFF)
  set(LIBUV_BUILD_SHARED OFF)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  # Which tine can be a part of, and not all of these can.
  set(CMAKE_UNITY_BUILD OFF)
  # What is only for who develops them.
  set(BUILD_TESTING OFF)
  set(JSON_BuildTests OFF)
  set(SIMDJSON_DEVELOPER_MODE OFF)
  # Their warnings, which may be errors here, are for them to see to.
  string(APPEND CMAKE_C_FLAGS " -w")
  string(APPEND CMAKE_CXX_FLAGS " -w")
  set(CMAKE_WARN_DEPRECATED OFF)
  # Some ask for a CMake so old that new ones refuse to be like it, and its option() does not heed the
  # variables above.
  set(CMAKE_POLICY_VERSION_MINIMUM 3.5)
  set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)

  FetchContent_Declare(${name} GIT_REPOSITORY ${repository} GIT_TAG ${tag} GIT_SHALLOW ON SYSTEM)
  FetchContent_MakeAvailable(${name})

  # Only what tine needs of them is built, and nothing installed. FetchContent_Declare takes this as
  # an option from CMake 3.28 on.
  FetchContent_GetProperties(${name} SOURCE_DIR source_dir)
  set_property(DIRECTORY ${source_dir} PROPERTY EXCLUDE_FROM_ALL ON)
endfunction()

find_package(Threads REQUIRED)

find_package(nlohmann_json 3.11 QUIET)
if(NOT nlohmann_json_FOUND)
  tine_fetch(nlohmann_json https://github.com/nlohmann/json.git v3.11.3)
  list(APPEND tine_fetched nlohmann_json)
endif()

# Any release from 3 on. Asked for a version, its package would accept the same minor one only.
find_package(simdjson QUIET)
if(NOT simdjson_FOUND OR simdjson_VERSION VERSION_LESS 3.0)
  tine_fetch(simdjson https://github.com/simdjson/simdjson.git v3.0.1)
  list(APPEND tine_fetched simdjson)
endif()

# Systems ship libuv with a .pc file; its CMake package is rare.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(libuv QUIET IMPORTED_TARGET libuv>=1.44)
endif()
if(libuv_FOUND)
  add_library(tine_libuv ALIAS PkgConfig::libuv)
else()
  tine_fetch(libuv https://github.com/libuv/libuv.git v1.44.2)
  list(APPEND tine_fetched libuv)
  add_library(tine_libuv ALIAS uv_a)
endif()
