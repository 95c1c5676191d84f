#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tine::process {

// Return the path of the program that this process runs, and its arguments without argv[0].
std::filesystem::path program_path();
std::vector<std::string> program_args();

}  // namespace tine::process
