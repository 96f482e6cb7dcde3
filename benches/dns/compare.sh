#!/bin/bash
# The DNS forwarder of the tokio adapter beside unbound, dnsmasq and dnsdist, by dnsperf: each in turn, round after round,
# on the same processors. Prints queries a second and processor time for each query, as ratios to unbound of the same round
# and their median. Fails if any answer is neither NOERROR nor NXDOMAIN.
#
#   benches/dns/compare.sh                     both workloads, 5 rounds of 5 seconds each
#   benches/dns/compare.sh hot 9 10            one of them, 9 rounds of 10 seconds
#   benches/dns/compare.sh memory              200 000 names kept with --memory 128M: resident memory, and what is held
#
# hot: 1000 names, all kept. skewed: 100 000 names by Zipf's law, behind an upstream that takes 10 ms, from nothing kept.
# Needs Debian's dnsperf, unbound, dnsmasq-base, dnsdist, bind9-dnsutils, and python3.
set -euo pipefail
cd "$(dirname "$0")/../.."

workloads=${1:-"hot skewed"}
rounds=${2:-5}
seconds=${3:-5}
for tool in dnsperf unbound dnsmasq dnsdist dig python3; do
  command -v $tool > /dev/null || { echo "needs $tool"; exit 2; }
done
cargo build --quiet --release -p larder-tokio --example dns
program=${CARGO_TARGET_DIR:-target}/release/examples/dns
folder=$(mktemp -d)
threads=$(nproc)
ticks=$(getconf CLK_TCK)
pids=()
finish() {
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2> /dev/null || true
  wait
  rm -rf "$folder"
}
trap finish EXIT

# begin NAME COMMAND...: starts a server; its process is known by that name.
declare -A process
begin() {
  local name=$1
  shift
  "$@" > "$folder/$name.log" 2>&1 &
  process[$name]=$!
  pids+=($!)
}

unbound_conf() { # PORT THREADS, and what else is to be said
  printf 'server:\n  interface: 127.0.0.1@%s\n  num-threads: %s\n  so-reuseport: yes\n  do-daemonize: no\n  use-syslog: no\n' "$1" "$2"
  printf '  username: ""\n  chroot: ""\n  pidfile: ""\n  directory: "%s"\n  do-not-query-localhost: no\n' "$folder"
  printf '  local-zone: "test." nodefault\n  module-config: "iterator"\n  minimal-responses: yes\n'
  printf '  outgoing-range: 8192\n  num-queries-per-thread: 4096\n  msg-cache-size: 64m\n  rrset-cache-size: 128m\n'
  printf '%s\nremote-control:\n  control-enable: no\n' "$3"
}

# The upstream: it knows all names, and takes as long as a workload says.
unbound_conf 5390 1 '  local-zone: "example.test." redirect
  local-data: "example.test. 3600 IN A 192.0.2.7"' > "$folder/origin.conf"
begin origin unbound -c "$folder/origin.conf"
printf 'newServer("127.0.0.1:5390"):setUp()\nsetLocal("127.0.0.1:5391")\naddAction(AllRule(), DelayAction(10))\n' > "$folder/slow.conf"
begin slow dnsdist --supervised --disable-syslog -C "$folder/slow.conf"

servers=(unbound larder dnsmasq dnsdist)
declare -A port=([unbound]=5392 [larder]=5393 [dnsmasq]=5394 [dnsdist]=5395)
start_all() { # the upstream's port
  unbound_conf ${port[unbound]} "$threads" "forward-zone:
  name: \".\"
  forward-addr: 127.0.0.1@$1" > "$folder/unbound.conf"
  begin unbound unbound -c "$folder/unbound.conf"
  begin larder "$program" --listen 127.0.0.1:${port[larder]} --upstream "127.0.0.1:$1"
  begin dnsmasq dnsmasq -k -C /dev/null --no-resolv --no-hosts --listen-address=127.0.0.1 --bind-interfaces \
    --port=${port[dnsmasq]} --server="127.0.0.1#$1" --cache-size=10000 --dns-forward-max=10000 --pid-file= --user=root
  {
    printf 'newServer("127.0.0.1:%s"):setUp()\npc = newPacketCache(200000)\ngetPool(""):setCache(pc)\n' "$1"
    for _ in $(seq "$threads"); do printf 'addLocal("127.0.0.1:%s", { reusePort = true })\n' ${port[dnsdist]}; done
  } > "$folder/dnsdist.conf"
  begin dnsdist dnsdist --supervised --disable-syslog -C "$folder/dnsdist.conf"
  for name in "${servers[@]}"; do await ${port[$name]} "$name"; done
}
stop_all() {
  for name in "${servers[@]}"; do kill "${process[$name]}" && wait "${process[$name]}" 2> /dev/null || true; done
}
await() { # PORT NAME
  for _ in $(seq 50); do
    dig +short +tries=1 +time=1 -p "$1" @127.0.0.1 ready.example.test 2> /dev/null | grep -q 192.0.2.7 && return
    sleep 0.1
  done
  echo "$2 does not answer"
  cat "$folder/$2.log"
  exit 1
}

