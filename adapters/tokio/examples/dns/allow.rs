//! Who is answered.

use std::{net::IpAddr, str::FromStr};

/// A list of networks.
#[derive(Clone, Debug)]
pub(crate) struct Networks(Vec<Network>);

/// All addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Network {
    first: u128,
    mask: u128,
}

impl Networks {
    pub(crate) fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    pub(crate) fn contains(&self, ip: IpAddr) -> bool {
        let ip = bits(ip);
        self.0.iter().any(|network| ip & network.mask == network.first)
    }
}

impl Default for Networks {
    /// Loopback, link-local and private addresses: nobody serves the world by accident.
    fn default() -> Self {
        Self(NEAR.iter().filter_map(|network| network.parse().ok()).collect())
    }
}

impl FromStr for Network {
    type Err = &'static str;

    /// Reads `10.0.0.0/8`, `fc00::/7`, or a single address.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr =
            address.parse().map_err(|_| "a network is an address, or an address and a number of bits")?;
        let widest: u32 = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Ok(widest), str::parse).map_err(|_| "the bits after the slash are a number")?;
        let free = widest.checked_sub(length).ok_or("an address has fewer bits than that")?;
        let mask = u128::MAX.checked_shl(free).unwrap_or(0);
        // Of an IPv4 address as of one that is mapped into IPv6, the first 96 bits count as well.
        let mask = if address.is_ipv4() { mask | !u128::from(u32::MAX) } else { mask };
        Ok(Self { first: bits(address) & mask, mask })
    }
}

/// Returns an address's bits; those of an IPv4 one as it is mapped into IPv6.
fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

const NEAR: [&str; 8] =
    ["127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"];
