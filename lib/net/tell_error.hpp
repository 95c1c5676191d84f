#pragma once

#include "tine/error.hpp"

namespace tine::net {

// Emits an error of a state with listeners. Without one for it, it is an exception.
template <class Table>
void tell_error(Table& table, const Error& error) {
  if (table.template list<"error">().count() == 0) throw error;
  Error told = error;
  table.template emit<"error">(told);
}

inline std::error_code system_code(int error) { return {error, std::generic_category()}; }

}  // namespace tine::net
