//! Larder beside its peers, in turn, in many short rounds: what an operation takes in each, and the ratio of the times of
//! the same round.
//!
//! Times on a shared machine vary and ratios less; nothing is asserted. A ratio below 1.00 says that Larder is the faster.

mod args;
mod contest;
mod hits;
mod loads;
mod stops;
mod table;
mod workloads;
mod writes;

use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

use crate::{args::Args, contest::Contest};

fn main() -> ExitCode {
    let args = match Args::read() {
        Ok(Some(args)) => args,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let workloads: Vec<_> = workloads::all().into_iter().filter(|workload| args.wants(workload.name)).collect();
    if workloads.is_empty() {
        eprintln!("no workload has such a name; --list tells all");
        return ExitCode::from(2);
    }
    if args.lists {
        workloads.iter().for_each(|workload| println!("{}", workload.name));
        return ExitCode::SUCCESS;
    }
    let bar = ProgressBar::new((workloads.len() * args.rounds) as u64);
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} rounds, {eta} left: {msg}").expect("a template"));
    let mut results = Vec::new();
    for workload in workloads {
        bar.set_message(workload.name);
        let mut entrants = (workload.entrants)();
        let mut nth = 0;
        // The first is Larder.
        entrants.retain(|entrant| {
            nth += 1;
            nth == 1 || args.admits(entrant.name())
        });
        let contest = Contest::new(workload.name, workload.unit, entrants);
        let result = contest.run(args.rounds, || bar.inc(1));
        bar.suspend(|| table::print(&result));
        results.push(result);
    }
    bar.finish_and_clear();
    let Some(file) = &args.json else { return ExitCode::SUCCESS };
    match std::fs::write(file, table::json(&results)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}
