//! A token that refreshes itself before it expires, over real sockets.
//!
//! ```text
//! cargo run --release -p larder-smol --example token      # a demonstration on loopback, a few seconds
//! ```
//!
//! A hundred clients call a server that requires a token. The provider of tokens stalls, fails, issues tokens that have
//! already expired, and revokes one. Where to look:
//!
//! * `cache`: **how Larder is configured and called**
//! * `provider`: asks the provider for a token
//! * `clock`: smol with a clock that the demonstration moves forward, so that a minute does not take one
//! * `http`: connections and servers
//! * `demo`: the clients, the server, the provider, and the phases

#![forbid(unsafe_code)]

mod cache;
mod clock;
mod demo;
mod http;
mod provider;

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    // There are no options.
    match env::args().nth(1).as_deref() {
        None => {}
        Some("-h" | "--help") => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Some(other) => {
            eprintln!("token: takes no arguments, but got {other:?}; see token --help");
            return ExitCode::from(2);
        }
    }
    match smol::block_on(demo::run(CLIENTS)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("token: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The number of clients.
const CLIENTS: usize = 100;

/// What `--help` prints.
const HELP: &str = "\
A token that refreshes itself before it expires, made with Larder.

  token    runs a demonstration on loopback, in a few seconds

A hundred clients call a server that requires a token. The provider of tokens stalls,
fails, issues tokens that have already expired, and revokes one; the table shows what
the clients got.

It is an example. Left out: HTTPS, scopes, more than one token.
";
