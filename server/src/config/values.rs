//! How single values are written: addresses, durations, capacities, latencies, ends of links. Every error
//! says what was expected.

use api::LinkTransport;
use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

/// Reads where to listen: an address and port, of the loopback interface.
///
/// Without authentication whoever reaches the port operates the fleet, so only those who are on
/// the machine already may.
pub fn listen(text: &str) -> Result<SocketAddr, String> {
    let numeric = text
        .strip_prefix("localhost:")
        .map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    let address: SocketAddr = numeric.parse().map_err(|_| {
        format!("{text:?} is not an address and port: 127.0.0.1:8080, for example, was expected")
    })?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    let port = address.port();
    Err(format!(
        "{address} can be reached from other machines, and VMS has no authentication yet: \
         127.0.0.1:{port} or [::1]:{port} was expected; to use it from elsewhere, forward the \
         port (ssh -L {port}:127.0.0.1:{port} THIS-MACHINE) or run a reverse proxy that \
         authenticates on this machine"
    ))
}

/// Reads a time span: a number with `ms`, `s`, `m` or `h`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("{text:?} is not a duration: 10s, 500ms, 1m or 2h, for example, was expected");
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let milliseconds = match unit.trim_start() {
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => None,
    };
    milliseconds.map(Duration::from_millis).ok_or_else(wrong)
}

/// Reads the time between two samples: a [`duration`] of whole seconds from 1 s to 1 h.
pub fn sample_interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    let range = Duration::from_secs(1)..=Duration::from_hours(1);
    if range.contains(&interval) && interval.subsec_nanos() == 0 {
        return Ok(interval);
    }
    Err(format!(
        "{text:?} is not between 1s and 1h in whole seconds: 10s, for example, was expected"
    ))
}

/// Reads the time between two looks at facts without events: a [`duration`] from 100 ms to 1 h.
pub fn facts_interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    let range = Duration::from_millis(100)..=Duration::from_hours(1);
    if range.contains(&interval) {
        return Ok(interval);
    }
    Err(format!(
        "{text:?} is not between 100ms and 1h: 2s, for example, was expected"
    ))
}

/// Reads the time between two questions whom a host hears: a [`duration`] from 1 s to 1 h.
pub fn lldp_interval(text: &str) -> Result<Duration, String> {
    from_a_second(text, "10s")
}

/// Reads the time between two full listings: a [`duration`] from 1 s to 1 h.
pub fn relist_interval(text: &str) -> Result<Duration, String> {
    from_a_second(text, "1m")
}

fn from_a_second(text: &str, example: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    let range = Duration::from_secs(1)..=Duration::from_hours(1);
    if range.contains(&interval) {
        return Ok(interval);
    }
    Err(format!(
        "{text:?} is not between 1s and 1h: {example}, for example, was expected"
    ))
}

/// Reads a host's name or address, as it stands in a URI.
pub fn host_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    if (1..=253).contains(&text.len()) && text.chars().all(plain) && !text.starts_with('-') {
        // An IPv6 address stands in brackets.
        return Ok(if text.contains(':') {
            format!("[{text}]")
        } else {
            text.to_owned()
        });
    }
    Err(format!(
        "{text:?} is not a host's name or address: \"10.0.0.1\", for example, was expected"
    ))
}

/// Reads how many jobs may act on one host at once: 1 to 64.
pub fn per_host(text: &str) -> Result<usize, String> {
    let number = text.trim().parse().ok();
    (number.filter(|number| (1..=64).contains(number))).ok_or_else(|| {
        format!("{text:?} is not a number from 1 to 64: 2, for example, was expected")
    })
}

/// Reads how long a migration may move nothing: a [`duration`] from 5 s to 1 h.
pub fn stall(text: &str) -> Result<Duration, String> {
    let stall = duration(text)?;
    let range = Duration::from_secs(5)..=Duration::from_hours(1);
    if range.contains(&stall) {
        return Ok(stall);
    }
    Err(format!(
        "{text:?} is not between 5s and 1h: 1m, for example, was expected"
    ))
}

/// Reads how long the next part of an upload is waited for: a [`duration`] from 1 m to 30 days.
pub fn upload_expiry(text: &str) -> Result<Duration, String> {
    let expiry = duration(text)?;
    let range = Duration::from_mins(1)..=Duration::from_hours(30 * 24);
    if range.contains(&expiry) {
        return Ok(expiry);
    }
    Err(format!(
        "{text:?} is not between 1m and 720h: 24h, for example, was expected"
    ))
}

