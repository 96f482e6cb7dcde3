//! The upstream of the demonstration: a server with authority over one small zone.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use hickory_proto::{
    ProtoError,
    op::{Message, OpCode, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, SOA},
    },
};
use tokio::time::sleep;

use super::super::server::{Client, Service, Transport};

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

    fn look_up(&self, question: &Message) -> Option<Message> {
        let query = question.queries.first()?;
        let host = self.host(&query.name);
        let mut reply = Message::response(question.metadata.id, OpCode::Query);
        reply.add_query(query.clone());
        if host.is_none() && query.name != self.origin {
            reply.metadata.response_code = ResponseCode::NXDomain;
        }
        match host {
            Some(address) if query.query_type == RecordType::A => {
                reply.add_answer(record(&query.name, RData::A(A(address))));
            }
            // Without an SOA nobody may keep a denial.
            _ => {
                reply.add_authority(record(&self.origin, RData::SOA(self.authority())));
            }
        }
        Some(reply)
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
    async fn answer(&self, packet: &[u8], client: Client) -> Option<Vec<u8>> {
        let lost = client.over == Transport::Udp && fastrand::f64() < self.loss;
        if lost || self.dead.load(Relaxed) {
            return None;
        }
        sleep(self.latency).await;
        self.look_up(&Message::from_vec(packet).ok()?)?.to_vec().ok()
    }
}

fn record(name: &Name, data: RData) -> Record {
    Record::from_rdata(name.clone(), seconds(TTL), data)
}

fn seconds(time: Duration) -> u32 {
    time.as_secs().try_into().unwrap_or(u32::MAX)
}
