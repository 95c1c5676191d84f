# What tine stands on: from the system where it has it, else FetchContent gets the release.
include(FetchContent)

# The names of what had to be fetched: it is not installed, so tine cannot be either.
set(tine_fetched "")

find_package(Threads REQUIRED)

find_package(nlohmann_json 3.11 QUIET)
if(NOT nlohmann_json_FOUND)
  FetchContent_Declare(nlohmann_json
    GIT_REPOSITORY https://github.com/nlohmann/json.git GIT_TAG v3.11.3 GIT_SHALLOW ON)
  FetchContent_MakeAvailable(nlohmann_json)
  list(APPEND tine_fetched nlohmann_json)
endif()

# Any release from 3 on. Asked for a version, its package would accept the same minor one only.
find_package(simdjson QUIET)
if(NOT simdjson_FOUND OR simdjson_VERSION VERSION_LESS 3.0)
  FetchContent_Declare(simdjson
    GIT_REPOSITORY https://github.com/simdjson/simdjson.git GIT_TAG v3.0.1 GIT_SHALLOW ON)
  FetchContent_MakeAvailable(simdjson)
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
  FetchContent_Declare(libuv
    GIT_REPOSITORY https://github.com/libuv/libuv.git GIT_TAG v1.44.2 GIT_SHALLOW ON)
  FetchContent_MakeAvailable(libuv)
  list(APPEND tine_fetched libuv)
  add_library(tine_libuv ALIAS uv_a)
endif()
