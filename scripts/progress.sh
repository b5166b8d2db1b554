#!/usr/bin/env bash
# Runs a command and says every ten seconds that it is still at work:
#   scripts/progress.sh "building" go build .
set -euo pipefail

what=$1
shift

"$@" &
command=$!
trap 'kill "$command" 2>/dev/null || true' INT TERM

# The ticker ends with the command: it looks each second whether it still runs.
(
  seconds=0
  while sleep 1 && kill -0 "$command" 2>/dev/null; do
    seconds=$((seconds + 1))
    if ((seconds % 10 == 0)); then
      echo "... $what ($seconds s)" >&2
    fi
  done
) &
ticker=$!

status=0
wait "$command" || status=$?
kill "$ticker" 2>/dev/null || true
wait "$ticker" 2>/dev/null || true
exit "$status"
