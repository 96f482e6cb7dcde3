//! Replays logs of keys through Larder and other caches: how often would which capacity have hit?

mod args;
mod cells;
mod chart;
mod policies;
mod sized;

use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    args::Args,
    cells::{Cells, Whole},
};

fn main() -> ExitCode {
    let args = match Args::read() {
        Ok(Some(args)) => args,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let logs = match args.logs() {
        Ok(logs) => logs,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    for (name, log) in logs {
        let whole = Whole::of(&log);
        let (capacities, policies) = (args.capacities(whole.most()), args.policies(&log));
        let bar = ProgressBar::new((capacities.len() * policies.len()) as u64);
        bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len}, {eta} left: {msg}").expect("a template"));
        bar.set_message(name.clone());
        let cells = Cells::of(&log, &policies, &capacities, || bar.inc(1));
        bar.finish_and_clear();
        println!("{name}: {whole}\n{cells}");
        if let Some(file) = &args.draw {
            if let Err(error) = chart::draw(file, &name, &cells) {
                eprintln!("{}: {error}", file.display());
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
