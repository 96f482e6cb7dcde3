//! The acts of the demonstration, and what comes of each.

use std::{
    collections::HashMap,
    env,
    process::{ExitCode, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::sleep,
};

use crate::{
    store::Store,
    support::{Relay, Server},
};

const PROCESSES: usize = 4;
const ACT: Duration = Duration::from_secs(4);

/// What the processes have seen.
#[derive(Default)]
struct Seen {
    /// Page, version, when it was asked for in microseconds, and how long that took.
    reads: Vec<(u64, u64, u64, u64)>,
    /// When it was acknowledged that a page has this version, by page.
    changes: HashMap<u64, Vec<(u64, u64)>>,
}

/// What came of an act.
struct Act {
    reads: usize,
    loads: usize,
    longest: Duration,
    old: usize,
    old_for: Duration,
}

pub(crate) async fn run() -> ExitCode {
    let Some(mut server) = Server::start(&[]) else {
        eprintln!("fleet: there is no redis-server; on Debian: apt-get install redis-server");
        return ExitCode::FAILURE;
    };
    let store = Store::serve().await;
    let relay = Relay::to(server.port()).await;
    println!("Four processes read 300 pages of a slow store, and change them, for 4 s in each act.\n");
    println!("{:34} {:>7} {:>6} {:>12} {:>10} {:>10}", "", "reads", "loads", "longest wait", "old pages", "old for");
    let mut acts = Vec::new();
    for (name, has_tier) in [
        ("without a second tier", false),
        ("with one", true),
        ("a process is killed, and replaced", true),
        ("a connection hangs for a second", true),
        ("the server starts anew, empty", true),
    ] {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let address = if has_tier { relay.url() } else { "-".into() };
        let mut fleet: Vec<Child> = (0..PROCESSES).map(|_| process(store.port, &address, &seen)).collect();
        sleep(ACT / 2).await;
        match acts.len() {
            2 => {
                fleet[0].kill().await.unwrap();
                fleet[0] = process(store.port, &address, &seen);
            }
            3 => relay.freeze_one(Duration::from_secs(1)),
            4 => server.restart(),
            _ => {}
        }
        sleep(ACT / 2).await;
        for mut process in fleet {
            process.kill().await.unwrap();
        }
        // (Each act begins with nothing.)
        server.run(&["FLUSHALL"]);
        let act = judge(&seen.lock().unwrap(), store.take_loads());
        let Act { reads, loads, longest, old, old_for } = &act;
        println!("{name:34} {reads:7} {loads:6} {:>12} {old:10} {:>10}", ms(*longest), ms(*old_for));
        acts.push(act);
    }
    let [alone, tier, broken @ ..] = &*acts else { unreachable!("there are five") };
    let share = |act: &Act| act.loads as f64 * 100.0 / act.reads.max(1) as f64;
    println!(
        "\nAn old page is one that was read although its change had been acknowledged before. Without the tier {:.0} of\n\
         100 reads were loads, with it {:.0}; pages were old for up to {}, with it for {}, and for {} when things broke.",
        share(alone),
        share(tier),
        ms(alone.old_for),
        ms(tier.old_for),
        ms(broken.iter().map(|act| act.old_for).max().unwrap_or_default()),
    );
    // (By far more than on a machine that does nothing else.)
    let is_well = share(tier) * 1.5 < share(alone) && acts[1..].iter().all(|act| act.old_for < Duration::from_secs(2));
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Starts a process, and takes down what it says.
fn process(store: u16, address: &str, seen: &Arc<Mutex<Seen>>) -> Child {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--process", &store.to_string(), address])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let (said, seen) = (child.stdout.take().unwrap(), Arc::clone(seen));
    tokio::spawn(async move {
        let mut lines = BufReader::new(said).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let numbers: Vec<u64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
            let mut seen = seen.lock().unwrap();
            match (line.split(' ').next(), &*numbers) {
                (Some("read"), &[page, version, begin, time]) => seen.reads.push((page, version, begin, time)),
                (Some("changed"), &[page, version, at]) => seen.changes.entry(page).or_default().push((at, version)),
                _ => {}
            }
        }
    });
    child
}

fn judge(seen: &Seen, loads: usize) -> Act {
    let mut act = Act { reads: seen.reads.len(), loads, longest: Duration::ZERO, old: 0, old_for: Duration::ZERO };
    for &(page, version, begin, time) in &seen.reads {
        act.longest = act.longest.max(Duration::from_micros(time));
        let changes = seen.changes.get(&page).into_iter().flatten();
        if let Some(at) = changes.filter(|&&(at, newer)| at <= begin && newer > version).map(|(at, _)| at).min() {
            act.old += 1;
            act.old_for = act.old_for.max(Duration::from_micros(begin - at));
        }
    }
    act
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
