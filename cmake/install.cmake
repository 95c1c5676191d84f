# Installs the library, its headers, and what find_package and pkg-config need to find them again.
if(tine_not_installed)
  message(STATUS "tine: no install rules, because these are not the system's: ${tine_not_installed}")
  return()
endif()

include(CMakePackageConfigHelpers)

get_target_property(tine_type tine TYPE)
set(tine_cmakedir ${CMAKE_INSTALL_LIBDIR}/cmake/tine)

install(TARGETS tine EXPORT tineTargets FILE_SET HEADERS)
if(TARGET tine_command)
  install(TARGETS tine_command EXPORT tineTargets)
  install(FILES cmake/tineScripts.cmake DESTINATION ${tine_cmakedir})
  install(FILES ${tine_command_files}/tine.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${tine_command_files}/completion.bash RENAME tine
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${tine_command_files}/completion.zsh RENAME _tine
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${tine_command_files}/completion.fish RENAME tine.fish
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()
install(EXPORT tineTargets NAMESPACE tine:: DESTINATION ${tine_cmakedir})

configure_package_config_file(cmake/tineConfig.cmake.in ${PROJECT_BINARY_DIR}/tineConfig.cmake
  INSTALL_DESTINATION ${tine_cmakedir}
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 a minor version may change the ABI, as the SOVERSION says too.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tineConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tineConfig.cmake ${PROJECT_BINARY_DIR}/tineConfigVersion.cmake
  DESTINATION ${tine_cmakedir})

# tine.pc finds its prefix relative to itself, unless a directory is absolute.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(tine_pc_prefix ${CMAKE_INSTALL_PREFIX})
  set(tine_pc_libdir ${CMAKE_INSTALL_FULL_LIBDIR})
  set(tine_pc_includedir ${CMAKE_INSTALL_FULL_INCLUDEDIR})
else()
  file(RELATIVE_PATH tine_pc_up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" tine_pc_prefix "\${pcfiledir}/${tine_pc_up}")
  set(tine_pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
  set(tine_pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
# Only one library is installed, static or shared. So a static one lists what it needs under Requires
# rather than for --static only, and a shared one lists nothing more.
set(tine_pc_requires "nlohmann_json = ${nlohmann_json_VERSION}")
if(tine_type STREQUAL "STATIC_LIBRARY")
  string(APPEND tine_pc_requires ", libuv >= 1.44")
  if(CMAKE_THREAD_LIBS_INIT)
    set(tine_pc_threads " ${CMAKE_THREAD_LIBS_INIT}")
  endif()
  if(NOT APPLE)
    set(tine_pc_sections " -Wl,--gc-sections")
  endif()
endif()
configure_file(cmake/tine.pc.in ${PROJECT_BINARY_DIR}/tine.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tine.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
