//! `vms router check` and `vms router migrate`: where a router can be moved to, and moving it.

use super::{
    MigrateCommand,
    table::{Table, or_absent},
};
use api::{
    CheckMigrationReply, Error, FindingLevel, MigrateRouterRequest, MigrationFinding, RouterId,
};

/// What is asked of the server.
pub(super) fn request(router: RouterId, command: MigrateCommand) -> MigrateRouterRequest {
    MigrateRouterRequest {
        router,
        destination: command.destination,
        mode: command.mode,
        bandwidth_mebibytes_per_second: command.bandwidth,
        maximum_downtime_milliseconds: command.max_downtime,
        shutdown_seconds: command.shutdown,
        request_id: command.request_id,
    }
}

/// The error in the words of the command line, where it names an element of a request.
pub(super) fn in_words(error: Error) -> Error {
    let Error::InvalidArgument(mut fault) = error else {
        return error;
    };
    let word = match fault.element.as_str() {
        "destination" => "HOST",
        "mode" => "--mode",
        "bandwidthMebibytesPerSecond" => "--bandwidth",
        "maximumDowntimeMilliseconds" => "--max-downtime",
        "shutdownSeconds" => "--shutdown",
        "requestId" => "--request-id",
        _ => return fault.into(),
    };
    word.clone_into(&mut fault.element);
    fault.into()
}

/// The verdicts in their order, and under each what is not as it should be; with `all`, the rest,
/// too.
pub(super) fn verdicts(router: &str, reply: &CheckMigrationReply, all: bool) -> String {
    let mut table = Table::new(&["", "host", "name", "score", "verdict"]);
    for verdict in &reply.verdicts {
        table.row([
            sign(verdict.verdict).to_owned(),
            verdict.host.to_string(),
            verdict.host_name.clone(),
            or_absent(verdict.score.map(app::format::percent)),
            verdict.summary.clone(),
        ]);
        findings(&mut table, &verdict.findings, all);
    }
    let head = format!("{router}, on {}, {}", reply.source, reply.mode);
    if reply.verdicts.is_empty() {
        return format!("{head}: there is no other host.\n");
    }
    format!("{head}:\n\n{table}")
}

/// What was found, under a row, as far as it is not as it should be; with `all`, the rest, too.
pub(super) fn findings(table: &mut Table, findings: &[MigrationFinding], all: bool) {
    let told = |finding: &&MigrationFinding| all || finding.level != FindingLevel::Fine;
    for finding in findings.iter().filter(told) {
        table.note(format!(
            "   {} {}: {}",
            sign(finding.level),
            finding.check.as_str(),
            finding.what
        ));
        if let Some(why) = &finding.why {
            table.note(format!("     why: {why}"));
        }
        if let Some(advice) = &finding.advice {
            table.note(format!("     do:  {advice}"));
        }
    }
}

fn sign(level: FindingLevel) -> &'static str {
    match level {
        FindingLevel::Fine => "✓",
        FindingLevel::Warning => "!",
        FindingLevel::Obstacle => "✕",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::{MigrationCheck, MigrationMode, MigrationVerdict, Timestamp};

    fn finding(level: FindingLevel, check: MigrationCheck, what: &str) -> MigrationFinding {
        MigrationFinding {
            level,
            check,
            what: what.to_owned(),
            why: None,
            advice: None,
        }
    }

    fn reply() -> CheckMigrationReply {
        let verdict = |host: &str, score, verdict, summary: &str, findings| MigrationVerdict {
            host: host.parse().unwrap(),
            host_name: host.to_uppercase(),
            verdict,
            summary: summary.to_owned(),
            score,
            findings,
        };
        CheckMigrationReply {
            as_of: Timestamp::UNIX_EPOCH,
            router: "6f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01".parse().unwrap(),
            source: "alpha".parse().unwrap(),
            mode: MigrationMode::Live,
            verdicts: vec![
                verdict(
                    "beta",
                    Some(0.9),
                    FindingLevel::Fine,
                    "It can be moved there.",
                    vec![finding(
                        FindingLevel::Fine,
                        MigrationCheck::Memory,
                        "There is room.",
                    )],
                ),
                verdict(
                    "gamma",
                    Some(0.05),
                    FindingLevel::Warning,
                    "It can be moved there, with a consequence.",
                    vec![MigrationFinding {
                        why: Some("g3 sends to alpha.".to_owned()),
                        ..finding(
                            FindingLevel::Warning,
                            MigrationCheck::Link,
                            "A tunnel ends.",
                        )
                    }],
                ),
                verdict(
                    "delta",
                    None,
                    FindingLevel::Obstacle,
                    "It cannot be moved there.",
                    vec![MigrationFinding {
                        why: Some("Nothing new lands there.".to_owned()),
                        advice: Some("Take it back into use.".to_owned()),
                        ..finding(
                            FindingLevel::Obstacle,
                            MigrationCheck::Maintenance,
                            "It is in maintenance.",
                        )
                    }],
                ),
            ],
        }
    }

    #[test]
    fn verdicts_are_told_with_what_is_not_fine() {
        let text = verdicts("r1", &reply(), false);
        assert_eq!(
            text,
            "r1, on alpha, live:

   HOST   NAME   SCORE  VERDICT
✓  beta   BETA    90 %  It can be moved there.
!  gamma  GAMMA  5.0 %  It can be moved there, with a consequence.
   ! link: A tunnel ends.
     why: g3 sends to alpha.
✕  delta  DELTA      -  It cannot be moved there.
   ✕ maintenance: It is in maintenance.
     why: Nothing new lands there.
     do:  Take it back into use.
"
        );
        let all = verdicts("r1", &reply(), true);
        assert!(all.contains("   ✓ memory: There is room.\n"), "{all}");
        let none = CheckMigrationReply {
            verdicts: Vec::new(),
            ..reply()
        };
        assert_eq!(
            verdicts("r1", &none, false),
            "r1, on alpha, live: there is no other host.\n"
        );
    }

    #[test]
    fn errors_name_what_was_typed() {
        for (element, expected) in [
            ("destination", "HOST"),
            ("bandwidthMebibytesPerSecond", "--bandwidth"),
            ("requestId", "--request-id"),
            ("router", "router"),
        ] {
            let error = in_words(Error::invalid(element, "why"));
            assert_eq!(error.to_string(), format!("{expected}: why"));
        }
    }
}
