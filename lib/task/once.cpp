#include "tine/once.hpp"

namespace tine::task {

void throw_error(const Error& error) { throw error; }

}  // namespace tine::task
