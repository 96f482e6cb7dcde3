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

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    // There is nothing to choose.
    match env::args().nth(1).as_deref() {
        None => {}
        Some("-h" | "--help") => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Some(other) => {
            eprintln!("token: it takes no arguments, and {other:?} is one; token --help tells more");
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

/// How many ask at once.
const CLIENTS: usize = 100;

/// What `--help` prints.
const HELP: &str = "\
A token that refreshes itself before it expires, made with Larder.

  token    demonstrates itself on loopback, in a few seconds

A hundred clients call a server that asks for a token. Its provider stalls, fails, hands
out tokens that have expired already, and takes one back; the table tells what the
clients saw of that.

It is an example. Left out: HTTPS, scopes, more than one token.
";