/// Reads a directory on hosts: an absolute path without detours, of characters that every tool takes.
pub fn directory_on_hosts(text: &str) -> Result<PathBuf, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    let mut names = text.strip_prefix('/').unwrap_or_default().split('/');
    let is_fine =
        |name: &str| !name.is_empty() && !matches!(name, "." | "..") && name.chars().all(is_plain);
    if text.len() <= 255 && names.all(is_fine) {
        return Ok(PathBuf::from(text));
    }
    Err(format!(
        "{text:?} is not a directory for a storage pool: an absolute path of letters, digits, `.`, \
         `_`, `-` and `+` such as /var/lib/libvirt/images/vms was expected"
    ))
}

/// Reads `yes` or `no`.
pub fn yes(text: &str) -> Result<bool, String> {
    match text.trim() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err(format!("{text:?} is neither yes nor no")),
    }
}

/// Reads what carries links between hosts, in the order of preference: `bridge,multicast,udp`.
pub fn transports(text: &str) -> Result<Vec<LinkTransport>, String> {
    let mut transports = Vec::new();
    for name in text.split(',').map(str::trim) {
        let transport: LinkTransport = name.parse()?;
        if transport == LinkTransport::Network {
            return Err(
                "a network is one host's own: bridge, multicast or udp was expected".into(),
            );
        }
        if transports.contains(&transport) {
            return Err(format!("{name} is there twice: once was expected"));
        }
        transports.push(transport);
    }
    Ok(transports)
}

/// Reads names of bridges: `br-one,br-two`.
pub fn bridges(text: &str) -> Result<Vec<String>, String> {
    let is_name = |name: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        (1..=15).contains(&name.len()) && name.chars().all(plain)
    };
    let names = text.split(',').map(str::trim);
    names
        .map(|name| {
            is_name(name).then(|| name.to_owned()).ok_or_else(|| {
                format!("{name:?} is no name of a bridge: br-one,br-two, for example, was expected")
            })
        })
        .collect()
}

/// Reads a network of multicast groups.
pub fn groups(text: &str) -> Result<(Ipv4Addr, u8), String> {
    let network = ipv4(text)?;
    let last = Ipv4Addr::from_bits(network.0.to_bits() | host_bits(network.1));
    if network.0.is_multicast() && last.is_multicast() {
        return Ok(network);
    }
    Err(format!(
        "{text:?} is not a network of multicast groups: 239.192.0.0/16, for example, was expected"
    ))
}

/// Reads a range of ports: `20000-29999`.
pub fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let range = text.split_once('-').and_then(|(first, last)| {
        let first: u16 = first.trim().parse().ok()?;
        let last: u16 = last.trim().parse().ok()?;
        (first > 0 && first <= last).then_some(first..=last)
    });
    range.ok_or_else(|| {
        format!("{text:?} is not a range of ports: 20000-29999, for example, was expected")
    })
}

/// Reads an IPv4 network of at least two addresses.
pub fn ipv4(text: &str) -> Result<(Ipv4Addr, u8), String> {
    let network = text.trim().split_once('/').and_then(|(address, prefix)| {
        let address: Ipv4Addr = address.parse().ok()?;
        let prefix: u8 = prefix.parse().ok()?;
        let is_network = prefix <= 31 && address.to_bits() & host_bits(prefix) == 0;
        is_network.then_some((address, prefix))
    });
    network.ok_or_else(|| {
        format!("{text:?} is not an IPv4 network: 100.64.0.0/16, for example, was expected")
    })
}

fn host_bits(prefix: u8) -> u32 {
    u32::MAX.checked_shr(prefix.into()).unwrap_or(0)
}

/// Reads an IPv6 network of at least one /64.
pub fn ipv6(text: &str) -> Result<(Ipv6Addr, u8), String> {
    let network = text.trim().split_once('/').and_then(|(address, prefix)| {
        let address: Ipv6Addr = address.parse().ok()?;
        let prefix: u8 = prefix.parse().ok()?;
        let is_network = prefix <= 64 && address.to_bits() & (u128::MAX >> prefix) == 0;
        is_network.then_some((address, prefix))
    });
    network.ok_or_else(|| {
        format!("{text:?} is not an IPv6 network of a /64 or more: fd00:1::/48, for example, was expected")
    })
}

/// Reads how much more is given to routers than a host has: a factor from 0.1 to 100.
pub fn overcommit(text: &str) -> Result<f64, String> {
    let factor = text.trim().parse().ok();
    (factor.filter(|factor| (0.1..=100.0).contains(factor))).ok_or_else(|| {
        format!("{text:?} is not a factor from 0.1 to 100: 1.5, for example, was expected")
    })
}

