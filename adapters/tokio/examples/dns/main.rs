//! A caching DNS forwarder over real sockets.
//!
//! ```text
//! cargo run --release -p larder-tokio --example dns                  # a demonstration on loopback, some 17 seconds
//! cargo run --release -p larder-tokio --example dns -- --help        # all options
//! cargo run --release -p larder-tokio --example dns -- --listen 127.0.0.1:5300 --upstream 127.0.0.1:5301
//! dig @127.0.0.1 -p 5300 h1.example.test                             # ask it
//! ```
//!
//! A packet becomes a question, whose bytes are the key of the cache. An answer that is there is written at once, without
//! a task, an allocation or a record being parsed: it is kept as bytes, and all that is left to do is to count down its
//! TTLs. What is not there is waited for in a task; the load that asks the upstream belongs to the cache, has a time of its
//! own, and is finished for the next client if this one gives up.
//!
//! Where to look, from the wire to the cache and back:
//!
//! * `server`: UDP and TCP sockets; hands packets to a `Service`
//! * `request`, `question`: bytes to a question, or to what junk deserves
//! * `forwarder`: the service: question in, answer out; `refusal` and `allow`: what and who is not answered
//! * `cache`: **how Larder is set up and asked**; most of what a resolver's cache must do is configuration there
//! * `upstream`: asks the real servers, over UDP and, where cut short, over TCP
//! * `answer`, `sift`: what is kept of an upstream's reply, and for how long
//! * `response`: an answer to the bytes that this client gets
//! * `wire`, `names`, `records`, `framing`: where things are in a message, and messages in a stream
//! * `options`, `serve`, `report`, `demo`: the command line; the server; what it did; the run without arguments

#![forbid(unsafe_code)]
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a program: std is its home")]

mod allow;
mod answer;
mod cache;
mod demo;
mod forwarder;
mod framing;
mod names;
mod options;
mod question;
mod records;
mod refusal;
mod report;
mod request;
mod response;
mod serve;
mod server;
mod sift;
mod upstream;
mod wire;

use std::{env, error::Error, process::ExitCode};

use self::options::{Command, HELP};

fn main() -> ExitCode {
    let command = match options::parse(env::args_os().skip(1)) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("dns: {error}\nTry --help for the options.");
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dns: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Help => print!("{HELP}"),
        Command::Serve(plan, settings) => serve::run(plan, settings).await?,
        Command::Demo(plan, settings) => demo::run(plan, settings).await?,
    }
    Ok(())
}
