#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "command/script/transcript.hpp"

namespace tine::command {

// The edits to a transcript, by step.
class TranscriptUpdate {
 public:
  // `text` begins with the name of the child, unless the step is joined to the one before.
  void replace(std::size_t step, std::string text) { edits_[step].text = std::move(text); }
  void remove(std::size_t step) { edits_[step].removed = true; }
  void insert_before(std::size_t step, const std::string& text) {
    edits_[step].before += text + "\n";
  }

  bool empty() const { return edits_.empty(); }
  std::string applied(const Transcript& transcript) const;

 private:
  struct Edit {
    std::string before;
    std::string text;  // empty: unchanged
    bool removed = false;

    // Whether the step cannot share a line with another one any more.
    bool splits() const { return !before.empty() || removed; }
  };

  std::string in_place(const Transcript& transcript, std::size_t first, std::size_t next) const;
  std::string in_lines(const Transcript& transcript, std::size_t first, std::size_t next) const;

  std::map<std::size_t, Edit> edits_;
};

}  // namespace tine::command