/// Reads a capacity in bits a second: a number, with `k`, `M`, `G` or `T` for thousands of them.
pub fn capacity(text: &str) -> Result<u64, String> {
    let wrong = || {
        format!("{text:?} is not a capacity: bits a second such as 10G, 2.5G or 100M were expected")
    };
    let trimmed = text.trim();
    let (number, factor) = match trimmed.char_indices().next_back().ok_or_else(wrong)? {
        (at, 'k' | 'K') => (&trimmed[..at], 1e3),
        (at, 'M') => (&trimmed[..at], 1e6),
        (at, 'G') => (&trimmed[..at], 1e9),
        (at, 'T') => (&trimmed[..at], 1e12),
        _ => (trimmed, 1.0),
    };
    let number = number.trim_end();
    if number.is_empty() || !number.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(wrong());
    }
    let bits = number.parse::<f64>().map_err(|_| wrong())? * factor;
    // 1 bit/s to 1 Eb/s: in there, the number is exact enough and no slip of the pen.
    if !(1.0..=1e18).contains(&bits) {
        return Err(wrong());
    }
    Ok(bits.round() as u64)
}

/// Reads the latency of a link: a number with `us`, `ms` or `s`, up to a minute.
pub fn latency(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("{text:?} is not a latency: 2ms, 2.5ms or 40us, for example, was expected");
    let is_digit = |c: char| c.is_ascii_digit() || c == '.';
    let digits = text.find(|c: char| !is_digit(c)).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let factor = match unit.trim_start() {
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return Err(wrong()),
    };
    let nanoseconds = number * factor;
    // Less than light needs for 30 cm is a slip of the pen, and so is more than a minute.
    if (1.0..=6e10).contains(&nanoseconds) {
        Ok(Duration::from_nanos(nanoseconds.round() as u64))
    } else {
        Err(wrong())
    }
}

/// Reads one end of a declared link: a host's id and the name of its interface.
pub fn link_end(text: &str) -> Result<(&str, &str), String> {
    text.rsplit_once(':')
        .filter(|(host, interface)| !host.is_empty() && !interface.is_empty())
        .ok_or_else(|| {
            format!(
                "{text:?} is not an end of a link: a host's id and its interface, alpha:eth0 for \
                 example, were expected"
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_or_refused_with_what_was_expected() {
        assert_eq!(
            listen("localhost:80").unwrap(),
            "127.0.0.1:80".parse().unwrap()
        );
        assert_eq!(listen("[::1]:0").unwrap(), "[::1]:0".parse().unwrap());
        for text in ["", "8080", "127.0.0.1", "127.0.0.1:99999", "example.org:80"] {
            assert!(
                listen(text).unwrap_err().contains("127.0.0.1:8080"),
                "{text}"
            );
        }
        for text in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:8080"] {
            assert!(listen(text).unwrap_err().contains("ssh -L 8080:"), "{text}");
        }

        assert_eq!(duration("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(duration("2 h").unwrap(), Duration::from_hours(2));
        for text in [
            "",
            "10",
            "s",
            "-1s",
            "1.5s",
            "10 parsecs",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(sample_interval("1500ms").unwrap_err().contains("1s and 1h"));
        assert!(sample_interval("61m").is_err());
        assert!(relist_interval("0s").unwrap_err().contains("1s and 1h"));
        assert!(lldp_interval("999ms").unwrap_err().contains("10s"));
        assert!(facts_interval("100ms").is_ok());
        assert!(facts_interval("99ms").unwrap_err().contains("100ms and 1h"));

        assert!(upload_expiry("30s").unwrap_err().contains("1m and 720h"));
        assert!(directory_on_hosts("/srv/vms-images").is_ok());
        for text in [
            "",
            "/",
            "srv",
            "/srv/../etc",
            "/srv//x",
            "/srv/",
            "/srv/a b",
            "/srv/<x>",
        ] {
            assert!(directory_on_hosts(text).is_err(), "{text}");
        }

        assert_eq!(capacity("10G").unwrap(), 10_000_000_000);
        assert_eq!(capacity("2.5 G").unwrap(), 2_500_000_000);
        assert_eq!(capacity("1200").unwrap(), 1200);
        for text in [
            "", "G", "-1G", "10g", "1e9", "0", "nan", "infG", "10Gbit", "9999999T",
        ] {
            assert!(capacity(text).is_err(), "{text}");
        }

        assert_eq!(latency("2.5 ms").unwrap(), Duration::from_micros(2500));
        assert_eq!(latency("40us").unwrap(), Duration::from_micros(40));
        assert_eq!(latency("1s").unwrap(), Duration::from_secs(1));
        for text in [
            "", "2", "ms", "-1ms", "1e3us", "0ms", "61s", "2m", "2.5.1ms", "nans",
        ] {
            assert!(latency(text).unwrap_err().contains("2.5ms"), "{text}");
        }

        assert_eq!(link_end("alpha:eth0").unwrap(), ("alpha", "eth0"));
        for text in ["", "alpha", ":eth0", "alpha:"] {
            assert!(link_end(text).unwrap_err().contains("alpha:eth0"), "{text}");
        }
    }
}
