//! Times on the command line.

use crate::config::duration;
use api::Timestamp;

/// Reads a time: RFC 3339, `now`, or how long ago (`90s`, `15m`, `24h`).
pub fn moment(text: &str) -> Result<Timestamp, String> {
    if text == "now" {
        return Ok(Timestamp::now());
    }
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    duration(text)
        .ok()
        .and_then(|ago| Timestamp::now().checked_sub(ago).ok())
        .ok_or_else(|| {
            "a time such as 2026-11-22T10:00:00Z or how long ago, such as 24h, was expected"
                .to_owned()
        })
}

/// A time for people, to the second, UTC.
pub(super) fn clock(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_a_while_ago() {
        let exact = "2026-11-22T10:00:00Z";
        assert_eq!(moment(exact).unwrap().to_string(), exact);
        assert_eq!(clock(moment(exact).unwrap()), "2026-11-22 10:00:00Z");
        let ago = Timestamp::now().as_second() - moment("24h").unwrap().as_second();
        assert!((86_399..=86_401).contains(&ago), "{ago}");
        assert!(moment("yesterday").unwrap_err().contains("24h"));
        assert!(moment("9999999999999h").is_err());
    }
}
