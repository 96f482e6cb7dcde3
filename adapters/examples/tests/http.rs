//! Tests of the HTTP proxy in `http`, over real sockets.
//!
//! The proxy and its origin run within the test. The clock of the cache is moved forward by hand.

#![allow(clippy::unwrap_used, reason = "how a test fails")]

#[path = "../http/cache.rs"]
mod cache;
#[path = "../http/clock.rs"]
mod clock;
#[path = "../http/control.rs"]
mod control;
#[path = "../http/demo/mod.rs"]
mod demo;
#[path = "../http/origin.rs"]
mod origin;
#[path = "../http/proxy.rs"]
mod proxy;
#[path = "../http/server.rs"]
mod server;

#[path = "http/bad_origin.rs"]
mod bad_origin;
#[path = "http/dead_origin.rs"]
mod dead_origin;
#[path = "http/lifetimes.rs"]
mod lifetimes;
#[path = "http/many_clients.rs"]
mod many_clients;
#[path = "http/memory.rs"]
mod memory;
#[path = "http/revalidating.rs"]
mod revalidating;
#[path = "http/scripted.rs"]
mod scripted;
