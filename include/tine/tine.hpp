// Includes all of tine, and nlohmann/json. To compile faster, include only the header you need: the
// others only declare nlohmann::json.
#pragma once

#include <nlohmann/json.hpp>

#include "tine/address.hpp"
#include "tine/callback.hpp"
#include "tine/channel.hpp"
#include "tine/channel_end.hpp"
#include "tine/child_process.hpp"
#include "tine/cluster.hpp"
#include "tine/datagram.hpp"
#include "tine/emitter.hpp"
#include "tine/error.hpp"
#include "tine/executable_dir.hpp"
#include "tine/fork_options.hpp"
#include "tine/handle.hpp"
#include "tine/loop.hpp"
#include "tine/message.hpp"
#include "tine/process.hpp"
#include "tine/references.hpp"
#include "tine/resources.hpp"
#include "tine/send_callback.hpp"
#include "tine/server.hpp"
#include "tine/shared_buffer.hpp"
#include "tine/signal.hpp"
#include "tine/socket.hpp"
#include "tine/stream.hpp"
#include "tine/text.hpp"
#include "tine/version.hpp"
#include "tine/wait_for_message.hpp"
