//! Verdicts in words and signs. Pure.

use api::{FindingLevel, MigrationFinding, MigrationMode, MigrationVerdict};

/// The sign of a level: its class, and its shape in a square of 16.
pub fn sign(level: FindingLevel) -> (&'static str, &'static str) {
    match level {
        FindingLevel::Fine => (
            "fine",
            "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM4.3 8.2 5.5 7l1.7 1.7 3.4-3.6 1.2 1.1-4.6 4.9Z",
        ),
        FindingLevel::Warning => (
            "warning",
            "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM7.1 3.8h1.8v5H7.1Zm0 6.2h1.8v1.8H7.1Z",
        ),
        FindingLevel::Obstacle => (
            "obstacle",
            "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM5.4 4.3 8 6.9l2.6-2.6 1.1 1.1L9.1 8l2.6 2.6-1.1 \
             1.1L8 9.1l-2.6 2.6-1.1-1.1L6.9 8 4.3 5.4Z",
        ),
    }
}

/// What a level means for a host, for whoever hears it.
pub fn said(level: FindingLevel) -> &'static str {
    match level {
        FindingLevel::Fine => "possible",
        FindingLevel::Warning => "possible, with consequences",
        FindingLevel::Obstacle => "not possible",
    }
}

/// What a way to move means for the router.
pub fn meaning(mode: MigrationMode) -> &'static str {
    match mode {
        MigrationMode::Live => "it runs on, and stands still for a moment at the end",
        MigrationMode::Cold => "it is stopped, brought over, and started again if it ran",
    }
}

/// What matters first, and apart from it what is as it should be.
pub fn sorted(findings: &[MigrationFinding]) -> (Vec<&MigrationFinding>, Vec<&MigrationFinding>) {
    let (mut matters, fine): (Vec<_>, Vec<_>) = findings
        .iter()
        .partition(|finding| finding.level != FindingLevel::Fine);
    matters.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    (matters, fine)
}

/// Why a router cannot be moved there: the worst, in a sentence.
pub fn why_not(verdict: &MigrationVerdict) -> Option<String> {
    let mut obstacles = verdict.obstacles();
    let first = obstacles.next()?;
    Some(match obstacles.count() {
        0 => first.what.clone(),
        more => format!("{} And {more} more.", first.what),
    })
}

/// A number that may be left out, from a field of a form; or what is wrong with it.
pub fn number(text: &str, least: u64, most: u64) -> Result<Option<u64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
        _ => Err(format!(
            "a whole number from {least} to {most} was expected"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::MigrationCheck;

    fn finding(level: FindingLevel, what: &str) -> MigrationFinding {
        MigrationFinding {
            level,
            check: MigrationCheck::Memory,
            what: what.to_owned(),
            why: None,
            advice: None,
        }
    }

    #[test]
    fn findings_come_by_severity() {
        let all = [
            finding(FindingLevel::Fine, "a"),
            finding(FindingLevel::Warning, "b"),
            finding(FindingLevel::Obstacle, "c"),
            finding(FindingLevel::Warning, "d"),
        ];
        let (matters, fine) = sorted(&all);
        let names = |list: Vec<&MigrationFinding>| -> String {
            list.iter().map(|finding| finding.what.as_str()).collect()
        };
        assert_eq!((names(matters), names(fine)), ("cbd".into(), "a".into()));
    }

    #[test]
    fn the_reason_is_the_first_obstacle() {
        let mut verdict = MigrationVerdict {
            host: "h".parse().unwrap(),
            host_name: "h".into(),
            verdict: FindingLevel::Obstacle,
            summary: String::new(),
            score: None,
            findings: vec![finding(FindingLevel::Warning, "w")],
        };
        assert_eq!(why_not(&verdict), None);
        verdict
            .findings
            .push(finding(FindingLevel::Obstacle, "No."));
        assert_eq!(why_not(&verdict).as_deref(), Some("No."));
        verdict
            .findings
            .push(finding(FindingLevel::Obstacle, "Nor."));
        assert_eq!(why_not(&verdict).as_deref(), Some("No. And 1 more."));
    }

    #[test]
    fn a_number_may_be_left_out_but_not_be_wrong() {
        assert_eq!(number(" ", 1, 9), Ok(None));
        assert_eq!(number(" 9 ", 1, 9), Ok(Some(9)));
        for wrong in ["0", "10", "-1", "x", "1.5"] {
            assert!(number(wrong, 1, 9).is_err(), "{wrong}");
        }
    }
}
