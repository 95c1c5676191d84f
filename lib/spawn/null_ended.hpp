#pragma once

#include <string>
#include <vector>

namespace tine::spawn {

// Returns the strings as the null-terminated array that exec() takes. They must outlive it.
inline std::vector<char*> null_ended(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace tine::spawn
