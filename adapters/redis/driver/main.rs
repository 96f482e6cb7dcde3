//! Breaks whatever can be broken around a fleet, and holds what happens against the promises.
//!
//! ```sh
//! cargo run --release -p larder-redis --features driver --example driver                   # all phases, two minutes
//! cargo run --release -p larder-redis --features driver --example driver -- 600            # ten minutes
//! cargo run --release -p larder-redis --features driver --example driver -- 20 kill cut    # two phases
//! cargo run --release -p larder-redis --features driver --example driver -- --mutants      # is it noticed?
//! ```
//!
//! It starts a server, a source of truth, a relay and six worker processes, all on loopback. Workers read through their
//! caches, write the source, and tell the tier. Meanwhile holders of leases are killed, workers and the server are stopped
//! and go on, the server is restarted, connections are cut or hang. Everything is written down with the time at which it
//! happened, and judged at the end of a phase (`check`). The status is 1 if a promise was broken, or if a mutant, which
//! breaks one on purpose, was not noticed.
//!
//! * `plan`: the phases, what they break, the mutants and where they show
//! * `fleet`: the processes of a phase, and what goes wrong around them
//! * `worker`: one process of the fleet
//! * `source`: the single source of truth, with versions
//! * `record`: what has happened; `check`: what must not have

#![allow(clippy::unwrap_used, reason = "it is a test")]

mod check;
mod fleet;
mod plan;
mod record;
mod second_tier;
mod source;
#[path = "../tests/support/mod.rs"]
mod support;
mod worker;

use std::{env, process::ExitCode, time::Duration};

use self::plan::{MUTANTS, PHASES, Phase};

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(|word| &**word).collect();
    match *words {
        ["--help" | "-h"] => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        ["--worker", ref rest @ ..] => {
            runtime.block_on(worker::run(rest));
            ExitCode::SUCCESS
        }
        ["--mutants"] => mutants(&runtime),
        ref rest => {
            let (seconds, names) = match *rest {
                [first, ref names @ ..] if first.parse::<u64>().is_ok() => (first.parse().unwrap(), names),
                ref names => (120, names),
            };
            let chosen: Option<Vec<Phase>> = names.iter().map(|name| plan::phase(name)).collect();
            match chosen {
                Some(chosen) if chosen.is_empty() => phases(&runtime, seconds, PHASES),
                Some(chosen) => phases(&runtime, seconds, &chosen),
                None => {
                    eprintln!("driver: no such phase or option among {names:?}; see driver --help");
                    ExitCode::from(2)
                }
            }
        }
    }
}

/// Runs phases, for this long in all.
fn phases(runtime: &tokio::runtime::Runtime, seconds: u64, phases: &[Phase]) -> ExitCode {
    let each = Duration::from_secs(seconds) / u32::try_from(phases.len()).unwrap();
    check::heading();
    let mut broken = 0;
    for phase in phases {
        let Some(record) = runtime.block_on(fleet::run(phase, each, "")) else { return no_server() };
        broken += check::report(phase.name, &check::judge(phase, &record));
    }
    println!("{} phases, {broken} promises broken", phases.len());
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs each mutant where it should show.
fn mutants(runtime: &tokio::runtime::Runtime) -> ExitCode {
    check::heading();
    let mut unnoticed = Vec::new();
    for (mutant, name) in MUTANTS {
        let phase = plan::phase(name).unwrap();
        let Some(record) = runtime.block_on(fleet::run(&phase, Duration::from_secs(8), mutant)) else {
            return no_server();
        };
        if check::report(&format!("{mutant} ({name})"), &check::judge(&phase, &record)) == 0 {
            unnoticed.push(mutant);
        }
    }
    println!("{} mutants, {} unnoticed {unnoticed:?}", MUTANTS.len(), unnoticed.len());
    if unnoticed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn no_server() -> ExitCode {
    eprintln!("driver: there is no redis-server; on Debian: apt-get install redis-server");
    ExitCode::FAILURE
}

const HELP: &str = "\
Breaks whatever can be broken around a fleet of caches, made with Larder, and judges them.

  driver [SECONDS] [PHASE...]   these phases, or all, in this time, or two minutes
  driver --mutants              a broken tier in each phase that should notice

The status is 1 if a promise was broken or a mutant was not noticed. It needs a
redis-server; LARDER_REDIS_SERVER says which.
";
