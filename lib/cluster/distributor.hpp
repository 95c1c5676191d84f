#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/descriptor.hpp"
#include "cluster/shared_socket.hpp"
#include "net/acceptor.hpp"
#include "tine/address.hpp"
#include "tine/cluster.hpp"
#include "tine/error.hpp"
#include "tine/loop.hpp"

namespace tine::cluster {

// A shared socket whose connections the primary accepts and hands to the workers that listen there.
//
// A worker has at most one unanswered connection. A copy of it is kept here until the worker
// answers: if the worker refuses the connection, or ends, another worker gets it. Not earlier: a
// connection that was handed over cannot be taken back, and two workers would answer the same
// client.
class Distributor final : public SharedSocket, private net::Acceptor::User {
 public:
  // Hands a connection to a worker. Returns the number that the worker's answer will carry; none if
  // the connection could not be sent.
  using SendConnection =
      std::function<std::optional<std::uint64_t>(int worker, const base::Descriptor& connection)>;

  // Reports that no more connections will come. Runs no user code.
  using ReportBroken = std::function<void(const Error& error)>;

  // A worker that has not answered for as long as `patience` is stuck. Throws Error.
  Distributor(Loop& loop, BoundSocket bound, int backlog, Balancing balancing, SendConnection send,
              ReportBroken report_broken,
              std::chrono::milliseconds patience = std::chrono::seconds(5));
  ~Distributor() override;

  Share share() override;
  void add(int worker) override;
  bool remove(int worker) override;
  void worker_ended(int worker) override;
  bool has(int worker) const override { return find(worker) != nullptr; }
  void answered(int worker, std::uint64_t number, bool accepted) override;
  void connection_ended(int worker) override;

 private:
  struct Connection {
    base::Descriptor descriptor;
    Address client;
    std::vector<int> refused_by = {};
  };

  struct Member {
    int worker;
    std::size_t connections = 0;
    std::optional<Connection> unanswered = {};
    std::uint64_t number = 0;  // of the unanswered connection
    std::chrono::steady_clock::time_point since = {};
    bool stuck = false;  // has not answered for long; chosen only if all are stuck

    bool free() const { return !unanswered; }
  };

  // A connection whose worker was removed before it answered.
  struct InFlight {
    int worker;
    std::uint64_t number;
    Connection connection;
  };

  void on_connection(base::Descriptor connection) override;
  void on_broken(const Error& error) override;

  const Member* find(int worker) const;
  Member* find(int worker);
  std::vector<Member*> candidates_for(const Connection& connection);
  Member* choose(const Connection& connection, const std::vector<Member*>& candidates) const;
  void distribute();
  bool send_to(Member& member, Connection connection);
  bool any_free() const;
  void mark_free(Member& member);
  void requeue(int worker, Connection connection);
  void mark_stuck();
  void start_stuck_timer();

  Loop& loop_;
  std::unique_ptr<net::BoundPath> path_;
  Balancing balancing_;
  SendConnection send_;
  ReportBroken report_broken_;
  std::chrono::milliseconds patience_;
  std::optional<Error> broken_;
  Timer stuck_timer_;            // empty unless it runs
  std::vector<Member> members_;  // in the order in which they became free
  std::vector<InFlight> in_flight_;
  std::deque<Connection> waiting_;
  net::Acceptor acceptor_;  // destroyed first: nobody connects while the connections are closed
};

}  // namespace tine::cluster
