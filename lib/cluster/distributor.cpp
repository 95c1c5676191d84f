#include "cluster/distributor.hpp"

#include <algorithm>
#include <utility>

#include "net/socket_address.hpp"

namespace tine::cluster {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds check_interval = std::chrono::seconds(1);

}  // namespace

Distributor::Distributor(Loop& loop, BoundSocket bound, int backlog, Balancing balancing,
                         SendConnection send, ReportBroken report_broken,
                         std::chrono::milliseconds patience)
    : loop_(loop),
      path_(std::move(bound.path)),
      balancing_(std::move(balancing)),
      send_(std::move(send)),
      report_broken_(std::move(report_broken)),
      patience_(patience),
      acceptor_(loop, std::move(bound.socket), backlog, *this) {}

Distributor::~Distributor() { stuck_timer_.cancel(); }

// --- the workers

SharedSocket::Share Distributor::share() {
  if (broken_) throw *broken_;
  return {.address = acceptor_.address()};
}

void Distributor::add(int worker) {
  members_.push_back({.worker = worker});
  distribute();
}

bool Distributor::remove(int worker) {
  Member* const member = find(worker);
  if (member == nullptr) return members_.empty();
  if (member->unanswered) {
    in_flight_.push_back({worker, member->number, std::move(*member->unanswered)});
  }
  std::erase_if(members_, [&](const Member& one) { return one.worker == worker; });
  distribute();
  return members_.empty();
}

// Connections that the worker left unanswered are older than all that wait, so they come first.
void Distributor::worker_ended(int worker) {
  const auto of_worker = [&](const InFlight& one) { return one.worker == worker; };
  for (InFlight& one : in_flight_) {
    if (of_worker(one)) waiting_.push_front(std::move(one.connection));
  }
  if (std::erase_if(in_flight_, of_worker) > 0) distribute();
}

const Distributor::Member* Distributor::find(int worker) const {
  const auto found = std::find_if(members_.begin(), members_.end(),
                                  [&](const Member& one) { return one.worker == worker; });
  return found == members_.end() ? nullptr : &*found;
}

Distributor::Member* Distributor::find(int worker) {
  return const_cast<Member*>(std::as_const(*this).find(worker));
}

void Distributor::answered(int worker, std::uint64_t number, bool accepted) {
  if (Member* const member = find(worker); member != nullptr && member->unanswered) {
    if (member->number != number) return;
    Connection connection = std::move(*member->unanswered);
    if (accepted) ++member->connections;
    mark_free(*member);
    if (!accepted) requeue(worker, std::move(connection));
    return distribute();
  }
  const auto left = std::find_if(in_flight_.begin(), in_flight_.end(), [&](const InFlight& one) {
    return one.worker == worker && one.number == number;
  });
  if (left == in_flight_.end()) return;
  Connection connection = std::move(left->connection);
  in_flight_.erase(left);
  if (accepted) return;
  requeue(worker, std::move(connection));
  distribute();
}

void Distributor::requeue(int worker, Connection connection) {
  connection.refused_by.push_back(worker);
  waiting_.push_front(std::move(connection));
}

// Moves the member to the end: it is the last one that became free.
void Distributor::mark_free(Member& member) {
  member.unanswered.reset();
  member.stuck = false;
  const auto at = members_.begin() + (&member - members_.data());
  std::rotate(at, at + 1, members_.end());
}

void Distributor::connection_ended(int worker) {
  Member* const member = find(worker);
  if (member != nullptr && member->connections > 0) --member->connections;
}

// --- the connections

void Distributor::on_connection(base::Descriptor connection) {
  Address client{};
  if (balancing_.kind() == Balancing::Kind::choice) {
    client = net::remote_address(connection.get()).value_or(Address{});
  }
  waiting_.push_back({std::move(connection), std::move(client)});
  distribute();
}

// Workers that ask for the socket from now on are refused. The others have no way to know.
void Distributor::on_broken(const Error& error) {
  broken_ = error;
  report_broken_(error);
}

// A connection that every remaining worker has refused is closed. If any worker will do and none is
// free, the connections behind need not be looked at.
void Distributor::distribute() {
  const bool any_will_do = balancing_.kind() != Balancing::Kind::choice;
  for (auto next = waiting_.begin(); next != waiting_.end() && !members_.empty();) {
    if (any_will_do && next->refused_by.empty() && !any_free()) return;
    const auto candidates = candidates_for(*next);
    Member* const member = candidates.empty() ? nullptr : choose(*next, candidates);
    if (!candidates.empty() && (member == nullptr || !member->free())) {
      ++next;
      continue;
    }
    Connection connection = std::move(*next);
    next = waiting_.erase(next);
    if (member != nullptr && !send_to(*member, std::move(connection))) next = waiting_.begin();
  }
}

bool Distributor::any_free() const {
  return std::any_of(members_.begin(), members_.end(),
                     [](const Member& member) { return member.free(); });
}

// The workers that have not refused the connection. Stuck workers are left out unless all of these
// are stuck.
std::vector<Distributor::Member*> Distributor::candidates_for(const Connection& connection) {
  std::vector<Member*> candidates;
  for (Member& member : members_) {
    const auto& refused = connection.refused_by;
    const bool has_refused =
        std::find(refused.begin(), refused.end(), member.worker) != refused.end();
    if (!has_refused) candidates.push_back(&member);
  }
  const auto answering = std::stable_partition(candidates.begin(), candidates.end(),
                                               [](const Member* one) { return !one->stuck; });
  if (answering != candidates.begin()) candidates.erase(answering, candidates.end());
  return candidates;
}

// Returns null if the connection has to wait for a free worker.
Distributor::Member* Distributor::choose(const Connection& connection,
                                         const std::vector<Member*>& candidates) const {
  if (balancing_.kind() == Balancing::Kind::choice) {
    std::vector<Balancing::Candidate> choices;
    for (const Member* member : candidates) {
      choices.push_back({member->worker, member->free(), member->connections});
    }
    const std::size_t chosen = balancing_.choice()(connection.client, choices);
    return candidates[chosen < candidates.size() ? chosen : 0];
  }
  Member* best = nullptr;
  for (Member* member : candidates) {
    if (!member->free()) continue;
    const bool better =
        best == nullptr || (balancing_.kind() == Balancing::Kind::least_connections &&
                            member->connections < best->connections);
    if (better) best = member;
  }
  return best;
}

// Returns false if the connection cannot be sent to the worker, for instance because its channel is
// closed. Another worker gets it then.
bool Distributor::send_to(Member& member, Connection connection) {
  const auto number = send_(member.worker, connection.descriptor);
  if (!number) {
    requeue(member.worker, std::move(connection));
    return false;
  }
  member.number = *number;
  member.unanswered = std::move(connection);
  member.since = Clock::now();
  start_stuck_timer();
  return true;
}

// Only Balancing::by() needs to know which workers are stuck: otherwise a connection waits for any
// free worker.
void Distributor::start_stuck_timer() {
  if (balancing_.kind() != Balancing::Kind::choice || stuck_timer_) return;
  stuck_timer_ = loop_.after(std::min(check_interval, patience_), [this] { mark_stuck(); });
  stuck_timer_.unref();
}

void Distributor::mark_stuck() {
  stuck_timer_ = {};
  for (Member& member : members_) {
    if (!member.unanswered || member.stuck) continue;
    member.stuck = Clock::now() - member.since >= patience_;
    if (!member.stuck) start_stuck_timer();
  }
  distribute();
}

}  // namespace tine::cluster
