// A folder for the files of one test.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <stdlib.h>

#include "support/catch.hpp"

// A new, empty folder. The destructor removes it with all its contents. All users may read it. It
// is not in TMPDIR, which may be too long for the path of a socket, or open to one user only.
class Folder {
 public:
  Folder() {
    std::string name = "/tmp/tine-XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
    std::filesystem::permissions(path_, std::filesystem::perms(0755));
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  const std::filesystem::path& path() const { return path_; }
  std::string at(const std::string& name) const { return (path_ / name).string(); }
  bool empty() const { return std::filesystem::is_empty(path_); }

  // Writes a file, and returns its path.
  std::string add(const std::string& name, const std::string& content, bool executable) const {
    std::ofstream(at(name)) << content;
    std::filesystem::permissions(at(name), std::filesystem::perms(executable ? 0755 : 0644));
    return at(name);
  }

 private:
  std::filesystem::path path_;
};
