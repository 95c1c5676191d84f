# shellcheck shell=sh
# For the tests of the command, which source it with: tine, the folder of children, a folder to work in.
set -eu

tine=$1
children=$2
scratch=$3
rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch"
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# expect STATUS COMMAND…: stdin is the command's; what it writes is in out and err.
expect() {
  wanted=$1
  shift
  status=0
  timeout -k 1 60 "$@" >out 2>err || status=$?
  [ "$status" -eq "$wanted" ] || {
    fail "$*: exited with $status, not $wanted"
    cat out err
  }
}

expect_out() {
  [ "$(cat out)" = "$1" ] || fail "stdout is not
$1
but
$(cat out)"
}

expect_err() {
  grep -qF -e "$1" err || fail "stderr has no \"$1\":
$(cat err)"
}

expect_in_out() {
  grep -qF -e "$1" out || fail "stdout has no \"$1\":
$(cat out)"
}

finish() {
  [ "$failures" -eq 0 ] || exit 1
}
