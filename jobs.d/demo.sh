#!/usr/bin/env bash
# Two nights of an association's data work, against a made-up site on this machine. `make demo` runs it.
#
# Everything happens in .demo/, which is made anew each time; the sandbox that it starts ends with it. Ends with 0 only
# if all went as the jobs are meant to go. $IDMS is the command to use, .venv/bin/idms if unset.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
read -ra IDMS <<<"${IDMS:-.venv/bin/idms}"
umask 077

SITE=http://127.0.0.1:8085      # as idms.yaml has it; the demo takes a free port instead
export IDMS_CONFIG=$PWD/.demo/idms.yaml
export IDMS_SANDBOX_PASSWORD=sandbox
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1      # the sandbox is not to be sought behind a proxy

evening=$(date -d 'next monday' +%F)      # in the future whatever day it is, and two weekdays follow
first_night=$(date -d "$evening + 1 day" +%F)
second_night=$(date -d "$evening + 2 days" +%F)

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi

main() {
  start_sandbox

  say "Ten job files are in jobs.d/. Are they all right?"
  expect 0 check

  say "What would the front desk's corrections change? A dry run writes nothing."
  expect 0 run contact-corrections --dry-run --limit 5

  say "Monday evening: the jobs are seen for the first time, and none is due."
  expect 0 run-due --at "$evening 20:00"
  must_be "runs so far" "$(runs_so_far)" "1 completed"      # the dry run

  say "The monthly export for the mailing house, before all that: every member, as a file and to its server."
  expect 0 run member-feed
  must_be "members received" "$(members_received)" "$(members_in_files)"

  say "Tuesday, 02:30: six jobs are due, one of them once a week. One will end partial: exit code 1."
  expect 1 run-due --at "$first_night 02:30" --wait
  expect 0 status
  must_be "runs so far" "$(runs_so_far)" "7 completed, 1 partial"

  say "Why partial? Some rows are bad. The good ones are in, the bad ones in a file."
  expect 0 show "$(id_of_partial_run)"

  say "The weekly clean-up takes its rows from a query of the site. Whom did it change?"
  expect 0 changes "$(id_of_last_run inactive-contacts)"

  say "Wednesday, 02:30: the same files again. What is in is not written again."
  forget_calls
  expect 1 run-due --at "$second_night 02:30" --wait
  expect 0 history
  must_be "runs so far" "$(runs_so_far)" "11 completed, 2 partial"
  tell_calls

  say "And the export once more: only who is new, has changed or is gone since it was delivered."
  expect 0 run member-feed
  must_be "members received" "$(members_received)" "$(members_in_files)"
  expect 0 run member-feed      # nothing has changed since: nothing is sent

  say "Last, one process of several steps: a course was completed, so credits are counted, listed and told."
  echo '99001,212,"N'"'"'Diaye, Miloš",ETH-301,Ethics for boards,03/11/2026,2,Pass' >>.demo/jobs.d/data/lms-completions.csv
  expect 1 run course-credits      # partial, as the nightly import is: the bad rows are still in the list
  must_be "webhook" "$(ask "GET /_sandbox/inbox" | grep -o '"event": *"credits"' | wc -l)" 1

  say "Nothing is new the second time: it ends at its gate, and nobody is told."
  expect 1 run course-credits
  must_be "webhook" "$(ask "GET /_sandbox/inbox" | grep -o '"event": *"credits"' | wc -l)" 1

  printf '\n%s\n' "${bold}All as it should be.${plain} The sandbox is gone; the history is still there:" \
    "  ${IDMS[*]} --config .demo/idms.yaml status"
}

start_sandbox() {
  rm -rf .demo
  mkdir .demo
  set -m      # in a process group of its own: Ctrl-C is for the demo, which then ends the sandbox in good order
  "${IDMS[@]}" sandbox --port 0 --ready-file .demo/url </dev/null >.demo/sandbox.log 2>&1 &
  sandbox=$!
  set +m
  trap 'kill "$sandbox" 2>/dev/null; wait "$sandbox" 2>/dev/null || true' EXIT
  trap 'exit 130' INT TERM      # once the command under way has ended, and with it its runs
  for ((tries = 0; tries < 300; tries++)); do
    [[ -s .demo/url ]] && break
    kill -0 "$sandbox" 2>/dev/null || break
    sleep 0.1
  done
  [[ -s .demo/url ]] || fail "the sandbox does not start: $(<.demo/sandbox.log)"
  url=$(<.demo/url)
  sed "s|$SITE|$url|" idms.yaml >.demo/idms.yaml
  cp -R jobs.d .demo/
  # the mailing house's server, and the website that is told of credits, are the sandbox, too
  sed -i "s|$SITE|$url|" .demo/jobs.d/member-feed.yaml .demo/jobs.d/course-credits.yaml
  echo "A made-up iMIS site with 300 members runs at $url."
}

say() { printf '\n%s\n' "${dim}# $1${plain}"; }

# Run idms and show the command; any other exit code than the one expected ends the demo.
expect() {
  local wanted=$1 code=0 shown='' word
  shift
  for word in "$@"; do [[ $word == *' '* ]] && word="\"$word\""; shown+=" $word"; done
  printf '%s\n' "${bold}\$ idms$shown${plain}"
  "${IDMS[@]}" "$@" || code=$?
  ((code == wanted)) || fail "idms $1 ended with exit code $code, not $wanted"
}

must_be() { [[ $2 == "$3" ]] || fail "$1: $2, not $3"; }

fail() {
  echo "demo: $1" >&2
  exit 1
}

# As in "11 completed, 2 partial".
runs_so_far() {
  "${IDMS[@]}" history --json | sed -n 's/^ *"status": "\(.*\)",$/\1/p' | sort | uniq -c |
    awk '{ printf "%s%s %s", separator, $1, $2; separator = ", " }'
}

id_of_partial_run() { "${IDMS[@]}" history --status partial --limit 1 --json | sed -n 's/^ *"id": \([0-9]*\),$/\1/p'; }

id_of_last_run() { "${IDMS[@]}" history "$1" --limit 1 --json | sed -n 's/^ *"id": \([0-9]*\),$/\1/p'; }

# What the mailing house has got by both ways: the rows of the files, and the objects in the requests.
members_in_files() { cat .demo/outbox/*.csv | grep -vc '^ID,' || true; }
members_received() { ask "GET /_sandbox/inbox" | grep -o '"ID":' | wc -l; }

forget_calls() { ask "POST /_sandbox/reset" >.demo/calls.json; }

# What the site itself counted: logins aside, each POST and PUT is an attempt to write.
tell_calls() {
  local calls reads writes
  calls=$(ask "GET /_sandbox/calls" | tee .demo/calls.json | grep -o '"[A-Z]* [A-Za-z_]*": *[0-9]*')
  reads=$(sum "$(grep '"GET' <<<"$calls")")
  writes=$(sum "$(grep -E '"(POST|PUT|DELETE)' <<<"$calls" | grep -v ' token"')")
  printf '\n%s\n' "The site counted in the second night: $reads GET, $writes POST, PUT or DELETE."
  must_be "attempts to write in the second night" "$writes" 0
}

sum() { awk -F: '{ total += $2 } END { print total + 0 }' <<<"$1"; }

# A request to the sandbox's own pages, without need of curl.
ask() {
  exec 3<>"/dev/tcp/127.0.0.1/${url##*:}"
  printf '%s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' "$1" >&3
  tail -n 1 <&3
  exec 3<&-
}

main
