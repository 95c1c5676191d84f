#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tine::process {

// Of this process: the program that it runs, and its arguments, without its name.
std::filesystem::path program_path();
std::vector<std::string> program_args();

}  // namespace tine::process
