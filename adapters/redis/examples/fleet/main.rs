//! Four processes that share a page store, without a second tier and with one, and what happens when things break.
//!
//! ```sh
//! cargo run --release -p larder-redis --example fleet
//! ```
//!
//! The store is slow: a page takes 20 to 60 ms. Each process reads pages for many clients, and changes one now and then.
//! All that a program has to do for it is in `process`: **how the tier is configured and told of changes**. The rest is
//! the demonstration:
//!
//! * `store`: the page store, in this process, over loopback
//! * `acts`: starts the processes and a server, breaks things, and adds up what the processes have seen

#![allow(clippy::unwrap_used, reason = "an example ends where it cannot go on")]

mod acts;
mod process;
mod store;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::{
    env,
    process::ExitCode,
    time::{Duration, SystemTime},
};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match *arguments.iter().map(|word| &**word).collect::<Vec<_>>() {
        [] => acts::run().await,
        ["--help" | "-h"] => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        // Used only by the program itself.
        ["--process", store, server] => {
            process::run(store.parse().unwrap(), server).await;
            ExitCode::SUCCESS
        }
        ref other => {
            eprintln!("fleet: it takes no arguments, and not {other:?}; see fleet --help");
            ExitCode::from(2)
        }
    }
}

/// The time by which all processes of this machine tell what they have seen.
fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
}

/// What `--help` prints.
const HELP: &str = "\
Four processes that share a page store, made with Larder: without a second tier and with
one on Redis, and what happens when things break.

  fleet    takes about 20 seconds, and prints a table

It starts a redis-server of its own on loopback (on Debian: apt-get install redis-server;
LARDER_REDIS_SERVER names another one). The status is 1 if the tier has saved too little,
or an old page was served for too long.
";
