//! One process of the fleet: reads, writes, and says on its standard output what it has seen.

use std::{
    io::{self, Read as _, Write as _},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use larder_redis::{Json, Tier, TierBuilder, TierError};
use larder_tokio::{Cache, Clock, LoadError, Loaded, Status, Tokio};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::sleep,
};

use crate::{
    plan::{
        ALONE_TTL, HEARING_LIMIT, KEYS, LEASE, NAMESPACE, STALE, STORM, TTL, WORKERS, WRITTEN_THROUGH, Writes, phase,
    },
    record::{Version, nanos, now},
    support::random,
};

type Versions = Cache<u64, Version, TierError<io::Error>>;

/// What is said, line by line.
type Say = mpsc::Sender<String>;

/// Connections to the source, kept.
#[derive(Clone)]
struct Source {
    port: u16,
    idle: Arc<Mutex<Vec<BufReader<TcpStream>>>>,
}

impl Source {
    async fn ask(&self, line: String) -> io::Result<u64> {
        let idle = self.idle.lock().unwrap().pop();
        let mut stream = match idle {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).await?),
        };
        stream.write_all(line.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_line(&mut answer).await?;
        let number = answer.trim().parse().map_err(io::Error::other)?;
        self.idle.lock().unwrap().push(stream);
        Ok(number)
    }

    async fn load(&self, key: u64, (asked, granted): (u64, u64)) -> io::Result<Version> {
        let begun = now();
        match self.ask(format!("load {key} {} {asked} {granted}\n", std::process::id())).await? {
            0 => Err(io::Error::other("the source has failed")),
            // (With all the time for which this process was stopped meanwhile.)
            number => Ok((number, now() - begun)),
        }
    }
}

/// Runs until its standard input ends.
pub(crate) async fn run(words: &[&str]) {
    let [name, index, server, source] = *words else { panic!("{words:?}") };
    let (phase, index): (_, u64) = (phase(name).unwrap(), index.parse().unwrap());
    let say = say_on_stdout();
    let source = Source { port: source.parse().unwrap(), idle: Arc::default() };
    let runtime = Tokio::new();
    let tier = TierBuilder::new(&format!("redis://127.0.0.1:{server}/"), Json::new("version/1"))
        .namespace(NAMESPACE)
        .lease(LEASE)
        .ttl(TTL)
        .stale_for(STALE)
        .hearing_limit(HEARING_LIMIT)
        .alone_ttl(ALONE_TTL);
    let cache = Cache::builder(runtime).capacity(5_000).load_budget(Duration::from_secs(30));
    // The lease of a load, by the clock of all processes.
    let lease = move || {
        let since = |instant| now() - nanos(runtime.now().saturating_since(instant));
        larder_redis::lease().map_or((0, 0), |(asked, granted)| (since(asked), since(granted)))
    };
    let loads = source.clone();
    let (cache, tier) = if phase.batches {
        tier.loaded_many_fn(cache, move |keys: Vec<u64>| {
            let (loads, lease) = (loads.clone(), lease());
            async move {
                let each = keys.into_iter().map(|key| {
                    let loads = loads.clone();
                    async move { (key, loads.load(key, lease).await.map(Loaded::new)) }
                });
                Ok(futures_util::future::join_all(each).await)
            }
        })
    } else {
        tier.load_fn(cache, move |key| {
            let (loads, lease) = (loads.clone(), lease());
            async move { loads.load(key, lease).await }
        })
    }
    .unwrap();
    tier.wait_until_it_hears(Duration::from_secs(1)).await;
    for _ in 0..8 {
        tokio::spawn(read(cache.clone(), phase.writes, say.clone()));
    }
    for _ in 0..if phase.batches { 4 } else { 0 } {
        tokio::spawn(read_many(cache.clone(), phase.writes, say.clone()));
    }
    if phase.writes != Writes::No {
        tokio::spawn(write(tier.clone(), source.clone(), phase.writes, say.clone()));
    }
    if phase.writes == Writes::Some && !phase.slow {
        tokio::spawn(write_through(tier.clone(), source, index, say.clone()));
    }
    let (tell, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = io::stdin().read(&mut [0]);
        let _ = tell.send(());
    });
    let _ = ended.await;
    for line in stats(&tier) {
        let _ = say.send(line);
    }
    sleep(Duration::from_millis(100)).await;
    std::process::exit(0);
}

