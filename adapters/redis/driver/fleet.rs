//! The processes of a phase, and what goes wrong around them.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    time::{sleep, timeout},
};

use crate::{
    plan::{Fault, KEYS, Phase, WORKERS},
    record::{Record, World, nanos, now},
    second_tier,
    source::Source,
    support::{Relay, Server, random},
};

/// Runs a phase for about this long; `None` if there is no server.
pub(crate) async fn run(phase: &Phase, time: Duration, mutant: &'static str) -> Option<Record> {
    let end = now() + nanos(time);
    let mut server = Server::start(&[])?;
    let world = Arc::new(World::new(KEYS));
    let source = Source::serve(Arc::clone(&world), *phase).await;
    let relay = Relay::to(server.port()).await;
    let ends = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..WORKERS)
        .map(|index| {
            let words = [phase.name.into(), index.to_string(), relay.port().to_string(), source.port.to_string()];
            tokio::spawn(worker(Arc::clone(&world), words, mutant, Arc::clone(&ends)))
        })
        .collect();
    let watch = tokio::spawn(second_tier::watch(Arc::clone(&world), server.url(), phase.writes));
    sleep(Duration::from_secs(1)).await;
    while now() < end {
        go_wrong(phase.fault, &world, &mut server, &relay).await;
    }
    ends.store(true, SeqCst);
    for worker in workers {
        timeout(Duration::from_secs(20), worker).await.expect("a worker ends when it is told to").unwrap();
    }
    watch.abort();
    let _ = watch.await;
    drop(source);
    let record = std::mem::take(&mut *world.record.lock().unwrap());
    Some(record)
}

/// Lets one thing go wrong, and waits a moment.
async fn go_wrong(fault: Fault, world: &World, server: &mut Server, relay: &Relay) {
    let millis = |shortest, longest| sleep(Duration::from_millis(shortest + random(longest - shortest)));
    match fault {
        Fault::Nothing | Fault::KillHolders => return millis(100, 101).await,
        Fault::StopServer => {
            server.pause(true);
            millis(50, 1_500).await;
            server.pause(false);
            millis(700, 1_000).await;
        }
        Fault::RestartServer => {
            let begin = now();
            server.kill();
            millis(1, 1_200).await;
            server.restart();
            world.record.lock().unwrap().outages.push((begin, now()));
            millis(1_000, 1_400).await;
        }
        Fault::Cut => {
            relay.cut_one();
            millis(50, 400).await;
        }
        Fault::Freeze => {
            relay.freeze_one(Duration::from_millis(200 + random(1_800)));
            millis(100, 700).await;
        }
        Fault::StopWorkers => {
            let workers: Vec<i32> = world.workers.lock().unwrap().iter().copied().collect();
            let Some(worker) = workers.get(usize::try_from(random(WORKERS)).unwrap()) else { return };
            kill(Pid::from_raw(*worker), Signal::SIGSTOP).unwrap();
            millis(300, 3_000).await;
            kill(Pid::from_raw(*worker), Signal::SIGCONT).unwrap();
            millis(100, 300).await;
        }
    }
    world.record.lock().unwrap().faults += 1;
}

/// Keeps one worker running: another one takes the place of one that was killed.
async fn worker(world: Arc<World>, words: [String; 4], mutant: &'static str, ends: Arc<AtomicBool>) {
    while !ends.load(SeqCst) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("--worker")
            .args(&words)
            .env("LARDER_TIER_MUTANT", mutant)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let pid = i32::try_from(child.id().unwrap()).unwrap();
        world.workers.lock().unwrap().insert(pid);
        let mut stdin = child.stdin.take();
        let mut lines = BufReader::with_capacity(1 << 16, child.stdout.take().unwrap()).lines();
        loop {
            if ends.load(SeqCst) {
                stdin = None;
            }
            match timeout(Duration::from_millis(50), lines.next_line()).await {
                Ok(Ok(Some(line))) => world.take_down(&line),
                Ok(_) => break,
                Err(_) => {}
            }
        }
        drop(stdin);
        world.workers.lock().unwrap().remove(&pid);
        let _ = child.wait().await;
    }
}
