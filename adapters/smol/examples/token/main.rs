//! A token that refreshes itself before it expires, over real sockets.
//!
//! ```text
//! cargo run --release -p larder-smol --example token      # a demonstration on loopback, a few seconds
//! ```
//!
//! A hundred clients call a server that asks for a token; a provider of tokens stalls, fails, hands out tokens that have
//! expired already, and takes one back. Where to look:
//!
//! * `cache`: **how Larder is set up and asked**
//! * `provider`: asks the provider for a token
//! * `clock`: smol by a clock that the demonstration sets forward, so that a minute does not take one
//! * `http`: connections and servers
//! * `demo`: the clients, the server, the provider, and what they go through

#![forbid(unsafe_code)]

mod cache;
mod clock;
mod demo;
mod http;
mod provider;

use std::process::ExitCode;

fn main() -> ExitCode {
    match smol::block_on(demo::run(CLIENTS)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("token: {error}");
            ExitCode::FAILURE
        }
    }
}

/// How many ask at once.
const CLIENTS: usize = 100;
