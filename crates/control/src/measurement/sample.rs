//! What was measured of a router at one time, and its form in the history.

use api::{MacAddress, Metric, RouterId};
use history::Row;

/// Values by metric.
pub(crate) type Values = Vec<(Metric, i64)>;

/// What was measured of one router at one time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub router: RouterId,
    pub at_ms: i64,
    /// Whether the values were made up for the demo fleet.
    pub simulated: bool,
    /// The router's own.
    pub values: Values,
    pub interfaces: Vec<(MacAddress, Values)>,
    pub disks: Vec<(String, Values)>,
}

impl Sample {
    /// The rows of the history that hold it.
    pub fn rows(&self) -> Vec<Row> {
        let row = |entity: String, values: &Values| Row {
            entity,
            simulated: self.simulated,
            values: values
                .iter()
                .map(|(metric, value)| (metric.as_str().to_owned(), *value))
                .collect(),
        };
        let interfaces = self.interfaces.iter();
        let disks = self.disks.iter();
        let own = row(entity::router(self.router), &self.values);
        std::iter::once(own)
            .chain(interfaces.map(|(mac, v)| row(entity::interface(self.router, *mac), v)))
            .chain(disks.map(|(target, v)| row(entity::disk(self.router, target), v)))
            .filter(|row| !row.values.is_empty())
            .collect()
    }
}

/// The names under which the history knows what is measured.
pub(crate) mod entity {
    use api::{MacAddress, RouterId};

    pub fn router(router: RouterId) -> String {
        format!("router/{router}")
    }

    pub fn interface(router: RouterId, mac: MacAddress) -> String {
        format!("router/{router}/interface/{mac}")
    }

    pub fn disk(router: RouterId, target: &str) -> String {
        format!("router/{router}/disk/{target}")
    }
}
