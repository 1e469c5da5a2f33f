//! Numbers, names and lists from fields, and what goes wrong with them in words. Pure.

/// A size in MiB from a field, in bytes; none if it is empty.
pub fn mebibytes(text: &str) -> Result<Option<u64>, String> {
    Ok(crate::moving::words::number(text, 1, 64 << 20)?.map(|number| number << 20))
}

/// A rate in Mbit/s from a field, in bit/s; none if it is empty.
pub fn megabits(text: &str) -> Result<Option<u64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(number) if (0.001..=1e6).contains(&number) => Ok(Some((number * 1e6).round() as u64)),
        _ => Err("a number of Mbit/s was expected, for example 10 or 0.5".to_owned()),
    }
}

/// What is between commas and spaces.
pub fn list(text: &str) -> Vec<String> {
    text.split([',', ' ', '\n', ';'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The text; none if it is empty.
pub fn some(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// What is wrong with a router's name; none if nothing is.
pub fn name_fault(name: &str) -> Option<&'static str> {
    let mut letters = name.chars();
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    match letters.next() {
        None => Some("Give it a name."),
        Some(first) if !first.is_ascii_alphanumeric() => {
            Some("The name begins with a letter or a digit.")
        }
        Some(_) if name.len() > 64 => Some("The name has 64 letters at most."),
        Some(_) if !letters.all(fits) => {
            Some("The name consists of letters, digits, “.”, “_” and “-”.")
        }
        Some(_) => None,
    }
}

/// A name that no other router has, like that of an image: `alpine-1`.
pub fn propose<'a>(like: &str, taken: impl Fn(&str) -> bool + 'a) -> String {
    let stem: String = like
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .take(40)
        .collect();
    let stem = stem.trim_matches('-');
    let stem = if stem.is_empty() { "router" } else { stem };
    (1..=u16::MAX)
        .map(|number| format!("{stem}-{number}"))
        .find(|name| !taken(name))
        .unwrap_or_default()
}

/// Names in a sentence: `a`, `a and b`, `a, b and 3 more`.
pub fn names(all: &[&str]) -> String {
    match all {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] if all.len() <= 6 => format!("{} and {last}", first.join(", ")),
        _ => format!("{} and {} more", all[..5].join(", "), all.len() - 5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_say_what_is_wrong() {
        assert_eq!(mebibytes(" 128 "), Ok(Some(128 << 20)));
        assert_eq!(mebibytes(""), Ok(None));
        assert!(mebibytes("1.5").is_err());
        assert_eq!(megabits("0.5"), Ok(Some(500_000)));
        assert_eq!(megabits(" "), Ok(None));
        for wrong in ["-1", "0", "ten", "inf"] {
            assert!(megabits(wrong).is_err(), "{wrong}");
        }
        assert_eq!(list(" a, b  c,,\nd"), ["a", "b", "c", "d"]);
        assert_eq!(name_fault("r1.a_b-c"), None);
        for wrong in ["", "-a", "a b", "ä", &"x".repeat(65)] {
            assert!(name_fault(wrong).is_some(), "{wrong}");
        }
    }

    #[test]
    fn a_name_is_free_and_like_its_image() {
        assert_eq!(propose("Debian", |_| false), "debian-1");
        assert_eq!(propose("a.b", |name| name == "a-b-1"), "a-b-2");
        assert_eq!(propose("--", |_| false), "router-1");
    }

    #[test]
    fn names_are_a_sentence() {
        assert_eq!(names(&["a"]), "a");
        assert_eq!(names(&["a", "b", "c"]), "a, b and c");
        assert_eq!(
            names(&["a", "b", "c", "d", "e", "f", "g"]),
            "a, b, c, d, e and 2 more"
        );
    }
}
