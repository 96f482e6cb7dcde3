//! A slot in its simplest form: one value, one failure, and the fetches under way.

use larder::Ttl;
use larder_tests::*;

/// The configuration, in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) stale_limit: Option<u64>,
    pub(crate) margin: Option<u64>,
    pub(crate) inline: bool,
    pub(crate) delays_empty: bool,
}

/// How a fetch ends.
#[derive(Clone, Copy)]
pub(crate) enum End {
    Value(u32, Ttl),
    Unchanged(Ttl),
    Error(u32),
}

/// How a caller asks.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Plain,
    Forced,
    Ticket,
}

#[derive(Clone, Copy)]
struct Value {
    n: u32,
    since: u64,
    end: u64,
}

struct Failure {
    text: String,
    count: u32,
    delay: u64,
    retry_at: u64,
    waits: bool,
}

struct Waiter {
    caller: usize,
    kind: Kind,
    /// The caller's status if the fetch is its own.
    led: Option<&'static str>,
}

struct Fetch {
    call: usize,
    attached: bool,
    previous: Option<Value>,
    waiters: Vec<Waiter>,
}

pub(crate) struct Slot {
    rules: Rules,
    ends: Vec<End>,
    now: u64,
    value: Option<Value>,
    failure: Option<Failure>,
    fetches: Vec<Fetch>,
    begun: usize,
    saw: Vec<String>,
}

impl End {
    pub(crate) fn random(n: u32, random: &mut Random) -> Self {
        let ttls =
            [Ttl::Forever, Ttl::For(ms(3000)), Ttl::For(ms(6000)), Ttl::For(ms(0)), Ttl::ExpiresAtOnce, Ttl::NotStored];
        let ttl = ttls[random.below(6) as usize];
        match random.below(6) {
            0..3 => Self::Value(n, ttl),
            3 => Self::Unchanged(ttl),
            _ => Self::Error(n),
        }
    }

    pub(crate) fn script(&self, gate: &Gate) -> Script {
        match *self {
            Self::Value(n, ttl) => gate.script().gives(n).ttl(ttl),
            Self::Unchanged(ttl) => gate.script().unchanged().ttl(ttl),
            Self::Error(n) => gate.script().fails(n),
        }
    }
}

impl Slot {
    pub(crate) fn new(rules: Rules, ends: Vec<End>) -> Self {
        Self { rules, ends, now: 0, value: None, failure: None, fetches: vec![], begun: 0, saw: vec![] }
    }

    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    pub(crate) fn to(&mut self, now: u64) {
        self.now = now;
    }

    pub(crate) fn held(&self) -> Option<u32> {
        self.value.map(|value| value.n)
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failure.as_ref().map_or(0, |failure| failure.count)
    }

    pub(crate) fn fetches(&self) -> usize {
        self.fetches.len()
    }

    pub(crate) fn saw(&self, i: usize) -> String {
        self.saw[i].clone()
    }

    pub(crate) fn refresh_at(&self) -> u64 {
        let due = self.value.map_or(0, |value| self.due(value));
        let at = due.max(self.failure.as_ref().map_or(0, |failure| failure.retry_at));
        if at == u64::MAX { u64::MAX / 1_000_000 } else { at }
    }

    fn due(&self, Value { since, end, .. }: Value) -> u64 {
        let life = end.saturating_sub(since);
        match self.rules.margin {
            Some(margin) if end < u64::MAX => end - if margin < life { margin } else { life / 2 },
            _ => end,
        }
    }

    /// A caller asks.
    pub(crate) fn ask(&mut self, caller: usize, kind: Kind, limit: Option<u64>) {
        assert_eq!(caller, self.saw.len());
        self.saw.push("waits".into());
        let limit = limit.or(self.rules.stale_limit).unwrap_or(u64::MAX);
        let value = self.value.filter(|_| kind != Kind::Forced);
        let is_fresh = value.is_some_and(|value| self.now < value.end);
        let first = if value.is_some() && !is_fresh { "Expired" } else { "Miss" };
        let refuses = self.failure.as_ref().filter(|failure| failure.waits && self.now < failure.retry_at);
        let refuses = refuses.filter(|_| kind != Kind::Forced).map(|failure| failure.text.clone());
        let is_refreshing = self.fetches.iter().any(|fetch| fetch.attached);
        if let Some(value) = value {
            let asks_ahead = self.rules.margin.is_some() && (kind == Kind::Ticket || self.rules.inline);
            let is_due = !is_fresh || (asks_ahead && value.end < u64::MAX && self.due(value) <= self.now);
            if is_fresh || self.now - value.end <= limit {
                let refreshes = is_due && refuses.is_none() && !is_refreshing;
                if !refreshes || kind == Kind::Ticket {
                    let error = refuses.filter(|_| !is_fresh);
                    let ticket = if refreshes { " +ticket" } else { "" };
                    return self.tell(caller, &format!("{}{ticket}", self.served(value, error.as_deref())));
                }
                return self.lead(caller, kind, first);
            }
        }
        if let Some(error) = refuses {
            let told = self.instead(kind, &error).unwrap_or_else(|| format!("{error} cached"));
            return self.tell(caller, &told);
        }
        match self.fetches.iter_mut().find(|fetch| fetch.attached) {
            Some(fetch) => fetch.waiters.push(Waiter { caller, kind, led: None }),
            None => self.lead(caller, kind, first),
        }
    }

    /// The ticket of the last caller is taken from it and polled as a caller of its own.
    pub(crate) fn hold(&mut self, caller: usize) {
        assert_eq!(caller, self.saw.len());
        let last = self.saw.last_mut().expect("the caller has it");
        *last = last.replace(" +ticket", "");
        self.saw.push("waits".into());
        self.lead(caller, Kind::Ticket, "");
    }

