//! Tests of the DNS forwarder in `examples/dns`, over real sockets.
//!
//! The forwarder runs within the test, asked by hickory's client, by bare sockets where packets must be odd, and by
//! `dig` and `kdig` where they are installed. Its clock is tokio's, which these tests move forward by hand.

#![allow(dead_code, reason = "the program's own entry and its demonstration are not called here")]
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "the same as in the program")]
#![allow(clippy::unwrap_used, reason = "how a test fails")]

#[path = "../examples/dns/allow.rs"]
mod allow;
#[path = "../examples/dns/answer.rs"]
mod answer;
#[path = "../examples/dns/cache.rs"]
mod cache;
#[path = "../examples/dns/demo/mod.rs"]
mod demo;
#[path = "../examples/dns/forwarder.rs"]
mod forwarder;
#[path = "../examples/dns/framing.rs"]
mod framing;
#[path = "../examples/dns/names.rs"]
mod names;
#[path = "../examples/dns/options/mod.rs"]
mod options;
#[path = "../examples/dns/question.rs"]
mod question;
#[path = "../examples/dns/records.rs"]
mod records;
#[path = "../examples/dns/refusal.rs"]
mod refusal;
#[path = "../examples/dns/report.rs"]
mod report;
#[path = "../examples/dns/request.rs"]
mod request;
#[path = "../examples/dns/response.rs"]
mod response;
#[path = "../examples/dns/serve.rs"]
mod serve;
#[path = "../examples/dns/server/mod.rs"]
mod server;
#[path = "../examples/dns/sift.rs"]
mod sift;
#[path = "../examples/dns/upstream/mod.rs"]
mod upstream;
#[path = "../examples/dns/wire.rs"]
mod wire;

#[path = "dns/ahead.rs"]
mod ahead;
#[path = "dns/asking.rs"]
mod asking;
#[path = "dns/bad_networks.rs"]
mod bad_networks;
#[path = "dns/bad_packets.rs"]
mod bad_packets;
#[path = "dns/command_line.rs"]
mod command_line;
#[path = "dns/dead_upstream.rs"]
mod dead_upstream;
#[path = "dns/ends.rs"]
mod ends;
#[path = "dns/limits.rs"]
mod limits;
#[path = "dns/many_clients.rs"]
mod many_clients;
#[path = "dns/old_servers.rs"]
mod old_servers;
#[path = "dns/scripted.rs"]
mod scripted;
#[path = "dns/several.rs"]
mod several;
#[path = "dns/sizes.rs"]
mod sizes;
#[path = "dns/streams.rs"]
mod streams;
#[path = "dns/tools.rs"]
mod tools;
#[path = "dns/ttls.rs"]
mod ttls;
#[path = "dns/untrusted_upstream.rs"]
mod untrusted_upstream;
