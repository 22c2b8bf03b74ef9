# Sourced after tools.sh by scripts that run many steps: each step writes into a file of its own, lanes of steps run
# side by side, the first step that fails ends them all, and a table at the end says how long each took.

logs=${CARGO_TARGET_DIR:-target}/test-logs

# begin_steps: to be called once, before the first step. However the run ends, it does `at_the_end` last.
begin_steps() {
  rm -rf "$logs"
  mkdir -p "$logs"
  : >"$logs/.steps"
  # Makes each job a process group of its own, so that all that it started can be ended with it.
  set -m
  lanes=() at_the_end=:
  trap end_steps EXIT
  trap 'exit 1' TERM
  trap 'exit 130' INT
}

# step NAME COMMAND...: runs a command, which may be a function. If it fails, all that it said is printed, and the run ends.
step() {
  attempt "$@"
  [ $outcome != 0 ] || return 0
  { printf '\n'; cat "$logs/$1.log"; printf '\n\033[1m== %s FAILED: all that it said is above, and in %s.\033[0m\n' "$1" "$logs/$1.log"; } >&2
  exit 1
}

# attempt NAME COMMAND...: a step that may fail: `outcome` is its status. (As a condition, it would not end at what fails in it.)
attempt() {
  local name=$1 began
  shift
  began=$(since_start)
  echo "$began $name" >>"$logs/.steps"
  say "$name"
  (set -euo pipefail; "$@") >"$logs/$name.log" 2>&1 </dev/null &
  outcome=0
  wait $! || outcome=$?
  echo "$(($(since_start) - began)) $outcome" >"$logs/.$name.ended"
}

# lane COMMAND...: runs a command, such as a function of several steps, beside what follows. Where it fails, all ends.
lane() {
  (set +m; set -euo pipefail; trap '[ $? = 0 ] || kill -TERM $$' EXIT; "$@") &
  lanes+=($!)
}

# join: waits until all lanes are done.
join() {
  [ ${#lanes[@]} = 0 ] || wait "${lanes[@]}"
  lanes=()
}

# beside COMMAND...: a lane for which join does not wait.
beside() {
  lane "$@"
  unset 'lanes[-1]'
}

# after STEP...: waits until these steps of other lanes have ended.
after() {
  local name
  for name; do
    until [ -e "$logs/.$name.ended" ]; do sleep 0.2; done
  done
}

# in_the_background: from here on, this lane gets little more than the time that no other process wants.
in_the_background() { renice -n 19 -p "$BASHPID" >/dev/null; }

end_steps() {
  local status=$? job
  trap - EXIT
  trap '' TERM INT
  for job in $(jobs -p); do kill -TERM -- "-$job" 2>/dev/null || true; done
  { wait; } 2>/dev/null
  $at_the_end
  step_table
  exit $status
}

step_table() {
  local began name took status ended
  printf '\n%7s %7s  %s\n' began took step
  while read -r began name; do
    took='' ended=STOPPED
    if [ -e "$logs/.$name.ended" ]; then
      read -r took status <"$logs/.$name.ended"
      [ "$status" = 0 ] && ended=done || ended=FAILED
    fi
    printf '%7s %7s  %s: %s\n' "$(clock "$began")" "${took:+$(clock "$took")}" "$name" "$ended"
  done <"$logs/.steps"
  printf '%15s  %s\n' "$(clock "$(since_start)")" "in all; what each step said is in $logs"
}

# within_budget NAME: warns if the run has taken more minutes than scripts/budget has for it.
within_budget() {
  local minutes
  minutes=$(minutes_for "$1")
  [ "$(since_start)" -le $((minutes * 60)) ] ||
    say "WARNING: this took more than the $minutes minutes that scripts/budget has for $1. See in the table what takes long."
}

# fail_after MINUTES: ends the run as failed if it is not done by then.
fail_after() {
  (set +m; sleep $(($1 * 60 - $(since_start))); say "FAILED: not done after $1 minutes, the most that scripts/budget has."; kill -TERM $$) &
}

minutes_for() { sed -nE "s/^$1 +([0-9]+)\$/\1/p" "$(dirname "${BASH_SOURCE[0]}")/budget"; }