    fn lead(&mut self, caller: usize, kind: Kind, first: &'static str) {
        let waiters = vec![Waiter { caller, kind, led: Some(first) }];
        self.fetches.push(Fetch { call: self.begun, attached: true, previous: self.value, waiters });
        self.begun += 1;
    }

    pub(crate) fn some_fetch(&self, random: &mut Random) -> Option<usize> {
        let count = self.fetches.len() as u64;
        (count > 0).then(|| self.fetches[random.below(count) as usize].call)
    }

    pub(crate) fn some_waiter(&self, random: &mut Random) -> Option<usize> {
        let waiters: Vec<usize> = self.fetches.iter().flat_map(|fetch| &fetch.waiters).map(|w| w.caller).collect();
        (!waiters.is_empty()).then(|| waiters[random.below(waiters.len() as u64) as usize])
    }

    pub(crate) fn leave(&mut self, caller: usize) {
        self.fetches.iter_mut().for_each(|fetch| fetch.waiters.retain(|waiter| waiter.caller != caller));
        self.fetches.retain(|fetch| !fetch.waiters.is_empty());
    }

    /// A fetch ends.
    pub(crate) fn answer(&mut self, call: usize) {
        let place = self.fetches.iter().position(|fetch| fetch.call == call).expect("it is under way");
        let fetch = self.fetches.remove(place);
        let (n, ttl) = match (self.ends[call], fetch.previous) {
            (End::Value(n, ttl), _) => (n, ttl),
            (End::Unchanged(ttl), Some(previous)) => (previous.n, ttl),
            (End::Unchanged(_), None) => return self.fail(fetch, "NothingToKeep".into()),
            (End::Error(n), _) => return self.fail(fetch, format!("E{n}")),
        };
        if fetch.attached {
            let (is_over, is_new) = (ttl == Ttl::For(ms(0)), matches!(self.ends[call], End::Value(..)));
            if is_over {
                self.note_failure("AlreadyExpired".into(), true);
            } else {
                self.failure = None;
            }
            // A value that arrived expired does not replace one that is still good.
            if !(is_over && is_new && self.value.is_some_and(|value| self.now < value.end)) {
                self.store(n, ttl);
            }
        }
        self.hand_out(fetch, n);
    }

    fn fail(&mut self, fetch: Fetch, error: String) {
        if fetch.attached {
            self.note_failure(error.clone(), self.value.is_some() || self.rules.delays_empty);
        }
        for Waiter { caller, kind, led } in fetch.waiters {
            let is_ticket = kind == Kind::Ticket && led == Some("");
            let told =
                if is_ticket { "done".into() } else { self.instead(kind, &error).unwrap_or_else(|| error.clone()) };
            self.tell(caller, &told);
        }
    }

    fn note_failure(&mut self, text: String, waits: bool) {
        let last = self.failure.take();
        let delay = last.as_ref().map_or(5000, |last| (last.delay * 2).min(300_000));
        let count = if text == "AlreadyExpired" { 0 } else { last.map_or(0, |last| last.count) + 1 };
        self.failure = Some(Failure { text, count, delay, retry_at: self.now + delay, waits });
    }

    /// What a caller gets whose fetch has failed, or would fail.
    fn instead(&self, kind: Kind, error: &str) -> Option<String> {
        let value = self.value.filter(|_| kind != Kind::Forced)?;
        let is_fresh = self.now < value.end;
        let within = !is_fresh && self.now - value.end <= self.rules.stale_limit.unwrap_or(u64::MAX);
        (within || is_fresh).then(|| self.served(value, Some(error)))
    }

    fn served(&self, value: Value, error: Option<&str>) -> String {
        let status = if self.now < value.end { "Hit".into() } else { format!("Stale({})", self.now - value.end) };
        let error =
            error.filter(|error| *error != "AlreadyExpired").map_or(String::new(), |error| format!(" +{error}"));
        format!("V{} {status}{error}", value.n)
    }

    fn store(&mut self, n: u32, ttl: Ttl) {
        let end = match ttl {
            Ttl::NotStored => None,
            Ttl::For(life) => Some(self.now + life.as_millis() as u64),
            Ttl::ExpiresAtOnce => Some(self.now),
            _ => Some(u64::MAX),
        };
        self.value = end.map(|end| Value { n, since: self.now, end });
    }

    fn hand_out(&mut self, fetch: Fetch, n: u32) {
        for Waiter { caller, led, .. } in fetch.waiters {
            match led {
                Some("") => self.tell(caller, "done"),
                led => self.tell(caller, &format!("V{n} {}", led.unwrap_or("LockHit"))),
            }
        }
    }

    fn tell(&mut self, caller: usize, what: &str) {
        self.saw[caller] = format!("{}: {what}", self.now);
    }

    pub(crate) fn set(&mut self, n: u32, ttl: Ttl) {
        if ttl == Ttl::NotStored {
            return self.invalidate();
        }
        self.failure = None;
        self.store(n, ttl);
        if let Some(place) = self.fetches.iter().position(|fetch| fetch.attached) {
            let fetch = self.fetches.remove(place);
            self.hand_out(fetch, n);
        }
    }

    pub(crate) fn invalidate(&mut self) {
        (self.value, self.failure) = (None, None);
        self.fetches.iter_mut().for_each(|fetch| fetch.attached = false);
    }

    /// Returns whether the value was fresh.
    pub(crate) fn expire(&mut self) -> bool {
        self.fetches.iter_mut().for_each(|fetch| fetch.attached = false);
        let Some(value) = &mut self.value else { return false };
        let was_fresh = self.now < value.end;
        (value.since, value.end) = (self.now, value.end.min(self.now));
        was_fresh
    }
}
