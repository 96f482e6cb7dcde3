//! One question, asked until there is an answer.
//!
//! A try that has had no answer in the usual time is followed by another, but stays open: the first answer to any of them
//! counts. Where a reply over UDP was cut, the exchange over TCP is one more try of these.

use std::{io, sync::Arc, sync::atomic::Ordering::Relaxed, time::Duration};

use hickory_proto::op::ResponseCode;
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

use super::{
    super::{
        answer::Answer,
        question::Question,
        wire::{CODE, TRUNCATED},
    },
    Upstream, UpstreamError,
    health::Health,
    port::{Arrival, FORMAT_ERROR, NOT_IMPLEMENTED, Try},
};

pub(super) struct Call<'a> {
    upstream: &'a Upstream,
    question: Arc<[u8]>,
    /// Whom to ask, the best first.
    order: Vec<usize>,
    probe: Option<usize>,
    /// Those that have said that they have no answer.
    out: Vec<usize>,
    /// Those that do not understand EDNS.
    plain: Vec<usize>,
    open: Vec<Try>,
    /// Exchanges over TCP, which end with the call.
    streams: JoinSet<()>,
    /// Whom they ask, and whether with EDNS.
    streamed: Vec<(usize, bool)>,
    tries: u32,
    /// How often each was asked.
    asked: Vec<u32>,
    /// Who was asked last.
    last: usize,
    failure: UpstreamError,
    arrivals: (mpsc::Sender<Arrival>, mpsc::Receiver<Arrival>),
}

/// What a reply means.
enum Verdict {
    Answer(Answer),
    /// When the same server is to be asked in another way.
    Again,
    No(UpstreamError),
}

impl<'a> Call<'a> {
    pub(super) fn new(upstream: &'a Upstream, question: Question<'_>) -> Self {
        let (order, probe) = upstream.order();
        Self {
            upstream,
            question: question.0.into(),
            order,
            probe,
            out: Vec::new(),
            plain: Vec::new(),
            open: Vec::new(),
            streams: JoinSet::new(),
            streamed: Vec::new(),
            tries: 0,
            asked: vec![0; upstream.peers.len()],
            last: 0,
            failure: UpstreamError::Io(io::ErrorKind::TimedOut.into()),
            arrivals: mpsc::channel(ARRIVALS),
        }
    }

    pub(super) async fn run(mut self) -> Result<Answer, UpstreamError> {
        if let Some(probe) = self.probe {
            self.send(probe).await;
        }
        while let Some(upstream) = self.next() {
            self.tries += 1;
            self.asked[upstream] += 1;
            self.last = upstream;
            self.send(upstream).await;
            while let Some(Arrival { upstream, reply }) = self.arrival().await {
                let verdict = match reply {
                    // (Whether it answers is seen when that has ended.)
                    Ok((reply, took)) if reply[2] & TRUNCATED != 0 => {
                        self.stream(upstream, took);
                        continue;
                    }
                    Ok((reply, took)) => {
                        self.upstream.peers[upstream].health(|health| health.answered(took));
                        self.judge(upstream, &reply)
                    }
                    Err(failure) => {
                        self.upstream.peers[upstream].health(Health::unanswered);
                        Verdict::No(failure)
                    }
                };
                match verdict {
                    Verdict::Answer(answer) => return Ok(answer),
                    Verdict::Again => self.send(upstream).await,
                    Verdict::No(failure) => {
                        self.failure = failure;
                        self.out.push(upstream);
                        // If it was not that one that is waited for, the wait goes on; and after the last try, as long
                        // as there is another to wait for.
                        if (upstream == self.last && self.next().is_some()) || !self.awaits() {
                            break;
                        }
                    }
                }
            }
        }
        Err(self.failure)
    }

