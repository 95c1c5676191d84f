# shellcheck shell=sh
# Helpers that the command's tests source. Arguments: the command, the folder of child programs, a
# scratch folder.
set -eu

tine=$1
children=$2
scratch=$3
rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch"
failed=$PWD/failed

# Notes the failure in a file, because a part of a pipeline cannot set a variable.
fail() {
  echo "FAILED: $*"
  : >"$failed"
}

# expect STATUS COMMAND…: runs COMMAND on the caller's stdin, writes its output to the files out and
# err, and fails unless it exits with STATUS.
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
  [ ! -e "$failed" ] || exit 1
}
