//! Addresses and networks: RFC 5952 text for IPv6, mapped forms folded, ports and zones dropped.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Without brackets, port and zone.
fn bare(text: &str) -> &str {
    let text = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => match text.split_once(':') {
            // One colon: an IPv4 address with a port.
            Some((addr, port)) if !port.contains(':') && port.bytes().all(|b| b.is_ascii_digit()) => addr,
            _ => text,
        },
    };
    text.split('%').next().unwrap_or(text)
}

fn parse(text: &str) -> Result<IpAddr, &'static str> {
    let text = bare(text);
    if let Ok(addr) = text.parse::<IpAddr>() {
        return Ok(match addr {
            IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(addr, IpAddr::V4),
            IpAddr::V4(_) => addr,
        });
    }
    let dotted = text.split('.').count() == 4 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    Err(if dotted && text.split('.').any(|part| part.len() > 1 && part.starts_with('0')) {
        "a part begins with 0, which some programs read as octal; write it without"
    } else if dotted {
        "each of its four parts is a number from 0 to 255"
    } else {
        "it is no IP address"
    })
}

pub(super) fn ipv4(text: &str) -> Result<String, &'static str> {
    let text = text.strip_suffix("/32").unwrap_or(text);
    match parse(text)? {
        IpAddr::V4(v4) => Ok(v4.to_string()),
        IpAddr::V6(_) => Err("it is an IPv6 address"),
    }
}

pub(super) fn ipv6(text: &str) -> Result<String, &'static str> {
    let text = text.strip_suffix("/128").unwrap_or(text);
    // A mapped address stays what it is here only in spelling: as IPv4 (RFC 4291 §2.5.5.2).
    parse(text).map(|addr| addr.to_string())
}

pub(super) fn network(text: &str) -> Result<String, &'static str> {
    let (addr, len) = match text.split_once('/') {
        Some((addr, len)) => (addr, Some(len.trim())),
        None => (text, None),
    };
    let mapped = addr.trim().parse::<Ipv6Addr>().ok().and_then(|v6| v6.to_ipv4_mapped()).is_some();
    let addr = parse(addr.trim())?;
    let bits: u8 = if addr.is_ipv4() { 32 } else { 128 };
    let len = match len {
        None => bits,
        Some(len) if len.bytes().all(|b| b.is_ascii_digit()) && !len.is_empty() => {
            let len: u8 = len.parse().map_err(|_| "its length is too large")?;
            if mapped { len.checked_sub(96).ok_or("a mapped network is at least 96 bits long")? } else { len }
        }
        Some(mask) => {
            let mask: Ipv4Addr = mask.parse().map_err(|_| "after '/' stands a length or an IPv4 mask")?;
            let mask = u32::from(mask);
            if mask.leading_ones() + mask.trailing_zeros() != 32 {
                return Err("its mask has holes");
            }
            mask.leading_ones() as u8
        }
    };
    if len > bits {
        return Err("its length is too large: at most 32 for IPv4, 128 for IPv6");
    }
    Ok(match addr {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
            format!("{}/{len}", Ipv4Addr::from(u32::from(v4) & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
            format!("{}/{len}", Ipv6Addr::from(u128::from(v6) & mask))
        }
    })
}
