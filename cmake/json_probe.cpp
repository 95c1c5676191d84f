// States what tine is compiled with, in texts that cmake/write_json_header.cmake finds in the object
// file. The value of an undefined macro is its name.
#include <string>

#include <nlohmann/json_fwd.hpp>

#define TINE_TEXT(value) #value
#define TINE_MACRO(name) "tine_json_probe " #name "=" TINE_TEXT(name)

extern const char* const tine_json_probe[];
const char* const tine_json_probe[] = {
    TINE_MACRO(_LIBCPP_VERSION),
    TINE_MACRO(_GLIBCXX_DEBUG),
    TINE_MACRO(_GLIBCXX_USE_CXX11_ABI),
    TINE_MACRO(NLOHMANN_JSON_VERSION_MAJOR),
    TINE_MACRO(NLOHMANN_JSON_VERSION_MINOR),
    TINE_MACRO(NLOHMANN_JSON_VERSION_PATCH),
    TINE_MACRO(NLOHMANN_JSON_NAMESPACE_NO_VERSION),
    TINE_MACRO(JSON_DIAGNOSTICS),
    TINE_MACRO(JSON_DIAGNOSTIC_POSITIONS),
    TINE_MACRO(NLOHMANN_JSON_NAMESPACE),
};