fn say_on_stdout() -> Say {
    let (say, said) = mpsc::channel::<String>();
    std::thread::spawn(move || {
        let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout());
        while let Ok(first) = said.recv() {
            let lines = std::iter::once(first).chain(said.try_iter());
            let done = lines.into_iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush());
            // (The process that started this is gone.)
            if done.is_err() {
                std::process::exit(1);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    say
}

/// A few keys that are asked for all the time, and a long tail.
fn any_key(writes: Writes) -> u64 {
    if writes == Writes::Storm {
        return random(STORM);
    }
    if random(5) == 0 {
        return 0;
    }
    let share = random(1 << 20) as f64 / (1_u64 << 20) as f64;
    ((KEYS as f64).powf(share) - 1.0) as u64 % KEYS
}

async fn read(cache: Versions, writes: Writes, say: Say) {
    loop {
        let (key, begin) = (any_key(writes), now());
        let line = match cache.lookup(&key).await {
            Ok(found) => tell(key, *found.value(), found.status(), begin),
            Err(error) => tell_error(&error),
        };
        if say.send(line).is_err() {
            return;
        }
        sleep(Duration::from_micros(500 + random(2_500))).await;
    }
}

async fn read_many(cache: Versions, writes: Writes, say: Say) {
    loop {
        let (keys, begin): (Vec<u64>, _) = ((0..8).map(|_| any_key(writes)).collect(), now());
        for (key, found) in keys.iter().zip(cache.lookup_many(&keys).await) {
            let line = match found {
                Ok(found) => tell(*key, *found.value(), found.status(), begin),
                Err(error) => tell_error(&error),
            };
            if say.send(line).is_err() {
                return;
            }
        }
        sleep(Duration::from_micros(500 + random(2_500))).await;
    }
}

fn tell(key: u64, (number, took): Version, status: Status, begin: u64) -> String {
    format!("read {key} {number} {begin} {} {} {took}", now(), u8::from(status.stale().is_some()))
}

fn tell_error(error: &LoadError<TierError<io::Error>>) -> String {
    match error.error() {
        Some(TierError::Load(source)) if source.to_string().contains("the source has failed") => "failed".into(),
        _ => format!("error {error:?}"),
    }
}

/// Writes the source, and then says so.
async fn write(tier: Tier<u64, Version, io::Error>, source: Source, writes: Writes, say: Say) {
    loop {
        let pause = if writes == Writes::Storm { 5 + random(55) } else { 20 + random(180) };
        sleep(Duration::from_millis(pause)).await;
        let key = any_key(writes);
        if key >= WRITTEN_THROUGH {
            continue;
        }
        let Ok(version) = source.ask(format!("write {key}\n")).await else { continue };
        let written = if random(4) == 0 { tier.expire(&key).await } else { tier.invalidate(&key).await };
        if written.is_acknowledged() {
            let _ = say.send(format!("acknowledged {key} {version} {}", now()));
        }
    }
}

/// Writes the keys that are this worker's own through.
async fn write_through(tier: Tier<u64, Version, io::Error>, source: Source, index: u64, say: Say) {
    loop {
        sleep(Duration::from_millis(20 + random(80))).await;
        let key = WRITTEN_THROUGH + random((KEYS - WRITTEN_THROUGH) / WORKERS) * WORKERS + index;
        let Ok(version) = source.ask(format!("write {key}\n")).await else { continue };
        if tier.insert(&key, (version, 0)).await.is_acknowledged() {
            let _ = say.send(format!("acknowledged {key} {version} {}", now()));
        }
    }
}

fn stats(tier: &Tier<u64, Version, io::Error>) -> Vec<String> {
    let text = format!("{:?}", tier.stats());
    let fields = text.trim_start_matches("TierStats { ").trim_end_matches(" }");
    fields.split(", ").map(|field| format!("stat {}", field.replace(": ", " "))).collect()
}
