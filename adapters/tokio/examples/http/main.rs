//! A caching HTTP proxy over real sockets.
//!
//! ```text
//! cargo run --release -p larder-tokio --example http                  # a demonstration on loopback, a few seconds
//! cargo run --release -p larder-tokio --example http -- 127.0.0.1:8080 127.0.0.1:8000     # listens, asks the other
//! curl -i http://127.0.0.1:8080/                                      # ask it
//! ```
//!
//! It honours `max-age`, `ETag`, and what RFC 5861 calls `stale-while-revalidate` and `stale-if-error`; none of it is
//! written here, all of it is how the cache is set up. Where to look, from the client to the origin:
//!
//! * `server`: accepts connections and hands requests to a `Service`
//! * `proxy`: the service: request in, response out
//! * `cache`: **how Larder is set up and asked**
//! * `origin`: asks the real server, and whether what is held is still good
//! * `control`: what `Cache-Control` says of an answer's lifetime
//! * `clock`: tokio's clock, set forward by the demonstration so that a minute does not take one
//! * `demo`: the run without arguments
//!
//! What a proxy for many users needs beyond this: `Vary`, limits of staleness that each answer sets for itself, and
//! asking again for those who joined a request whose answer may not be shared.

#![forbid(unsafe_code)]

mod cache;
mod clock;
mod control;
mod demo;
mod origin;
mod proxy;
mod server;

use std::{env, net::SocketAddr, process::ExitCode, sync::Arc};

use self::{
    cache::{PageCache, Settings},
    clock::Skipping,
    origin::{Failure, Origin},
    proxy::Proxy,
    server::Server,
};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [] => demo::run().await,
        [listen, origin] => serve(listen, origin).await,
        _ => Err("two addresses, to listen on and to ask, or none for a demonstration".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("http: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until Ctrl-C.
async fn serve(listen: &str, origin: &str) -> Result<(), Failure> {
    let origin: SocketAddr = origin.parse()?;
    let pages = PageCache::new(Skipping::new(), Origin::new(origin), Settings::default())?;
    let server = Server::bind(listen.parse()?, Arc::new(Proxy::new(pages))).await?;
    println!("Answering at {} for {origin}; Ctrl-C ends it.", server.address());
    tokio::signal::ctrl_c().await?;
    Ok(())
}
