//! A caching DNS forwarder over real sockets.
//!
//! ```text
//! cargo run --release -p larder-tokio --example dns                  # a demonstration on loopback, some 17 seconds
//! cargo run --release -p larder-tokio --example dns -- --help        # all options
//! cargo run --release -p larder-tokio --example dns -- --listen 127.0.0.1:5300 --upstream 127.0.0.1:5301
//! dig @127.0.0.1 -p 5300 h1.example.test                             # ask it
//! ```
//!
//! Where to look, from the wire to the cache and back:
//!
//! * `server`: UDP and TCP sockets; hands packets to a `Service`
//! * `request`: bytes to a question, or to what junk deserves
//! * `forwarder`: the service: question in, answer out
//! * `cache`: **how Larder is set up and asked**; most of what a resolver's cache must do is configuration there
//! * `upstream`: asks the real server, over UDP and, where cut short, over TCP
//! * `answer`: what is kept of an upstream's reply, and for how long
//! * `response`: an answer to the bytes that this client gets
//! * `options`, `demo`: the command line; the run without arguments

#![forbid(unsafe_code)]
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a program: std is its home")]

mod answer;
mod cache;
mod demo;
mod forwarder;
mod framing;
mod options;
mod request;
mod response;
mod server;
mod upstream;

use std::{env, error::Error, net::SocketAddr, process::ExitCode, sync::Arc};

use self::{
    forwarder::{Forwarder, Settings},
    options::{Command, HELP},
    server::Server,
};

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
        Command::Serve { listen, upstream, workers, settings } => serve(listen, upstream, workers, settings).await?,
        Command::Demo(plan, settings) => demo::run(plan, settings).await?,
    }
    Ok(())
}

/// Serves until Ctrl-C, then tells what happened.
async fn serve(
    listen: SocketAddr,
    upstream: SocketAddr,
    workers: usize,
    settings: Settings,
) -> Result<(), Box<dyn Error>> {
    let forwarder = Arc::new(Forwarder::new(upstream, settings)?);
    let server = Server::bind(listen, workers, Arc::clone(&forwarder)).await;
    let server = server.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    println!("Forwarding {} to {upstream}; Ctrl-C ends it.", server.address());
    tokio::signal::ctrl_c().await?;
    println!("\n{}", forwarder.report());
    Ok(())
}
