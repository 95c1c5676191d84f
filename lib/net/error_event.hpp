#pragma once

#include "base/system_code.hpp"
#include "tine/error.hpp"

namespace tine::net {

// Emits "error" to the listeners of a state. Throws the error if there are none.
template <class Table>
void emit_error_event(Table& table, const Error& error) {
  if (table.template list<"error">().count() == 0) throw error;
  Error copy = error;
  table.template notify<"error">(copy);
}

using base::system_code;

}  // namespace tine::net
