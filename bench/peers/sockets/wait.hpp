#pragma once

namespace bench {

// Whether to wait if there is no message yet.
enum class Wait { no, yes };

}  // namespace bench
