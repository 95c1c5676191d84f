#pragma once

namespace tine::command {

// The standard streams of this process, out of the way of its children's, who share descriptors 0, 1
// and 2 with it: theirs are /dev/null, and twice our stderr.
//
// One object a process, made before the first child, and before a thread that writes.
class OwnStreams {
 public:
  OwnStreams();

  int in() const { return in_; }
  int out() const { return out_; }

 private:
  int in_;
  int out_;
};

// While it lives, children are forked with this descriptor as their stdout.
class ChildStdout {
 public:
  explicit ChildStdout(int fd);
  ChildStdout(const ChildStdout&) = delete;
  ChildStdout& operator=(const ChildStdout&) = delete;
  ~ChildStdout();
};

}  // namespace tine::command
