//! The command line.

use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

const HELP: &str = "\
Times Larder beside other caches, in turn, in short rounds.

usage: cargo bench -p larder-benches --bench compare -- [NAME...] [--beside CACHE] [--rounds N] [--json FILE] [--list]

  NAME            runs the workloads whose names contain it; all without any
  --beside CACHE  only beside the caches whose names contain it; all without any
  --rounds N      how many rounds; 9 without it, and the more the steadier are the medians
  --json FILE     writes all figures there
  --list          tells the workloads

The last column is the time of Larder divided by that of the other cache in the same round: the median, and the
quartiles. Below 1.00 Larder is the faster one.";

pub(crate) struct Args {
    names: Vec<String>,
    caches: Vec<String>,
    pub(crate) rounds: usize,
    pub(crate) json: Option<PathBuf>,
    pub(crate) lists: bool,
}

impl Args {
    /// Reads the command line; nothing if that asked for help, which has been printed.
    pub(crate) fn read() -> Result<Option<Self>, lexopt::Error> {
        let mut args = Self { names: Vec::new(), caches: Vec::new(), rounds: 9, json: None, lists: false };
        let mut parser = Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                // Cargo adds it.
                Arg::Long("bench") => {}
                Arg::Long("beside") => args.caches.push(parser.value()?.string()?),
                Arg::Long("rounds") => args.rounds = parser.value()?.parse_with(at_least_one)?,
                Arg::Long("json") => args.json = Some(parser.value()?.into()),
                Arg::Long("list") => args.lists = true,
                Arg::Long("help") | Arg::Short('h') => {
                    println!("{HELP}");
                    return Ok(None);
                }
                Arg::Value(name) => args.names.push(name.string()?),
                _ => return Err(arg.unexpected()),
            }
        }
        Ok(Some(args))
    }

    /// Is this workload to be run?
    pub(crate) fn wants(&self, workload: &str) -> bool {
        is_named(workload, &self.names)
    }

    /// Is this cache to take part?
    pub(crate) fn admits(&self, cache: &str) -> bool {
        is_named(cache, &self.caches)
    }
}

/// Does the name contain one of these, if there are any?
fn is_named(name: &str, parts: &[String]) -> bool {
    parts.is_empty() || parts.iter().any(|part| name.contains(part.as_str()))
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|rounds| *rounds > 0).ok_or_else(|| "a number from 1 on".to_owned())
}
