#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "command/script/transcript.hpp"

namespace tine::command {

// The edits to a transcript, by step.
class TranscriptUpdate {
 public:
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
  };

  std::map<std::size_t, Edit> edits_;
};

}  // namespace tine::command
