//! A caching HTTP proxy over real sockets.
//!
//! ```text
//! cargo run --release -p larder-examples --bin http                  # a demonstration on loopback, a few seconds
//! cargo run --release -p larder-examples --bin http -- 127.0.0.1:8080 127.0.0.1:8000     # listens, asks the other
//! curl -i http://127.0.0.1:8080/                                      # ask it
//! ```
//!
//! It honours `max-age`, `ETag`, and the `stale-while-revalidate` and `stale-if-error` of RFC 5861. None of this is
//! written here; it is all configuration of the cache. Where to look, from the client to the origin:
//!
//! * `server`: accepts connections and hands requests to a `Service`
//! * `proxy`: the service: request in, response out
//! * `cache`: **how Larder is configured and called**
//! * `origin`: asks the real server for a page, or whether the cached one is still good
//! * `control`: the lifetime of an answer by its `Cache-Control` header
//! * `clock`: tokio's clock, moved forward by the demonstration, so that a minute does not take one
//! * `demo`: the run without arguments
//!
//! A proxy for many users also needs `Vary`, limits of staleness set by each answer, and new requests for callers that
//! joined a request whose answer may not be shared.

#![forbid(unsafe_code)]

mod cache;
mod clock;
mod control;
mod demo;
mod origin;
mod proxy;
mod server;

use std::{ffi::OsString, net::SocketAddr, process::ExitCode, sync::Arc};

use lexopt::{Arg, Parser, ValueExt};

use self::{
    cache::{PageCache, Settings},
    clock::Skipping,
    origin::{Failure, Origin},
    proxy::Proxy,
    server::Server,
};

#[tokio::main]
async fn main() -> ExitCode {
    let result = match parse(std::env::args_os().skip(1)) {
        Ok(Command::Help) => {
            print!("{HELP}");
            Ok(())
        }
        Ok(Command::Demonstrate) => demo::run().await,
        Ok(Command::Serve { listen, origin }) => serve(listen, origin).await,
        Err(error) => {
            eprintln!("http: {error}; see http --help");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("http: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What to do.
enum Command {
    Demonstrate,
    Help,
    Serve { listen: SocketAddr, origin: SocketAddr },
}

/// Reads the arguments, without the program's name.
fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let mut addresses: Vec<SocketAddr> = Vec::new();
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Value(address) => addresses.push(address.parse()?),
            other => return Err(other.unexpected()),
        }
    }
    match *addresses.as_slice() {
        [] => Ok(Command::Demonstrate),
        [listen, origin] => Ok(Command::Serve { listen, origin }),
        _ => Err("it takes two addresses, to listen on and to ask, or none".into()),
    }
}

/// Serves until Ctrl-C.
async fn serve(listen: SocketAddr, origin: SocketAddr) -> Result<(), Failure> {
    let pages = PageCache::new(Skipping::new(), Origin::new(origin), Settings::default())?;
    let server = Server::bind(listen, Arc::new(Proxy::new(pages))).await?;
    println!("Answering at {} for {origin}; Ctrl-C ends it.", server.address());
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// What `--help` prints.
const HELP: &str = "\
A caching HTTP proxy in front of one server, made with Larder.

  http                  runs a demonstration on loopback, in a few seconds
  http LISTEN ORIGIN    answers at LISTEN for the server at ORIGIN until Ctrl-C
                        addresses are like 127.0.0.1:8080 or [::1]:8080

Clients that ask for one page at the same time cost one request. Pages live for as long
as Cache-Control says, are refreshed by ETag, and are served stale while they are being
refreshed and while the server is down (RFC 5861).

It is an example. Left out: Vary, HTTPS, HTTP/2, bodies of requests, ranges, and
new requests for clients that joined one whose answer may not be shared.
";
