// The event loop that everything of tine runs on.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>

struct uv_loop_s;

namespace tine::uv {
class LoopCore;
class TimerState;
}  // namespace tine::uv

#pragma GCC visibility push(default)

namespace tine {

// A function that runs later. A handle: copy it, drop it; the timer goes on.
//
// Node: Timeout.
class Timer {
 public:
  Timer() = default;

  // The function will not run, if it has not yet. Its captures are destroyed.
  void cancel();

  // Whether the timer keeps Loop::run() from returning. It does, until unref().
  void ref();
  void unref();

 private:
  friend class Loop;
  explicit Timer(std::shared_ptr<uv::TimerState> state);

  std::shared_ptr<uv::TimerState> state_;
};

// An event loop: its own, or the application's.
//
// A plain object on the stack of main; it outlives nothing it made: ~Loop closes each channel
// without flushing it and leaves children running (unless their option says otherwise), and handles
// to them are closed and inert from then on. Listeners, callbacks and posted functions that are
// still due are destroyed without a call. A host name that is just being looked up is waited for:
// the system cannot be stopped in that.
//
// Everything belongs to the thread of its loop; post() is the one call that any thread may make. A
// program may run a loop in each of several threads. Another thread that uses a loop, or what is on
// it, while it runs ends the program with a sentence on stderr and SIGABRT.
//
// A thread that ends in a listener (pthread_exit), or is cancelled in run(), takes its loop with it:
// all that is on the loop is closed as by ~Loop, and the loop cannot run again. Some of its memory
// and three descriptors are never freed.
//
// fork() of the application's own: the copy of the process may destroy the Loop and the Process. The
// original does not notice: no child is killed, no message written, no socket's path removed. If the
// copy runs the loop instead, it is the copy's from then on, but for the children: these stay the
// original's. What both of them read from, each gets a part of.
//
// Process-wide: the first Loop sets SIGPIPE to ignored if it is at its default, because a write to
// a peer that is gone raises it; and it opens /dev/null for what is closed of stdin, stdout and
// stderr (before it makes its own loop: a borrowed one is there already). Children start with
// default signals and an empty signal mask.
//
// A constructor throws tine::Error if the libuv that runs is not like the one that tine was compiled with.
//
// Node: the event loop, which there is one and hidden.
class Loop {
 public:
  Loop();

  // Borrows a loop that the application runs, with run() here or with uv_run(). It must outlive
  // this object and be run once more after it (libuv frees handles from the loop).
  //
  // An application that ends may close all handles that uv_walk() finds, those of tine too. What is on
  // this loop is of no use then; destroy it.
  //
  // The application must be linked with the libuv that tine uses: in CMake the target tine::libuv. A
  // shared tine that CMake fetched libuv for, or that was built beside a static one, has that one inside,
  // where nobody else can call it: this constructor and native() throw there.
  explicit Loop(uv_loop_s* borrowed);

  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Not in a listener, callback or posted function of the loop: that ends the program with a sentence
  // on stderr and SIGABRT. exit() may be called there; a Loop that is a static object is left as it is
  // then.
  ~Loop();

  // Runs listeners, callbacks and posted functions until nothing is left that could make an event,
  // or until stop().
  //
  // What a listener, callback or posted function throws comes out of here, as does an "error" that
  // nobody listens for. None of them runs after that until run() is called again, or an
  // application goes on with uv_run(); what was read or due by then is kept, in order.
  //
  // Throws std::logic_error, and does nothing, in a listener, callback or posted function of the loop.
  void run();

  // Makes run() return after the callbacks that are being run. Before run(): makes it return at
  // once.
  void stop();

  // Makes run() look for events for up to that long before it blocks, which it does not by default:
  // a process that is woken from a block answers many times later than one that is looking. 20 to
  // 100 us are usual, zero ends it. Counts from the next run() on; uv_run() always blocks.
  //
  // The price is a core: it is busy while nothing happens. Therefore each look yields to whoever
  // else wants the core, and when events come further apart than this, run() soon looks for a small
  // part of it only. It pays where both ends look and each has a core.
  //
  // Node: none.
  void spin(std::chrono::microseconds longest);

  // Runs a function on a later turn, on the loop's thread, in order of the calls. From any thread.
  // It does not keep run() from returning: ref() does.
  void post(std::function<void()> function);

  // Runs a function once, after at least that time, and at least a millisecond.
  //
  // It runs after the loop has looked for what has come in: a program that was stopped for longer than
  // the time (SIGSTOP, a debugger, a laptop that slept) gets the messages that came in time first.
  //
  // Node: setTimeout(), which runs first then, and up to a millisecond early.
  Timer after(std::chrono::milliseconds delay, std::function<void()> function);

  // Keeps run() from returning although nothing else is open, for what other threads will post().
  // unref() ends that. They do not count: two refs need one unref.
  void ref();
  void unref();

  // Takes what listeners throw while somebody else than run() drives a borrowed loop. Without it,
  // or when it throws itself, std::terminate is called.
  void on_exception(std::function<void(std::exception_ptr)> handler);

  // The libuv loop underneath, for an application that uses the same libuv as tine (see Loop(borrowed)).
  // Handles of your own on it are yours to close before ~Loop.
  uv_loop_s* native() const;

 private:
  friend uv::LoopCore& core_of(Loop& loop);

  std::unique_ptr<uv::LoopCore> core_;
};

}  // namespace tine

#pragma GCC visibility pop
