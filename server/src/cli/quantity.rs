//! Sizes and rates on the command line.

/// Reads a size in bytes: `512M`, `2G`; the prefixes are binary, with or without `iB` behind them.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = parts(text);
    let shift = match unit.strip_suffix("iB").unwrap_or(unit) {
        "K" | "k" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err(wrong(text, "size", "512M or 2G")),
    };
    let number = number.and_then(|number: u64| number.checked_mul(1 << shift));
    number.ok_or_else(|| wrong(text, "size", "512M or 2G"))
}

/// Reads a rate in bits a second: `500k`, `10M`, `1G`; the prefixes are decimal.
pub(super) fn bit_rate(text: &str) -> Result<u64, String> {
    let (number, unit) = parts(text);
    let factor = match unit {
        "" => 1,
        "k" | "K" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        _ => return Err(wrong(text, "rate", "10M or 1G")),
    };
    let number = number.and_then(|number: u64| number.checked_mul(factor));
    number.ok_or_else(|| wrong(text, "rate", "10M or 1G"))
}

/// The whole number at the beginning, and what follows it.
fn parts(text: &str) -> (Option<u64>, &str) {
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    (number.parse().ok(), unit.trim_start())
}

fn wrong(text: &str, what: &str, examples: &str) -> String {
    format!("{text:?} is not a {what}: {examples}, for example, was expected")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_prefixes_and_always_one() {
        assert_eq!(size("512M"), Ok(512 << 20));
        assert_eq!(size("2 GiB"), Ok(2 << 30));
        assert_eq!(size("1k"), Ok(1024));
        assert_eq!(size("1T"), Ok(1 << 40));
        for text in ["", "512", "M", "1.5G", "-1G", "2GB", "99999999999T"] {
            let error = size(text).unwrap_err();
            assert!(error.contains("512M or 2G"), "{error}");
        }
    }

    #[test]
    fn rates_have_decimal_prefixes() {
        assert_eq!(bit_rate("10M"), Ok(10_000_000));
        assert_eq!(bit_rate("500k"), Ok(500_000));
        assert_eq!(bit_rate("64000"), Ok(64_000));
        for text in ["", "G", "1Mi", "x"] {
            let error = bit_rate(text).unwrap_err();
            assert!(error.contains("10M or 1G"), "{error}");
        }
    }
}
