//! One line of the table for each phase.

use std::fmt;

use larder_smol::Instant;

use super::clients::Seen;

/// Returns the titles of the columns.
pub(super) fn head(title: &str) -> String {
    format!(
        "{title:<28} {:>6} {:>9} {:>7} {:>7} {:>8} {:>9}   provider: {:>5} {:>7} {:>7}",
        "until", "requests", "served", "waited", "refused", "no token", "asked", "issued", "failed"
    )
}

/// The results of one phase.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    title: &'static str,
    /// The time at its end.
    pub(super) until: Instant,
    pub(super) requests: u64,
    /// How many clients the server answered, with the first token or another.
    pub(super) served: u64,
    /// How many clients had to wait for their first token.
    pub(super) waited: u64,
    /// How many tokens the server refused.
    pub(super) refused: u64,
    /// How many clients had no token to send.
    pub(super) tokenless: u64,
    /// How often the provider was asked.
    pub(super) asked: u64,
    pub(super) issued: u64,
    /// How many fetches failed.
    pub(super) failed: u64,
}

impl Row {
    pub(super) const fn new(title: &'static str) -> Self {
        let (until, requests, served, waited, refused, tokenless) = (Instant::ZERO, 0, 0, 0, 0, 0);
        Self { title, until, requests, served, waited, refused, tokenless, asked: 0, issued: 0, failed: 0 }
    }

    /// Adds what the clients got.
    pub(super) fn saw(&mut self, crowd: &[Seen]) {
        for seen in crowd {
            self.requests += 1;
            self.served += u64::from(seen.is_served);
            self.waited += u64::from(seen.has_waited);
            self.refused += seen.refused;
            self.tokenless += u64::from(seen.is_tokenless);
        }
    }

    /// Returns whether all clients were accepted with the first token that they sent.
    pub(super) const fn is_served(&self) -> bool {
        self.served == self.requests && self.refused == 0 && self.tokenless == 0
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, until, requests, served, waited, refused, tokenless, asked, issued, failed } = self;
        let seconds = until.as_nanos() / 1_000_000_000;
        write!(
            f,
            "{title:<28} {seconds:>4} s {requests:>9} {served:>7} {waited:>7} {refused:>8} {tokenless:>9} \
             {asked:>17} {issued:>7} {failed:>7}"
        )
    }
}
