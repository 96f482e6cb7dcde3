//! The upstream of the demonstration: a server with authority over one small zone.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use hickory_proto::{
    ProtoError,
    op::ResponseCode,
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, SOA},
    },
};
use tokio::time::sleep;

use super::super::{
    answer::Answer,
    request::{Junk, Request},
    response::{self, Freshness},
    server::{Service, Transport},
};

/// The lifetime of all records; short, so that the demonstration can outlive it.
pub(super) const TTL: Duration = Duration::from_secs(4);

/// The domain of all names.
pub(super) const ORIGIN: &str = "example.test.";

/// An authoritative server for `h0.example.test` and so on, slow and lossy as stated.
#[derive(Debug)]
pub(super) struct Zone {
    origin: Name,
    names: usize,
    latency: Duration,
    loss: f64,
    dead: AtomicBool,
}

impl Zone {
    pub(super) fn new(names: usize, latency: Duration, loss: f64) -> Result<Self, ProtoError> {
        Ok(Self { origin: Name::from_ascii(ORIGIN)?, names, latency, loss, dead: AtomicBool::new(false) })
    }

    /// Falls silent for good.
    pub(super) fn die(&self) {
        self.dead.store(true, Relaxed);
    }

    fn look_up(&self, request: &Request) -> Answer {
        let name = &request.question.name;
        let host = self.host(name);
        let mut answer = Answer::empty(match host {
            None if *name != self.origin => ResponseCode::NXDomain,
            _ => ResponseCode::NoError,
        });
        match host {
            Some(address) if request.question.kind == RecordType::A => {
                answer.answers.push(record(name, RData::A(A(address))));
            }
            // Without an SOA nobody may keep a denial.
            _ => answer.authorities.push(record(&self.origin, RData::SOA(self.authority()))),
        }
        answer
    }

    /// Returns the address of a name that exists.
    fn host(&self, name: &Name) -> Option<Ipv4Addr> {
        let label = (name.base_name() == self.origin).then(|| name.iter().next()).flatten()?;
        let number: usize = std::str::from_utf8(label.strip_prefix(b"h")?).ok()?.parse().ok()?;
        // 198.18.0.0/15 is reserved for measurements, RFC 2544.
        let offset = u32::try_from(number).ok()? & 0x1_ffff;
        (number < self.names).then(|| Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() | offset))
    }

    fn authority(&self) -> SOA {
        SOA::new(self.origin.clone(), self.origin.clone(), 1, 3600, 600, 86400, seconds(TTL))
    }
}

impl Service for Zone {
    async fn answer(&self, packet: &[u8], over: Transport) -> Option<Vec<u8>> {
        let lost = over == Transport::Udp && fastrand::f64() < self.loss;
        if lost || self.dead.load(Relaxed) {
            return None;
        }
        sleep(self.latency).await;
        match Request::parse(packet) {
            Ok(request) => {
                let answer = self.look_up(&request);
                Some(response::answered(&request, &answer, Freshness::Fresh(Duration::ZERO), over))
            }
            Err(Junk::Rejection(header)) => Some(header.to_vec()),
            Err(Junk::Silence) => None,
        }
    }
}

fn record(name: &Name, data: RData) -> Record {
    Record::from_rdata(name.clone(), seconds(TTL), data)
}

fn seconds(time: Duration) -> u32 {
    time.as_secs().try_into().unwrap_or(u32::MAX)
}
