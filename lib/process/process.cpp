#include "tine/process.hpp"

#include <cstdlib>
#include <string>
#include <utility>

#include <unistd.h>

#include "process/environment.hpp"
#include "process/process_state.hpp"
#include "tine/loop.hpp"

namespace tine {

void Process::State::adopt() {
  core()->keep(std::static_pointer_cast<State>(shared_from_this()));
  try {
    auto channel = process::adopt_channel();
    if (!channel) return;
    if (channel->refusal) {
      refused_channel_.emplace(std::move(channel->socket));
      return end().fail(std::move(*channel->refusal));
    }
    end().open(std::move(channel->socket));
    end().name_peer(getppid());
    channel->parent_is_tine ? end().greet() : end().set_peer(channel::Outbox::Peer::other);
  } catch (const Error& error) {
    return end().fail(error);
  }
  defer(connected_task_);
}

// A program that does not look at errors ends here, with the exit code of a wrong configuration: its
// parent sees that, and not a crash.
void Process::State::on_error(Error error) {
  constexpr int configuration_error = 78;  // EX_CONFIG of <sysexits.h>
  if (error.code() == Errc::unsupported_serialization && list<"error">().count() == 0) {
    const std::string text = std::string("tine: ") + error.what() + "\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    std::exit(configuration_error);
  }
  refused_channel_.reset();
  PeerState::on_error(std::move(error));
}

// A copy of this process, made by fork(), must not write what is queued a second time.
void Process::State::leave() {
  if (core() == nullptr || is_copy()) return;
  end().flush();
  end().close();
  drop_unheard_errors();
  retire();
}

Process::Process(Loop& loop, ChannelOptions options)
    : Process(std::make_shared<State>(core_of(loop), options, process::wanted_serialization())) {
  state_->adopt();
}

Process::Process(std::shared_ptr<State> state)
    : Emitter(state), ChannelEnd(state), state_(std::move(state)) {}
Process::~Process() { state_->leave(); }

void Process::exit(int code) {
  if (!state_->is_copy()) state_->end().write_all_now();
  std::exit(code);
}

}  // namespace tine
