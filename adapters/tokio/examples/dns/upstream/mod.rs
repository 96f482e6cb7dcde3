//! Asks the upstream servers.
//!
//! Who can guess a question's id and port can slip in a false answer, so both are random for every try, and only an
//! answer from the right address, with the right id, to the right question counts. Others are ignored.
//!
//! * `call`: one question, asked until there is an answer
//! * `peer`: one upstream; `port`: one socket to it; `health`: how long to wait for it, and whom to ask

mod call;
mod error;
pub(crate) mod health;
mod peer;
mod port;

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

pub(crate) use self::error::UpstreamError;
use self::{call::Call, peer::Peer};
use super::{answer::Answer, question::Question};

/// How patiently to ask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) tries: u32,
    /// The longest wait between two tries; what was measured is usually shorter.
    pub(crate) try_timeout: Duration,
}

/// The servers that know the answers, the preferred one first.
#[derive(Debug)]
pub(crate) struct Upstream {
    peers: Vec<Arc<Peer>>,
    patience: Patience,
    /// As many as may be open at a time.
    places: Semaphore,
    /// How long a question waits for such a place.
    queue: Duration,
    /// Connections for answers that fit no packet.
    connections: Arc<Semaphore>,
    sent: AtomicU64,
}

impl Upstream {
    pub(crate) fn new(addresses: &[SocketAddr], patience: Patience, max_open: usize, queue: Duration) -> Self {
        Self {
            peers: addresses.iter().map(|&address| Arc::new(Peer::new(address))).collect(),
            patience,
            places: Semaphore::new(max_open.min(Semaphore::MAX_PERMITS)),
            queue,
            connections: Arc::new(Semaphore::new(CONNECTIONS)),
            sent: AtomicU64::new(0),
        }
    }

    /// Returns how many questions were sent, repeated ones included.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// Asks until there is an answer or no hope for one.
    ///
    /// It has no end of its own where nothing at all comes: how long that is to be borne is the caller's to say.
    ///
    /// # Cancel safety
    ///
    /// Dropping it gives up: late answers are lost.
    pub(crate) async fn ask(&self, question: Question<'_>) -> Result<Answer, UpstreamError> {
        let Ok(Ok(_place)) = timeout(self.queue, self.places.acquire()).await else {
            return Err(UpstreamError::Busy);
        };
        Call::new(self, question).run().await
    }

    /// Returns in which order to ask, and a silent one that should be asked whether it is back.
    fn order(&self) -> (Vec<usize>, Option<usize>) {
        let health: Vec<_> = self.peers.iter().map(|peer| peer.health(|health| *health)).collect();
        let order = health::order(&health);
        let first = order.first().copied();
        let probe = (0..self.peers.len())
            .filter(|&index| Some(index) != first)
            .find(|&index| self.peers[index].health(|health| health.is_to_be_probed(Instant::now())));
        (order, probe)
    }

    /// Describes each server, a line for each.
    pub(crate) fn describe(&self) -> impl fmt::Display {
        let describe = |peer: &Arc<Peer>| {
            let health = peer.health(|health| *health);
            let trip = health.round_trip().map_or_else(|| "not measured".to_owned(), |trip| format!("{trip:.1?}"));
            let silent = if health.is_silent() { ", silent" } else { "" };
            format!("\n{}: round trip {trip}{silent}", peer.address)
        };
        self.peers.iter().map(describe).collect::<String>()
    }
}

const CONNECTIONS: usize = 64;
