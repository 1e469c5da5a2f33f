//! Numbers, sizes, times and addresses as people read them. Pure: the server and the browser must
//! write the same.

use api::Timestamp;

/// A size in bytes with a binary unit: `512 MiB`, `1.5 GiB`.
pub fn bytes(value: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut scaled = value as f64;
    let mut unit = 0;
    while scaled >= 1024.0 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    format!("{} {}", short(scaled), UNITS[unit])
}

/// A rate in bit/s with a decimal unit: `1.2 Mbit/s`.
pub fn bits_per_second(value: f64) -> String {
    with_prefix(value, "bit/s")
}

/// A rate in B/s with a decimal unit: `1.2 MB/s`.
pub fn bytes_per_second(value: f64) -> String {
    with_prefix(value, "B/s")
}

/// A capacity in bit/s without needless digits: `10 Gbit/s`.
pub fn capacity(bits_per_second: u64) -> String {
    with_prefix(bits_per_second as f64, "bit/s")
}

/// A share of 0 to 1 in percent.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if !percent.is_finite() {
        "unknown".to_owned()
    } else if percent == 0.0 {
        "0 %".to_owned()
    } else if percent.abs() < 10.0 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// `one` or `many` with the number before it: `1 router`, `3 routers`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A number with its thousands apart: `35,348`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The time of day, `12:03:20`, in UTC.
pub fn time_of_day(at: Timestamp) -> String {
    cut(at, 11..19)
}

/// Hour and minute, `12:03`, in UTC.
pub fn hour_and_minute(at: Timestamp) -> String {
    cut(at, 11..16)
}

/// Date and time for a tooltip, `2026-11-22 12:03:20 UTC`.
pub fn date_and_time(at: Timestamp) -> String {
    format!("{} {} UTC", cut(at, 0..10), time_of_day(at))
}

/// A part of `2026-11-22T12:03:20Z`: a page needs no other form of a time, and jiff's own formatter
/// knows so many that it would be a fiftieth of the page.
fn cut(at: Timestamp, part: std::ops::Range<usize>) -> String {
    at.to_string().get(part).unwrap_or_default().to_owned()
}

/// Milliseconds that something took: `under 1 ms`, `3.1 ms`, `3001 ms`.
pub fn milliseconds(value: f64) -> String {
    match value {
        ..1.0 => "under 1 ms".to_owned(),
        ..10.0 => format!("{value:.1} ms"),
        _ => format!("{value:.0} ms"),
    }
}

/// How long ago, from a number of milliseconds: `4 s ago`, `3 min ago`.
pub fn ago(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1000;
    match seconds {
        0 => "just now".to_owned(),
        1..=119 => format!("{seconds} s ago"),
        120..=7199 => format!("{} min ago", seconds / 60),
        7200..=172_799 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// Escapes everything that has a meaning in an address's query.
pub fn percent_encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(byte as char);
            }
            _ => {
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}

/// Escapes text for HTML, in elements and in quoted attributes.
pub fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

fn with_prefix(value: f64, unit: &str) -> String {
    const PREFIXES: [&str; 5] = ["", "k", "M", "G", "T"];
    if !value.is_finite() {
        return "unknown".to_owned();
    }
    let mut scaled = value;
    let mut prefix = 0;
    while scaled.abs() >= 999.5 && prefix + 1 < PREFIXES.len() {
        scaled /= 1000.0;
        prefix += 1;
    }
    format!("{} {}{unit}", short(scaled), PREFIXES[prefix])
}

/// Three significant digits at most, no trailing zeros.
fn short(value: f64) -> String {
    let text = match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    };
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_rates_are_short() {
        assert_eq!(bytes(512 << 20), "512 MiB");
        assert_eq!(bytes(1536 << 20), "1.5 GiB");
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bits_per_second(1_234_567.0), "1.23 Mbit/s");
        assert_eq!(bits_per_second(999_700.0), "1 Mbit/s");
        assert_eq!(bits_per_second(0.0), "0 bit/s");
        assert_eq!(bits_per_second(f64::NAN), "unknown");
        assert_eq!(capacity(10_000_000_000), "10 Gbit/s");
        assert_eq!(percent(0.034), "3.4 %");
        assert_eq!(percent(0.5), "50 %");
    }

    #[test]
    fn thousands_are_apart() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(35_348), "35,348");
        assert_eq!(thousands(1_000_000), "1,000,000");
    }

    #[test]
    fn times_are_parts_of_one_form() {
        for (at, seconds) in [
            ("2026-11-22T02:03:04Z", "02:03:04"),
            ("2026-11-22T12:03:20.5Z", "12:03:20"),
        ] {
            let at: Timestamp = at.parse().unwrap();
            assert_eq!(time_of_day(at), seconds);
            assert_eq!(hour_and_minute(at), seconds[..5]);
            assert_eq!(date_and_time(at), format!("2026-11-22 {seconds} UTC"));
        }
        assert_eq!(milliseconds(0.04), "under 1 ms");
        assert_eq!(milliseconds(3.12), "3.1 ms");
        assert_eq!(milliseconds(3000.6), "3001 ms");
    }

    #[test]
    fn ages_are_never_negative() {
        assert_eq!(ago(-5000), "just now");
        assert_eq!(ago(4200), "4 s ago");
        assert_eq!(ago(180_000), "3 min ago");
        assert_eq!(ago(3 * 3_600_000), "3 h ago");
        assert_eq!(ago(5 * 86_400_000), "5 days ago");
    }

    #[test]
    fn text_is_escaped_for_where_it_goes() {
        assert_eq!(percent_encode("a b/ü"), "a%20b%2F%C3%BC");
        assert_eq!(escape_html("<a href=\"'&"), "&lt;a href=&quot;&#39;&amp;");
    }
}
