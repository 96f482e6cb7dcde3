//! A resolver's cache: answers live as long as their shortest record, and are told with what is left of each TTL.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use larder::{Cache, ConfigError, Loaded, ManualClock, Outcome, Status, Ttl, parts::Std};
use larder_tests::wakers::now;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Question {
    name: String,
    kind: u16,
}

#[derive(Clone, Debug, PartialEq)]
struct Record {
    ttl: u32,
    address: Ipv4Addr,
}

/// What a server says: records, or that there are none, and for how long that holds.
#[derive(Clone, Debug, PartialEq)]
enum Reply {
    Records(Vec<Record>),
    None { minimum: u32 },
}

#[derive(Debug, PartialEq)]
struct Silence;

type Answers = Cache<Question, Arc<Reply>, Silence, Std<ManualClock>>;

/// The least and the most that an answer is kept, as resolvers let one set it.
struct Limits {
    records: (u32, u32),
    none: (u32, u32),
}

impl Limits {
    fn lifetime(&self, reply: &Reply) -> Ttl {
        let (ttl, (least, most)) = match reply {
            Reply::Records(records) => (records.iter().map(|record| record.ttl).min().unwrap_or(0), self.records),
            Reply::None { minimum } => (*minimum, self.none),
        };
        Duration::from_secs(ttl.clamp(least, most).into()).into()
    }
}

/// What a stale answer's records live (RFC 8767, section 4).
const STALE_TTL: u32 = 30;

struct Resolver {
    answers: Answers,
}

impl Resolver {
    fn new(
        clock: &ManualClock,
        limits: Limits,
        ask: fn(&Question) -> Result<Reply, Silence>,
    ) -> Result<Self, ConfigError> {
        let answers = Cache::builder(Std::new(clock.clone()))
            .capacity(1_000)
            .stale_if_error(Duration::from_secs(86_400))
            .error_ttl(Duration::from_secs(5))
            .expire_after(move |_, reply: &Arc<Reply>| limits.lifetime(reply))
            .load_fn(move |question: Question| {
                let reply = ask(&question).map(Arc::new);
                async { reply }
            })
            .build()?;
        Ok(Self { answers })
    }

    fn resolve(&self, question: &Question) -> Option<Vec<Record>> {
        now(self.answers.lookup(question)).ok().map(|found| told(&found))
    }

    /// What is at hand, for a client that does not want recursion.
    fn at_hand(&self, question: &Question) -> Option<Vec<Record>> {
        self.answers.lookup_if_present(question).map(|found| told(&found))
    }
}

/// The records with what is left of their lives.
fn told(found: &Outcome<Arc<Reply>, Silence>) -> Vec<Record> {
    let Reply::Records(records) = &**found.value() else { return Vec::new() };
    let age = u32::try_from(found.age().as_secs()).unwrap_or(u32::MAX);
    let left = |record: &Record| match found.status() {
        Status::Stale(_) => STALE_TTL,
        _ => record.ttl.saturating_sub(age),
    };
    records.iter().map(|record| Record { ttl: left(record), ..record.clone() }).collect()
}

fn question(name: &str) -> Question {
    Question { name: name.into(), kind: 1 }
}

fn ask(question: &Question) -> Result<Reply, Silence> {
    let record = |ttl, last| Record { ttl, address: Ipv4Addr::new(192, 0, 2, last) };
    match question.name.as_str() {
        "two.example" => Ok(Reply::Records(vec![record(300, 1), record(60, 2)])),
        "brief.example" => Ok(Reply::Records(vec![record(1, 3)])),
        "none.example" => Ok(Reply::None { minimum: 7_200 }),
        _ => Err(Silence),
    }
}

fn resolver() -> (ManualClock, Resolver) {
    let clock = ManualClock::new();
    let resolver = Resolver::new(&clock, Limits { records: (5, 86_400), none: (0, 3_600) }, ask).expect("valid");
    (clock, resolver)
}

fn ttls(records: Option<Vec<Record>>) -> Vec<u32> {
    records.expect("it is answered").iter().map(|record| record.ttl).collect()
}

#[test]
fn ttls_count_down() {
    let (clock, resolver) = resolver();
    let two = question("two.example");
    assert_eq!(resolver.at_hand(&two), None);
    assert_eq!(ttls(resolver.resolve(&two)), [300, 60]);
    clock.advance(Duration::from_secs(59));
    assert_eq!(ttls(resolver.resolve(&two)), [241, 1]);
    assert_eq!(ttls(resolver.at_hand(&two)), [241, 1]);
    clock.advance(Duration::from_secs(1));
    assert_eq!(resolver.at_hand(&two), None); // the whole answer lives as long as its shortest record
    assert_eq!(ttls(resolver.resolve(&two)), [300, 60]);
    let stats = resolver.answers.stats();
    assert_eq!((stats.hits, stats.misses, stats.expired, stats.loads_begun), (2, 2, 2, 2));
}

#[test]
fn lifetimes_have_limits() {
    let (clock, resolver) = resolver();
    assert_eq!(ttls(resolver.resolve(&question("brief.example"))), [1]);
    assert_eq!(ttls(resolver.resolve(&question("none.example"))), []);
    clock.advance(Duration::from_secs(4));
    assert_eq!(ttls(resolver.resolve(&question("brief.example"))), [0]); // kept for longer than it says
    assert_eq!(resolver.answers.stats().loads_begun, 2);
    clock.advance(Duration::from_secs(3_596));
    assert_eq!(resolver.at_hand(&question("none.example")), None);
}

#[test]
fn an_old_answer_where_servers_are_silent() {
    let (clock, resolver) = resolver();
    let gone = question("gone.example");
    assert_eq!(resolver.resolve(&gone), None);
    let record = Record { ttl: 60, address: Ipv4Addr::new(192, 0, 2, 4) };
    resolver.answers.insert_with(gone.clone(), Loaded::new(Arc::new(Reply::Records(vec![record]))));
    assert_eq!(ttls(resolver.resolve(&gone)), [60]);
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(ttls(resolver.resolve(&gone)), [STALE_TTL]);
    assert_eq!(ttls(resolver.resolve(&gone)), [STALE_TTL]);
    // The servers are left alone for a while; then they are asked once more.
    let asked = |resolver: &Resolver| resolver.answers.stats().loads_failed;
    assert_eq!(asked(&resolver), 2);
    clock.advance(Duration::from_secs(5));
    assert_eq!((ttls(resolver.resolve(&gone)), asked(&resolver)), (vec![STALE_TTL], 3));
    clock.advance(Duration::from_secs(86_400));
    assert_eq!(resolver.resolve(&gone), None);
}
