//! The single source of truth: versions of keys, read and written over loopback.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use crate::{
    plan::{Fault, Phase, Writes, load_millis},
    record::{Load, World, now},
    support::random,
};

/// Serves at a port until it is dropped.
pub(crate) struct Source {
    pub(crate) port: u16,
    task: tokio::task::JoinHandle<()>,
}

impl Source {
    pub(crate) async fn serve(world: Arc<World>, phase: Phase) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let last_kill = Arc::new(AtomicU64::new(now()));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&world), phase, Arc::clone(&last_kill)));
            }
        });
        Self { port, task }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(stream: TcpStream, world: Arc<World>, phase: Phase, last_kill: Arc<AtomicU64>) {
    let _ = stream.set_nodelay(true);
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let words: Vec<&str> = line.split(' ').collect();
        let numbers: Vec<u64> = words[1..].iter().map(|word| word.parse().unwrap()).collect();
        let answer = match (words[0], &*numbers) {
            ("write", &[key]) => self::write(&world, key),
            ("load", &[key, pid, asked, granted]) => {
                let Some(version) = load(&world, phase, &last_kill, key, pid, (asked, granted)).await else { return };
                version
            }
            _ => panic!("{line}"),
        };
        if write.write_all(format!("{answer}\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

fn write(world: &World, key: u64) -> u64 {
    let mut record = world.record.lock().unwrap();
    let mut versions = world.versions.lock().unwrap();
    let version = &mut versions[usize::try_from(key).unwrap()];
    *version += 1;
    record.writes.insert((key, *version), now());
    *version
}

/// Reads first and answers late: as old as an honest source can be. `None` if the one that asks has been killed; 0 if the
/// load is to fail.
async fn load(
    world: &World,
    phase: Phase,
    last_kill: &AtomicU64,
    key: u64,
    pid: u64,
    (asked, granted): (u64, u64),
) -> Option<u64> {
    let version = world.versions.lock().unwrap()[usize::try_from(key).unwrap()];
    let at = {
        let mut record = world.record.lock().unwrap();
        record.loads.push(Load { key, lease: (granted > 0).then_some((asked, granted)), end: None });
        record.loads.len() - 1
    };
    let (shortest, longest) = load_millis(phase.slow);
    sleep(Duration::from_millis(shortest + random(longest - shortest))).await;
    let (time, last) = (now(), last_kill.load(SeqCst));
    if phase.fault == Fault::KillHolders
        && granted > 0
        && time - last > 250_000_000
        && last_kill.compare_exchange(last, time, SeqCst, SeqCst).is_ok()
    {
        let pid = i32::try_from(pid).unwrap();
        if world.workers.lock().unwrap().remove(&pid) {
            kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
            world.record.lock().unwrap().kills += 1;
            return None;
        }
    }
    // (It is gone if the phase is over.)
    if let Some(load) = world.record.lock().unwrap().loads.get_mut(at) {
        load.end = Some(now());
    }
    let fails = phase.writes != Writes::No && random(50) == 0;
    Some(if fails { 0 } else { version })
}
