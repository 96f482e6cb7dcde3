//! One line of the table for each phase.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::clients::Seen;

/// The titles of the columns.
pub(super) const HEAD: &str = "phase                              later  the clients saw                     since      p50      max   origin: asked  200  304  failed";

/// What the clients got in one phase, and what the origin was asked.
#[derive(Debug)]
pub(super) struct Row {
    title: &'static str,
    later: u64,
    seen: BTreeMap<String, usize>,
    /// The bodies that the clients got, without those of errors.
    bodies: Vec<String>,
    /// How many seconds ago the served page was fetched.
    pub(super) since: u64,
    p50: Duration,
    max: Duration,
    /// The requests, and how many ended with "200", with "304" and with a failure.
    pub(super) asked: [u64; 4],
}

impl Row {
    pub(super) fn new(title: &'static str, later: u64, clients: Vec<Seen>, asked: [u64; 4]) -> Self {
        let mut latencies: Vec<_> = clients.iter().map(|client| client.latency).collect();
        latencies.sort_unstable();
        let since = clients.iter().map(|client| client.since).max().unwrap_or(0);
        let (mut seen, mut bodies) = (BTreeMap::new(), Vec::new());
        for client in clients {
            if client.status != "error" {
                bodies.push(String::from_utf8_lossy(&client.body).into_owned());
            }
            *seen.entry(client.status).or_insert(0) += 1;
        }
        bodies.sort_unstable();
        bodies.dedup();
        let p50 = latencies.get(latencies.len() / 2).copied().unwrap_or_default();
        let max = latencies.last().copied().unwrap_or_default();
        Self { title, later, seen, bodies, since, p50, max, asked }
    }

    /// Returns how many clients got this status.
    pub(super) fn seen(&self, status: &str) -> usize {
        self.seen.get(status).copied().unwrap_or(0)
    }

    /// Returns whether all clients were served with this version of the page.
    pub(super) fn is_served(&self, version: u64) -> bool {
        self.seen("error") == 0 && matches!(&*self.bodies, [body] if body.ends_with(&format!("version {version}\n")))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen: Vec<_> = self.seen.iter().map(|(status, count)| format!("{count} {status}")).collect();
        let [asked, ok, not_modified, failed] = self.asked;
        write!(
            f,
            "{:<34} {:>5}  {:<34} {:>4} s {:>5.1} ms {:>5.1} ms {asked:>14} {ok:>4} {not_modified:>4} {failed:>7}",
            self.title,
            if self.later == 0 { String::new() } else { format!("{} s", self.later) },
            seen.join(", "),
            self.since,
            milliseconds(self.p50),
            milliseconds(self.max),
        )
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
