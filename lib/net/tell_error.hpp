#pragma once

#include "tine/error.hpp"
#include "uv/system_code.hpp"

namespace tine::net {

// Emits "error" to the listeners of a state. Throws the error if there are none.
template <class Table>
void tell_error(Table& table, const Error& error) {
  if (table.template list<"error">().count() == 0) throw error;
  Error told = error;
  table.template notify<"error">(told);
}

using uv::system_code;

}  // namespace tine::net
