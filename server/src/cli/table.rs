//! Aligned text for people: tables, lists of facts, quantities.

use std::fmt::{self, Write as _};

/// A table; cells that are numbers are aligned to the right.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    /// Lines that stand under a row, by the row's place.
    notes: Vec<(usize, String)>,
}

impl Table {
    pub(super) fn new(head: &[&str]) -> Self {
        Self {
            rows: vec![head.iter().map(|cell| cell.to_uppercase()).collect()],
            notes: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// A line under the last row, which no column has to be wide enough for.
    pub(super) fn note(&mut self, line: String) {
        self.notes.push((self.rows.len() - 1, line));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        let to_right: Vec<bool> = (0..columns)
            .map(|column| {
                let mut cells = self
                    .rows
                    .iter()
                    .skip(1)
                    .filter_map(|row| row.get(column))
                    .peekable();
                cells.peek().is_some() && cells.all(|cell| is_quantity(cell))
            })
            .collect();
        let mut notes = self.notes.iter().peekable();
        for (place, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for ((cell, &width), &right) in row.iter().zip(&widths).zip(&to_right) {
                let pad = " ".repeat(width - cell.chars().count());
                if right {
                    line.push_str(&pad);
                    line.push_str(cell);
                } else {
                    line.push_str(cell);
                    line.push_str(&pad);
                }
                line.push_str("  ");
            }
            writeln!(f, "{}", line.trim_end())?;
            while let Some((_, note)) = notes.next_if(|(under, _)| *under == place) {
                writeln!(f, "{note}")?;
            }
        }
        Ok(())
    }
}

fn is_quantity(cell: &str) -> bool {
    let first = cell.split(' ').next().unwrap_or_default();
    cell == ABSENT || first.parse::<f64>().is_ok()
}

/// Names and values, a line each.
pub(super) fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    facts.iter().fold(String::new(), |mut text, (name, value)| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:width$}  {value}");
        text
    })
}

/// What stands where nothing is known.
pub(super) const ABSENT: &str = "-";

/// The text of what may be absent.
pub(super) fn or_absent<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| ABSENT.to_owned(), |value| value.to_string())
}

/// A size in bytes, with binary prefixes.
pub(super) fn bytes(value: u64) -> String {
    scaled(
        value as f64,
        1024.0,
        &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"],
    )
}

/// A rate in bits a second, with decimal prefixes.
pub(super) fn bit_rate(value: f64) -> String {
    scaled(
        value,
        1000.0,
        &["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"],
    )
}

fn scaled(mut value: f64, base: f64, units: &[&str]) -> String {
    let mut units = units.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    for next in units {
        if value < base {
            break;
        }
        value /= base;
        unit = next;
    }
    // Three figures are what a person reads.
    let decimals = usize::from(value.fract() != 0.0 && value < 100.0);
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_numbers_stand_to_the_right() {
        let mut table = Table::new(&["name", "memory", "note"]);
        table.row(["zürich-1", "512 MiB", ""].map(str::to_owned));
        table.row(["r", "1 GiB", "old"].map(str::to_owned));
        table.row(["s", "-", "x"].map(str::to_owned));
        assert_eq!(
            table.to_string(),
            "NAME       MEMORY  NOTE\n\
             zürich-1  512 MiB\n\
             r           1 GiB  old\n\
             s               -  x\n"
        );
        assert_eq!(Table::new(&["name", "id"]).to_string(), "NAME  ID\n");
    }

    #[test]
    fn notes_stand_under_their_rows_and_make_no_column_wider() {
        let mut table = Table::new(&["name", "memory"]);
        table.row(["a", "1 GiB"].map(str::to_owned));
        table.note("  a sentence about it".to_owned());
        table.note("  and another".to_owned());
        table.row(["bc", "16 GiB"].map(str::to_owned));
        assert_eq!(
            table.to_string(),
            "NAME  MEMORY\n\
             a      1 GiB\n  \
               a sentence about it\n  \
               and another\n\
             bc    16 GiB\n"
        );
    }

    #[test]
    fn quantities_have_three_figures() {
        for (value, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (1 << 30, "1 GiB"),
            (u64::MAX, "16 EiB"),
        ] {
            assert_eq!(bytes(value), text);
        }
        for (value, text) in [
            (0.0, "0 bit/s"),
            (999.0, "999 bit/s"),
            (12_340.0, "12.3 kbit/s"),
            (10e9, "10 Gbit/s"),
            (123_456_789.0, "123 Mbit/s"),
        ] {
            assert_eq!(bit_rate(value), text);
        }
    }
}
