#pragma once

#include <utility>

#include <tine/tine.hpp>

// An exchange with a child that sends back each message. Each number that comes back is answered
// with the next one, until `count` numbers have come in order.
struct Exchange {
  Exchange(tine::ChildProcess echo, int count) : child(std::move(echo)), wanted(count) {
    child.on<"message">([this](int number) {
      in_order += number == in_order;
      if (in_order == wanted) return child.disconnect();
      child.send(in_order);
    });
    child.send(0);
  }
  tine::ChildProcess child;
  int wanted;
  int in_order = 0;
};
