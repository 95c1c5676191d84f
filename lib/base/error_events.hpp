#pragma once

#include "tine/error.hpp"

namespace tine::base {

// How a state emits "error", the one event that is thrown if nobody listens.
//
// Table is the detail::ListenerTable that the state is.
class ErrorEvents {
 public:
  // Emits the error. Without a listener, throws it, or drops it after drop_unheard().
  template <class Table>
  void emit(Table& table, Error error) const {
    if (heard(table)) return table.template notify<"error">(error);
    if (!unheard_dropped_) throw error;
  }

  template <class Table>
  static bool heard(const Table& table) {
    return table.template list<"error">().count() > 0;
  }

  // From now on drops errors that nobody listens for.
  void drop_unheard() { unheard_dropped_ = true; }

  // Removes all listeners, after the last event: one that holds a handle to the state would keep it
  // alive forever. A program that had an "error" listener gets no exceptions because of this.
  template <class Table>
  void remove_listeners(Table& table) {
    if (heard(table)) drop_unheard();
    table.clear();
  }

 private:
  bool unheard_dropped_ = false;
};

}  // namespace tine::base
