//! The rounds: a child writes and is killed, and the files that it leaves are verified.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio, id},
    thread,
    time::Duration,
};

use crate::verify::{Found, verify};

/// The totals of all rounds.
#[derive(Default)]
struct Sum {
    kills: usize,
    told: usize,
    lost: usize,
    torn: usize,
    records: usize,
}

/// A folder that is removed when dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _left_behind = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn run(rounds: usize) -> Result<ExitCode, Box<dyn Error>> {
    let folder = Folder(env::temp_dir().join(format!("larder-pages-{}", id())));
    fs::create_dir_all(&folder.0)?;
    let mut told = BTreeMap::new();
    let mut sum = Sum::default();
    for round in 0..rounds {
        let lines = killed_child(&folder.0, round as u64 * 1_000)?;
        sum.kills += 1;
        sum.told += lines.len();
        for (record, version) in lines {
            let last = told.entry(record).or_default();
            *last = version.max(*last);
        }
        let Found { lost, torn, records } = verify(&folder.0, &told)?;
        (sum.lost, sum.torn, sum.records) = (sum.lost + lost, sum.torn + torn, records);
    }
    let Sum { kills, told, lost, torn, records } = sum;
    println!("rounds               {rounds:>8}");
    println!("kills                {kills:>8}");
    println!("writes acknowledged  {told:>8}");
    println!("writes lost          {lost:>8}");
    println!("pages torn           {torn:>8}");
    println!("records at the end   {records:>8}");
    let holds = lost == 0 && torn == 0 && kills == rounds && (told > 0 || rounds == 0);
    println!("{}", if holds { "nothing was lost" } else { "SOMETHING WAS LOST" });
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs a child and kills it at a random point; returns what it has reported.
fn killed_child(folder: &Path, seed: u64) -> Result<Vec<(u64, u64)>, Box<dyn Error>> {
    let seed = seed.to_string();
    let mut child = Command::new(env::current_exe()?)
        .arg("--child")
        .args([folder.as_os_str(), seed.as_ref()])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut pipe = child.stdout.take().ok_or("the child has no output")?;
    // The pipe has to be read all the time, or the child would wait instead of writing.
    let reader = thread::spawn(move || {
        let mut told = String::new();
        pipe.read_to_string(&mut told).map(|_| told)
    });
    thread::sleep(Duration::from_micros(fastrand::u64(2_000..40_000)));
    if let Some(status) = child.try_wait()? {
        return Err(format!("the child ended by itself: {status}").into());
    }
    child.kill()?;
    child.wait()?;
    let told = reader.join().map_err(|_| "the reader panicked")??;
    // The last line may be torn; its update is on disk, but was not reported.
    let whole = told.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let line = |line: &str| -> Option<(u64, u64)> {
        let (record, version) = line.split_once(' ')?;
        Some((record.parse().ok()?, version.parse().ok()?))
    };
    Ok(whole.lines().filter_map(line).collect())
}