    /// Says who is asked next: each in turn, but none again that has said no, or is being asked over TCP.
    fn next(&self) -> Option<usize> {
        let is_left = |upstream: &usize| !self.out.contains(upstream) && !self.is_streamed(*upstream);
        let left = self.order.iter().copied().filter(is_left);
        left.min_by_key(|&upstream| self.asked[upstream]).filter(|_| self.tries < self.upstream.patience.tries)
    }

    /// Tells whether one that was asked may still answer.
    fn awaits(&self) -> bool {
        let is_asked = |&upstream: &usize| self.asked[upstream] > 0 || self.probe == Some(upstream);
        (0..self.asked.len()).filter(is_asked).any(|upstream| !self.out.contains(&upstream))
    }

    /// How long to wait before the next try; after the last one, as long as the caller likes.
    fn patience(&self) -> Option<Duration> {
        let Upstream { peers, patience, .. } = self.upstream;
        let longest = patience.try_timeout;
        self.next().map(|_| peers[self.last].health(|health| health.patience(self.tries, longest)))
    }

    async fn arrival(&mut self) -> Option<Arrival> {
        let patience = self.patience();
        let arrival = self.arrivals.1.recv();
        let Some(patience) = patience else {
            return arrival.await;
        };
        let arrival = timeout(patience, arrival).await;
        arrival.unwrap_or_else(|_| {
            self.upstream.peers[self.last].health(Health::unanswered);
            None
        })
    }

    async fn send(&mut self, upstream: usize) {
        let edns = !self.plain.contains(&upstream);
        let sender = &self.arrivals.0;
        let sent = match self.upstream.peers[upstream].port() {
            Ok(port) => port.ask(&self.question, edns, upstream, sender).await.map_err(UpstreamError::Io),
            Err(error) => Err(UpstreamError::Own(error)),
        };
        self.upstream.sent.fetch_add(1, Relaxed);
        match sent {
            Ok(open) => self.open.push(open),
            Err(failure) => drop(sender.try_send(Arrival { upstream, reply: Err(failure) })),
        }
    }

    fn is_streamed(&self, upstream: usize) -> bool {
        self.streamed.contains(&(upstream, !self.plain.contains(&upstream)))
    }

    /// Asks over TCP, where a reply over UDP was cut that took so long.
    fn stream(&mut self, upstream: usize, took: Duration) {
        if self.is_streamed(upstream) {
            return;
        }
        let edns = !self.plain.contains(&upstream);
        self.streamed.push((upstream, edns));
        self.upstream.sent.fetch_add(1, Relaxed);
        let (peer, connections) = (Arc::clone(&self.upstream.peers[upstream]), Arc::clone(&self.upstream.connections));
        let (question, arrivals) = (Arc::clone(&self.question), self.arrivals.0.clone());
        self.streams.spawn(async move {
            // The semaphore is never closed.
            let _connection = connections.acquire().await;
            let reply = peer.ask_tcp(Question(&question), edns).await.map(|mut reply| {
                // (More than this there is not to be had.)
                reply[2] &= !TRUNCATED;
                (reply, took)
            });
            // (If nobody waits any more, it is no news.)
            let _ = arrivals.send(Arrival { upstream, reply: reply.map_err(UpstreamError::Io) }).await;
        });
    }

    /// Tells answers from failures: only "here it is" and "there is none" are answers (RFC 8767, 4).
    fn judge(&mut self, upstream: usize, reply: &[u8]) -> Verdict {
        let question = Question(&self.question);
        let edns = !self.plain.contains(&upstream);
        match reply[3] & CODE {
            0 | 3 => match Answer::read(question, reply) {
                Some(answer) => Verdict::Answer(answer),
                None => Verdict::No(UpstreamError::Code(ResponseCode::ServFail)),
            },
            FORMAT_ERROR | NOT_IMPLEMENTED if edns => {
                self.plain.push(upstream);
                Verdict::Again
            }
            code => Verdict::No(UpstreamError::Code(ResponseCode::from(0, code))),
        }
    }
}

/// How many replies may wait to be looked at.
const ARRIVALS: usize = 8;
