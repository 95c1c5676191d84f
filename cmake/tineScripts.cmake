# tine_add_script_tests(FILES <transcript>… [PREFIX <text>] [DEFINE <NAME=VALUE>…] [LABELS <label>…]
#                       [TIMEOUT <seconds>])
#
# Adds a CTest test for each transcript, which runs `tine script`. The name of the test is the
# prefix and the path of the file without ".tine". DEFINE sets the value of ${NAME} in the
# transcripts; it may be a generator expression: DEFINE CHILD=$<TARGET_FILE:child>.
function(tine_add_script_tests)
  cmake_parse_arguments(PARSE_ARGV 0 script "" "PREFIX;TIMEOUT" "FILES;DEFINE;LABELS")
  if(script_UNPARSED_ARGUMENTS OR NOT script_FILES)
    message(FATAL_ERROR "usage: tine_add_script_tests(FILES <transcript>… [PREFIX <text>] "
                        "[DEFINE <NAME=VALUE>…] [LABELS <label>…] [TIMEOUT <seconds>])")
  endif()
  if(NOT script_TIMEOUT)
    set(script_TIMEOUT 120)
  endif()
  set(definitions "")
  foreach(definition IN LISTS script_DEFINE)
    list(APPEND definitions --define ${definition})
  endforeach()
  foreach(file IN LISTS script_FILES)
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE OUTPUT_VARIABLE path)
    cmake_path(REMOVE_EXTENSION file LAST_ONLY OUTPUT_VARIABLE name)
    set(test "${script_PREFIX}${name}")
    add_test(NAME ${test} COMMAND $<TARGET_FILE:tine::command> script ${definitions} ${path})
    set_tests_properties(${test} PROPERTIES TIMEOUT ${script_TIMEOUT} LABELS "${script_LABELS}")
  endforeach()
endfunction()
