# llhttp, Node's HTTP parser, for the demos, tests and benchmarks of clusters. It is not part of
# tine. It comes from the system, as a library or, on Debian 12, as sources. If the system lacks it,
# FetchContent gets the release.
if(TARGET tine_llhttp)
  return()
endif()

find_path(llhttp_include_dir llhttp.h HINTS /usr/share/include/llhttp)
find_library(llhttp_library llhttp)
find_path(llhttp_source_dir llhttp.c HINTS /usr/share/llhttp)

if(llhttp_include_dir AND llhttp_library)
  add_library(tine_llhttp UNKNOWN IMPORTED GLOBAL)
  set_target_properties(tine_llhttp PROPERTIES
    IMPORTED_LOCATION ${llhttp_library} INTERFACE_INCLUDE_DIRECTORIES ${llhttp_include_dir})
  return()
endif()

if(NOT llhttp_include_dir OR NOT llhttp_source_dir)
  # Its own CMakeLists.txt is not used, because the names of its options and targets change.
  FetchContent_Declare(llhttp GIT_REPOSITORY https://github.com/nodejs/llhttp.git
    GIT_TAG release/v9.2.1 GIT_SHALLOW ON SOURCE_SUBDIR none)
  FetchContent_MakeAvailable(llhttp)
  set(llhttp_include_dir ${llhttp_SOURCE_DIR}/include)
  set(llhttp_source_dir ${llhttp_SOURCE_DIR}/src)
endif()

add_library(tine_llhttp STATIC EXCLUDE_FROM_ALL
  ${llhttp_source_dir}/api.c ${llhttp_source_dir}/http.c ${llhttp_source_dir}/llhttp.c)
target_include_directories(tine_llhttp SYSTEM PUBLIC ${llhttp_include_dir})
set_target_properties(tine_llhttp PROPERTIES UNITY_BUILD OFF)
# Warnings in llhttp cannot be mended here.
target_compile_options(tine_llhttp PRIVATE -w)
