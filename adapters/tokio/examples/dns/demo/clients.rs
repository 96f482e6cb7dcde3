//! Many clients that ask at once, each over a socket of its own.

use std::{
    error::Error,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use hickory_proto::{
    op::{Message, Query},
    rr::Name,
};
use tokio::{
    net::UdpSocket,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{
    super::wire::HEADER,
    mix::{Ask, Mix},
};

/// What the clients saw.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// How long each question took, in ascending order; those never answered are not in it.
    pub(super) latencies: Vec<Duration>,
    /// Questions that got an answer, "there is no such name" included.
    pub(super) answered: u64,
    /// Questions that got an error.
    pub(super) failed: u64,
    pub(super) took: Duration,
}

/// Has all questions asked, each by the next client that is free.
pub(super) async fn ask_all(server: SocketAddr, clients: usize, mix: &Arc<Mix>) -> Result<Outcome, Box<dyn Error>> {
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..clients {
        running.spawn(client(server, Arc::clone(mix), Arc::clone(&next)));
    }
    let mut outcome = Outcome::default();
    while let Some(seen) = running.join_next().await {
        let seen = seen??;
        outcome.latencies.extend(seen.latencies);
        outcome.answered += seen.answered;
        outcome.failed += seen.failed;
    }
    outcome.took = start.elapsed();
    outcome.latencies.sort_unstable();
    Ok(outcome)
}

async fn client(server: SocketAddr, mix: Arc<Mix>, next: Arc<AtomicUsize>) -> io::Result<Outcome> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    socket.connect(server).await?;
    let mut outcome = Outcome::default();
    let total = mix.asks().len();
    loop {
        let index = next.fetch_add(1, Relaxed);
        let Some(ask) = mix.asks().get(index) else {
            return Ok(outcome);
        };
        if (index + 1) % (total / 4).max(1) == 0 {
            print!(" {}", index + 1);
            io::stdout().flush()?;
        }
        // Without pauses the clients would fill the machine, and latency would only tell how many they are.
        sleep(2 * PAUSE.mul_f64(fastrand::f64())).await;
        let start = Instant::now();
        // Nothing at all for so long: counted neither as answered nor as failed.
        let Ok(code) = timeout(PATIENCE, exchange(&socket, ask)).await else {
            continue;
        };
        outcome.latencies.push(start.elapsed());
        match code? {
            NO_ERROR | NAME_ERROR => outcome.answered += 1,
            _ => outcome.failed += 1,
        }
    }
}

/// Asks, waits for the answer to just that, and returns its code.
async fn exchange(socket: &UdpSocket, ask: &Ask) -> io::Result<u8> {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(&ask.name).map_err(io::Error::other)?, ask.kind));
    let question = message.to_vec().map_err(io::Error::other)?;
    socket.send(&question).await?;
    let mut buffer = [0; 2048];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let answer = &buffer[..length];
        // The same id, and the question as it was spelled.
        let fits = length >= question.len()
            && answer[..2] == question[..2]
            && answer[HEADER..].starts_with(&question[HEADER..]);
        if fits {
            return Ok(answer[3] & CODE);
        }
    }
}

/// How long a client pauses before a question, on average.
pub(super) const PAUSE: Duration = Duration::from_millis(10);

/// How long a client waits for any answer.
const PATIENCE: Duration = Duration::from_secs(3);

// The response code in the fourth byte of the header, and the two that are answers.
const CODE: u8 = 0x0f;
const NO_ERROR: u8 = 0;
const NAME_ERROR: u8 = 3;