names() { # hot or skewed
  python3 - "$1" << 'EOF'
import itertools, random, sys
random.seed(2308)
if sys.argv[1] == "hot":
    for name in range(1000):
        print(f"h{name}.example.test A")
else:
    weights = list(itertools.accumulate(1 / rank for rank in range(1, 100_001)))
    for name in random.choices(range(100_000), cum_weights=weights, k=500_000):
        print(f"h{name}.example.test A")
EOF
}

spent() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# ask NAME WORKLOAD: sets `rate` and `cost`, in queries a second and microseconds of processor time for each.
ask() {
  local before after asked
  before=$(spent "${process[$1]}")
  dnsperf -s 127.0.0.1 -p ${port[$1]} -d "$folder/$2" -l "$seconds" -c 20 -q 400 -T "$threads" > "$folder/perf" 2>&1
  after=$(spent "${process[$1]}")
  asked=$(awk '/Queries completed/ { print $3 }' "$folder/perf")
  rate=$(awk '/Queries per second/ { print $4 }' "$folder/perf")
  cost=$(awk "BEGIN { print ($after - $before) * 1000000 / $ticks / $asked }")
  if grep 'Response codes' "$folder/perf" | grep -oE '[A-Z]+ [0-9]+' | grep -vE '^(NOERROR|NXDOMAIN) '; then
    echo "$1, $2: answers that are none"
    failed=1
  fi
}

compare() { # WORKLOAD
  names "$1" > "$folder/$1"
  : > "$folder/figures"
  [ "$1" = skewed ] || start_all 5390
  for round in $(seq "$rounds"); do
    # (From nothing kept, each time.)
    [ "$1" = hot ] || start_all 5391
    for name in "${servers[@]}"; do
      ask "$name" "$1"
      echo "$round $name $rate $cost" >> "$folder/figures"
    done
    [ "$1" = hot ] || stop_all
  done
  [ "$1" = skewed ] || stop_all
  python3 - "$1" "$folder/figures" << 'EOF'
import statistics, sys
rounds = {}
for line in open(sys.argv[2]):
    number, name, rate, cost = line.split()
    rounds.setdefault(number, {})[name] = (float(rate), float(cost))
print(f"{sys.argv[1]:<10}{'queries/s':>12}{'us each':>9}{'rate':>8}{'cost':>8}   (to unbound, medians of {len(rounds)} rounds)")
for name in next(iter(rounds.values())):
    median = lambda figure: statistics.median(figure(one) for one in rounds.values())
    print(f"{name:<10}{median(lambda one: one[name][0]):>12.0f}{median(lambda one: one[name][1]):>9.2f}"
          f"{median(lambda one: one[name][0] / one['unbound'][0]):>8.2f}"
          f"{median(lambda one: one[name][1] / one['unbound'][1]):>8.2f}")
EOF
}

memory() {
  begin larder "$program" --listen 127.0.0.1:${port[larder]} --upstream 127.0.0.1:5390 --memory 128M
  await ${port[larder]} larder
  seq -f 'h%.0f.example.test A' 200000 > "$folder/many"
  for _ in 1 2; do dnsperf -s 127.0.0.1 -p ${port[larder]} -d "$folder/many" -n 1 -c 20 -q 200 > "$folder/perf" 2>&1; done
  kill -USR1 "${process[larder]}"
  sleep 0.2
  cat "$folder/larder.log"
  awk '/VmRSS/ { printf "resident: %.0f MiB\n", $2 / 1024 }' "/proc/${process[larder]}/status"
}

failed=0
await 5390 origin
await 5391 slow
echo "unbound $(unbound -V | head -n 1 | cut -d " " -f 2), $(dnsmasq --version | head -n 1 | cut -d ' ' -f 1-3), $(dnsdist --version | head -n 1), $threads processors"
for workload in $workloads; do
  case $workload in
    hot | skewed) compare "$workload" ;;
    memory) memory ;;
    *) echo "no workload: $workload"; exit 2 ;;
  esac
done
exit $failed
