// The event loop that all of tine runs on.
#pragma once

#include <chrono>
#include <exception>
#include <memory>

#include "tine/callback.hpp"
#include "tine/detail/export.hpp"

struct uv_loop_s;

namespace tine::uv {
class LoopCore;
class TimerState;
}  // namespace tine::uv

namespace tine {

// A function that runs later. A handle: see Emitter.
//
// Node: Timeout.
class TINE_EXPORT Timer {
 public:
  Timer() = default;

  // False for an empty handle.
  explicit operator bool() const { return state_ != nullptr; }

  // Cancels the call, if the function has not run yet. Destroys the function's captures.
  void cancel() const;

  // Sets whether the timer keeps Loop::run() from returning. It does until unref().
  void ref() const;
  void unref() const;

 private:
  friend class Loop;
  explicit Timer(std::shared_ptr<uv::TimerState> state);

  std::shared_ptr<uv::TimerState> state_;
};

// An event loop, its own or the application's.
//
// A plain object on the stack of main. Handles may outlive it: ~Loop closes each channel without
// flushing it and leaves children running (unless ForkOptions::kill_with_loop is set), and handles
// are closed and inert from then on. Listeners, callbacks and posted functions that are still due
// are destroyed without being called. Unless the loop is borrowed, ~Loop waits for a running lookup
// of a host name, and for a running read or write of a file: the system cannot cancel these.
//
// A loop and everything on it belong to one thread; post() is the only thread-safe function. A
// program may run a loop in each of several threads. If another thread uses a running loop, or
// anything on it, the program ends with a message on stderr and SIGABRT.
//
// A thread that ends in a listener (pthread_exit), or is cancelled in run(), takes its loop with
// it: everything on the loop is closed as by ~Loop, and the loop cannot run again. Some of its
// memory and three descriptors are never freed.
//
// If the application calls fork() itself, the copy of the process may destroy the Loop and the
// Process. The original is not affected: no child is killed, no message is written, no socket path
// is removed. If the copy runs the loop instead, the loop is the copy's from then on, except for
// the children, which stay the original's. Data that both processes read is split between them.
//
// Process-wide: the first Loop sets SIGPIPE to ignored if it is at its default, because a write to
// a peer that is gone raises it. The first Loop with a libuv loop of its own opens /dev/null in
// place of each of stdin, stdout and stderr that is closed, before it creates the libuv loop; a
// borrowed one exists already. Children start with default signals and an empty signal mask.
//
// The constructors throw tine::Error if the libuv in use does not match the one that tine was
// compiled with.
//
// Node: the event loop; there is only one, and it is hidden.
class TINE_EXPORT Loop {
 public:
  Loop();

  // Borrows a loop that the application runs, with run() here or with uv_run(). The borrowed loop
  // must outlive this object and be run once more after it (libuv frees handles from the loop).
  //
  // An application that ends may close all handles that uv_walk() finds, including tine's. Nothing
  // on this loop can be used then; destroy the Loop.
  //
  // The application must be linked with the libuv that tine uses: in CMake, the target tine::libuv.
  // A shared tine for which CMake fetched libuv, or that was built with a static libuv, contains
  // that libuv, where nobody else can call it: this constructor and native() throw then.
  explicit Loop(uv_loop_s* borrowed);

  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Must not run in a listener, callback or posted function of the loop: the program would end with
  // a message on stderr and SIGABRT. exit() may be called there: a Loop that is a static object is
  // then left as it is.
  ~Loop();

  // Runs listeners, callbacks and posted functions until nothing is left that could cause an event,
  // or until stop().
  //
  // Throws what a listener, callback or posted function throws, and an "error" that has no
  // listener. After that none of them runs until run() is called again, or the application goes on
  // with uv_run(). What was read or due by then is kept, in order.
  //
  // In a listener, callback or posted function of the loop: throws std::logic_error and does
  // nothing else.
  void run();

  // Makes run() return after the callbacks that are running. Before run(): makes it return at once.
  void stop();

  // Makes run() poll for events for up to `longest` before it blocks; by default it blocks at once.
  // A process that polls answers many times sooner than one that has to be woken. Usual values are
  // 20 to 100 us; zero turns polling off. Takes effect at the next run(); uv_run() always blocks.
  //
  // The price is a core, which is busy while nothing happens. Therefore each poll yields to whoever
  // else wants the core, and when events are further apart than `longest`, run() soon polls for
  // only a small part of it. Polling pays off if both ends poll and each has a core.
  //
  // Node: none.
  void spin(std::chrono::microseconds longest);

  // Runs a function on a later turn, on the loop's thread, in the order of the calls. Thread-safe.
  // Does not keep run() from returning; ref() does.
  void post(Callback<void()> function);

  // Runs a function once, after at least `delay` and at least a millisecond.
  //
  // The function runs after the loop has polled for input. So a program that was stopped for longer
  // than `delay` (SIGSTOP, a debugger, a laptop that slept) first gets the messages that came in
  // time.
  //
  // Node: setTimeout(), which runs before the input in that case, and up to a millisecond early.
  Timer after(std::chrono::milliseconds delay, Callback<void()> function);

  // Keeps run() from returning although nothing else is open, for functions that other threads will
  // post(). unref() ends that. Calls are not counted: after two ref() one unref() is enough.
  void ref();
  void unref();

  // Sets the handler for what listeners throw while something other than run() drives a borrowed
  // loop. Without a handler, or if the handler throws, std::terminate is called.
  void on_exception(Callback<void(std::exception_ptr)> handler);

  // Returns the libuv loop, for an application that uses the same libuv as tine (see
  // Loop(borrowed)). Close your own handles on it before ~Loop.
  uv_loop_s* native() const;

 private:
  friend uv::LoopCore& core_of(Loop& loop);

  std::unique_ptr<uv::LoopCore> core_;
};

}  // namespace tine
