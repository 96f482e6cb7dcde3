//! A page cache over real files, killed again and again.
//!
//! Records live in pages that are never changed in place; a superblock says which page holds which record. It must be on
//! disk after the pages that it points to, and that is all the program says: `roots.always_depend_on(&pages)`. A child process
//! updates records as fast as it can and tells each update that is on disk. It is killed at a random point, the files are
//! verified, and the next child goes on with them.
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

use std::{error::Error, path::Path, process::ExitCode};

use lexopt::{Arg, Parser, ValueExt};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let (mut rounds, mut child) = (200, None);
    let mut parser = Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("rounds") => rounds = parser.value()?.parse()?,
            // Only from the program itself: the folder, and a seed.
            Arg::Long("child") => child = Some((parser.value()?, parser.value()?.parse()?)),
            other => return Err(other.unexpected().into()),
        }
    }
    match child {
        Some((folder, seed)) => child::run(Path::new(&folder), seed).map(|()| ExitCode::SUCCESS),
        None => rounds::run(rounds),
    }
}
