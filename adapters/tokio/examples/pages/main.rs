//! A page cache over real files, killed again and again.
//!
//! Records live in pages that are never changed in place; a superblock says which page holds which record. It must be
//! on disk after the pages that it points to. One line of the program ensures that: `roots.always_depend_on(&pages)`. A
//! child process updates records as fast as it can and reports each update that is on disk. It is killed at a random
//! point, the files are verified, and the next child continues with them.
//!
//! ```sh
//! cargo run --release -p larder-tokio --example pages
//! cargo run --release -p larder-tokio --example pages -- --rounds 20
//! ```

mod child;
mod disk;
mod layout;
mod rounds;
mod store;
mod verify;

use std::{error::Error, ffi::OsString, path::Path, process::ExitCode};

use lexopt::{Arg, Parser, ValueExt};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    match parse(std::env::args_os().skip(1)) {
        Ok(Command::Help) => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Ok(Command::Child { folder, seed }) => child::run(Path::new(&folder), seed).map(|()| ExitCode::SUCCESS),
        Ok(Command::Rounds(rounds)) => rounds::run(rounds),
        Err(error) => {
            eprintln!("pages: {error}; see pages --help");
            Ok(ExitCode::from(2))
        }
    }
}

/// What to do.
enum Command {
    Help,
    Rounds(usize),
    /// Used only by the program itself.
    Child {
        folder: OsString,
        seed: u64,
    },
}

/// Reads the arguments, without the program's name.
fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let mut command = Command::Rounds(200);
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Long("rounds") => command = Command::Rounds(parser.value()?.parse()?),
            Arg::Long("child") => command = Command::Child { folder: parser.value()?, seed: parser.value()?.parse()? },
            other => return Err(other.unexpected()),
        }
    }
    Ok(command)
}

/// What `--help` prints.
const HELP: &str = "\
A page cache over real files, made with Larder, that is killed again and again.

  pages               kills its child 200 times, in about ten seconds
  pages --rounds N    kills it N times

The child changes records as fast as it can and reports which are on disk. It is killed
at a random point, the files are verified, and the next child continues with them. The
status is 1 if a record was lost although it was reported to be on disk.

It is an example. Left out: reuse of the space of old pages, more than one writer.
";
