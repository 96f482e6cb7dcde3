//! What `--help` prints. Whatever option exists is mentioned here.

pub(crate) const HELP: &str = "\
A caching DNS forwarder, made with Larder.

  dns                                 demonstrates itself on loopback
  dns --listen ADDR --upstream ADDR   serves until Ctrl-C; ADDR: 127.0.0.1:5300

Serving:
  --upstream ADDR        given again: asked where those before fail
  --allow NET            who is answered; may be given again  loopback, private
  --workers N            UDP sockets that share the port     one per core
  --no-cache             every question goes to the upstream
  --memory SIZE          bytes that kept answers may take    64M
  --prefetch TIME        asks anew so long before the end    0: never
  --max-open N           questions open at the upstreams     10000
  --tries N              questions sent before giving up     7 (demo: 3)
  --try-timeout TIME     longest wait between two of them    400ms (demo: 90ms)

The four timers of serve-stale (RFC 8767):
  --client-timeout TIME  a client has some answer by then    1.8s (demo: 300ms)
  --load-budget TIME     what comes later is not waited for  10s
  --recheck TIME         a dead upstream is left in peace    30s
  --max-stale TIME       answers serve on after their TTL    1d
and for failures with no stale answer behind them (RFC 9520):
  --error-ttl TIME       the failure is kept                 5s

Demonstration:
  --questions N  --clients N  --names N    10000, 100, 2000
  --latency TIME --loss SHARE              of its upstream: 20ms, 0.01

TIME is a number with ms, s, m, h or d; a bare number is seconds. SIZE is a
number with K, M or G; NET is an address, or one with bits: 10.0.0.0/8.

SIGUSR1 prints statistics; SIGINT and SIGTERM end it when all is answered.
It validates no DNSSEC, speaks no TLS, and has no zones of its own.
";
