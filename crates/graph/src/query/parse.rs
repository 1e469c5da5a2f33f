//! From text to an expression, by recursive descent.

use super::{Comparison, Expression, Field, KEYS, LINKS, Quantity, Test};
use super::{edge_kind_bit, edge_state_bit, node_kind_bit, number, state_bit};
use crate::{EdgeKind, EdgeState, NodeKind, NodeState, describe};
use std::fmt;

/// Deepest nesting; what nests deeper is no one's filter.
const DEEPEST: u32 = 40;

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    /// Before which character, counted from 0.
    pub at: usize,
    /// What is wrong and what was expected, without a full stop.
    pub problem: String,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "At character {}: {}.", self.at + 1, self.problem)
    }
}

impl std::error::Error for QueryError {}

type Parsed<T> = Result<T, QueryError>;

pub(super) fn parse(text: &str) -> Parsed<Expression> {
    let mut parser = Parser { text, at: 0 };
    parser.blanks();
    if parser.at == text.len() {
        return Ok(Expression::All(Vec::new()));
    }
    let expression = parser.either(0)?;
    if parser.at < text.len() {
        return Err(parser.error(parser.at, "this parenthesis closes nothing"));
    }
    Ok(expression)
}

struct Parser<'a> {
    text: &'a str,
    /// In bytes, at a border of characters.
    at: usize,
}

/// What stands between blanks and parentheses.
struct Word {
    start: usize,
    text: String,
    /// Where the text after a key begins, in the whole text and in this word, and the key's length.
    split: Option<Split>,
    quoted: bool,
}

struct Split {
    key: usize,
    value: usize,
    /// Where the value begins in the whole text.
    at: usize,
    sign: &'static str,
}

impl Parser<'_> {
    fn error(&self, at: usize, problem: impl Into<String>) -> QueryError {
        QueryError {
            at: self.text[..at].chars().count(),
            problem: problem.into(),
        }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes a word that joins or negates, if it is next.
    fn take(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let taken = rest
            .get(..word.len())
            .is_some_and(|next| next.eq_ignore_ascii_case(word))
            && rest[word.len()..]
                .chars()
                .next()
                .is_none_or(|c| c.is_whitespace() || "()".contains(c));
        if taken {
            self.at += word.len();
            self.blanks();
        }
        taken
    }

    fn either(&mut self, depth: u32) -> Parsed<Expression> {
        let mut list = vec![self.all(depth)?];
        while self.take("or") {
            list.push(self.all(depth)?);
        }
        Ok(one_or(list, Expression::Either))
    }

    fn all(&mut self, depth: u32) -> Parsed<Expression> {
        let mut list = vec![self.unary(depth)?];
        loop {
            if self.take("and") {
                list.push(self.unary(depth)?);
                continue;
            }
            let mut ahead = Parser { ..*self };
            if self.rest().is_empty() || self.rest().starts_with(')') || ahead.take("or") {
                return Ok(one_or(list, Expression::All));
            }
            list.push(self.unary(depth)?);
        }
    }

    fn unary(&mut self, depth: u32) -> Parsed<Expression> {
        if depth > DEEPEST {
            return Err(self.error(self.at, "this nests too deep to be read"));
        }
        let minus = self.rest().starts_with('-');
        if minus || self.take("not") {
            self.at += usize::from(minus);
            self.blanks();
            return Ok(Expression::Not(Box::new(self.unary(depth + 1)?)));
        }
        let start = self.at;
        if self.rest().starts_with('(') {
            self.at += 1;
            self.blanks();
            let inner = self.either(depth + 1)?;
            if !self.rest().starts_with(')') {
                return Err(self.error(start, "this parenthesis is not closed"));
            }
            self.at += 1;
            self.blanks();
            return Ok(inner);
        }
        if self.rest().is_empty()
            || self.rest().starts_with(')')
            || self.take("or")
            || self.take("and")
        {
            return Err(self.error(
                start,
                "expected a word, or a key with a value such as kind:router",
            ));
        }
        let word = self.word()?;
        self.blanks();
        self.test(&word).map(Expression::Test)
    }

    fn word(&mut self) -> Parsed<Word> {
        let mut word = Word {
            start: self.at,
            text: String::new(),
            split: None,
            quoted: false,
        };
        while let Some(c) = self.rest().chars().next() {
            if c.is_whitespace() || "()".contains(c) {
                break;
            }
            if c == '"' {
                word.quoted = true;
                self.quote(&mut word.text)?;
                continue;
            }
            if word.split.is_none() && !word.quoted && ":=<>".contains(c) {
                let signs = ["<=", ">=", "<", ">", "=", ":"];
                let sign = signs.into_iter().find(|sign| self.rest().starts_with(sign));
                let sign = sign.unwrap_or(":");
                let key = word.text.len();
                word.text.push_str(sign);
                self.at += sign.len();
                word.split = Some(Split {
                    key,
                    value: word.text.len(),
                    at: self.at,
                    sign,
                });
                continue;
            }
            word.text.push(c);
            self.at += c.len_utf8();
        }
        Ok(word)
    }

    /// Reads what is between quotes; a backslash takes the next character as it is.
    fn quote(&mut self, into: &mut String) -> Parsed<()> {
        let start = self.at;
        let mut chars = self.text[start + 1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = start + 1 + at + 1;
                    return Ok(());
                }
                '\\' => into.extend(chars.next().map(|(_, c)| c)),
                c => into.push(c),
            }
        }
        Err(self.error(start, "this quote is not closed"))
    }

    fn test(&self, word: &Word) -> Parsed<Test> {
        let bare = || Test::Text(Field::Any, word.text.to_lowercase());
        let Some(split) = &word.split else {
            return if word.text.is_empty() {
                Err(self.error(word.start, "expected something between the quotes"))
            } else {
                Ok(bare())
            };
        };
        let key = word.text[..split.key].to_ascii_lowercase();
        let value = word.text[split.value..].to_lowercase();
        if !KEYS.iter().any(|(known, ..)| *known == key) {
            // A MAC or an IPv6 address has colons too.
            let address = |c: char| c.is_ascii_hexdigit() || ":./%".contains(c);
            if split.sign == ":" && word.text.chars().all(address) {
                return Ok(bare());
            }
            let known: Vec<&str> = KEYS.iter().map(|(known, ..)| *known).collect();
            let advice = match nearest(&key, &known) {
                Some(near) => format!("did you mean {near}"),
                None => format!(
                    "expected one of {}; text with a colon goes in quotes",
                    known.join(", ")
                ),
            };
            let problem = format!("there is no key “{key}”: {advice}");
            return Err(self.error(word.start, problem));
        }
        if value.is_empty() {
            let problem = format!("expected a value after “{key}{}”", split.sign);
            return Err(self.error(split.at, problem));
        }
        let wrong = |expected: String| self.error(split.at, expected);
        let quantity = match key.as_str() {
            "degree" => Some(Quantity::Degree),
            "capacity" => Some(Quantity::Capacity),
            "load" => Some(Quantity::Load),
            _ => None,
        };
        if let Some(quantity) = quantity {
            let comparison = match split.sign {
                "<" => Comparison::Less,
                "<=" => Comparison::AtMost,
                ">" => Comparison::More,
                ">=" => Comparison::AtLeast,
                _ => Comparison::Equal,
            };
            let value = amount(quantity, &word.text[split.value..]).ok_or_else(|| {
                wrong(match quantity {
                    Quantity::Degree => "expected a number such as 2".to_owned(),
                    Quantity::Capacity => {
                        "expected bit/s such as 100M or 10G (k, M, G, T)".to_owned()
                    }
                    Quantity::Load => "expected per cent such as 80".to_owned(),
                })
            })?;
            return Ok(Test::Number(quantity, comparison, value));
        }
        if !matches!(split.sign, ":" | "=") {
            let at = split.at - split.sign.len();
            let problem = format!(
                "“{key}” is no number: expected “:” instead of “{}”",
                split.sign
            );
            return Err(self.error(at, problem));
        }
        let field = match key.as_str() {
            "kind" => return kinds(&value).map(Test::Kind).map_err(wrong),
            "state" => return states(&value).map(Test::State).map_err(wrong),
            "address" => {
                return prefix(&value).ok_or_else(|| {
                    wrong(
                        "expected an IP address or a prefix such as 10.0.0.0/8 or fd00::/8"
                            .to_owned(),
                    )
                });
            }
            "stale" => {
                return yes_or_no(&value).map(Test::Stale).map_err(wrong);
            }
            "maintenance" => {
                return yes_or_no(&value).map(Test::Maintenance).map_err(wrong);
            }
            "name" => Field::Name,
            "id" => Field::Id,
            "network" => Field::Network,
            "host" => Field::Host,
            "site" => Field::Site,
            "tag" => Field::Tag,
            "mac" => Field::Mac,
            _ => Field::Medium,
        };
        Ok(Test::Text(field, value))
    }
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err("expected yes or no".to_owned()),
    }
}

fn one_or(mut list: Vec<Expression>, of: fn(Vec<Expression>) -> Expression) -> Expression {
    match list.pop() {
        Some(only) if list.is_empty() => only,
        Some(last) => {
            list.push(last);
            of(list)
        }
        None => of(list),
    }
}

const NODE_KINDS: [NodeKind; 4] = [
    NodeKind::Host,
    NodeKind::Switch,
    NodeKind::Router,
    NodeKind::Segment,
];
const EDGE_KINDS: [EdgeKind; 4] = [
    EdgeKind::Physical,
    EdgeKind::Virtual,
    EdgeKind::Attachment,
    EdgeKind::Migration,
];
const NODE_STATES: [NodeState; 7] = [
    NodeState::Running,
    NodeState::Paused,
    NodeState::Stopping,
    NodeState::Stopped,
    NodeState::Failed,
    NodeState::Unknown,
    NodeState::Neutral,
];
const EDGE_STATES: [EdgeState; 3] = [EdgeState::Up, EdgeState::Down, EdgeState::Unknown];

/// The bits of all that `word` stands for among words and their bits.
fn bits(word: &str, words: &[(&'static str, u32)]) -> Result<u32, String> {
    let found = words
        .iter()
        .filter(|(known, _)| *known == word)
        .fold(0, |bits, (_, bit)| bits | bit);
    if found != 0 {
        return Ok(found);
    }
    let mut known = Vec::new();
    for (word, _) in words {
        if !known.contains(word) {
            known.push(*word);
        }
    }
    Err(match nearest(word, &known) {
        Some(near) => format!("there is no “{word}”: did you mean {near}"),
        None => format!("there is no “{word}”: expected one of {}", known.join(", ")),
    })
}

fn kinds(word: &str) -> Result<u8, String> {
    let mut words = vec![("link", u32::from(LINKS))];
    words.extend(NODE_KINDS.map(|kind| (kind.as_str(), u32::from(node_kind_bit(kind)))));
    words.extend(EDGE_KINDS.map(|kind| (kind.as_str(), u32::from(edge_kind_bit(kind)))));
    bits(word, &words).map(|bits| bits as u8)
}

/// A state by the word that sentences use for it, or by the style sheet's for any kind of thing
/// where that is another word.
fn states(word: &str) -> Result<u32, String> {
    let mut words = Vec::new();
    for kind in NODE_KINDS {
        for state in NODE_STATES {
            let (bit, said) = (state_bit(kind, state), describe::state(kind, state));
            words.push((said, bit));
            // “running” is said of routers only.
            if state != NodeState::Running {
                words.push((state.as_str(), bit));
            }
        }
    }
    words.extend(EDGE_STATES.map(|state| (state.as_str(), edge_state_bit(state))));
    bits(&word.replace(['-', '_'], " "), &words)
}

/// A number with its unit.
fn amount(quantity: Quantity, text: &str) -> Option<f64> {
    let (digits, factor) = match quantity {
        Quantity::Degree => (text, 1.0),
        Quantity::Load => (text.strip_suffix('%').unwrap_or(text), 0.01),
        Quantity::Capacity => {
            let text = text.strip_suffix("bit/s").unwrap_or(text).trim_end();
            let unit = [
                ('k', 1e3),
                ('K', 1e3),
                ('m', 1e6),
                ('M', 1e6),
                ('g', 1e9),
                ('G', 1e9),
            ]
            .into_iter()
            .chain([('t', 1e12), ('T', 1e12)])
            .find(|(unit, _)| text.ends_with(*unit));
            match unit {
                Some((unit, factor)) => (text.trim_end_matches(unit).trim_end(), factor),
                None => (text, 1.0),
            }
        }
    };
    decimal(digits).map(|number| number * factor)
}

/// A number such as 2 or 2.5. The standard library reads one exactly to the last digit, which
/// nobody needs here, and brings large tables into the browser for it.
fn decimal(text: &str) -> Option<f64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| -> Option<f64> {
        // No sign, and no more digits than a number holds.
        let plain = text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>()
            .ok()
            .filter(|_| plain)
            .map(|number| number as f64)
    };
    Some(digits(whole)? + digits(part)? / 10f64.powi(part.len() as i32))
}

fn prefix(text: &str) -> Option<Test> {
    let (bits, six) = number(text)?;
    let width = if six { 128 } else { 32 };
    let length = match text.split_once('/') {
        Some((_, length)) => length.parse().ok()?,
        None => width,
    };
    let free = u32::checked_sub(width, length)?;
    Some(Test::Address(bits, free, six))
}

/// The word that is meant if it is but a slip or two away (optimal string alignment distance:
/// letters put in, left out, replaced, or swapped with the next).
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let slips = |other: &str| distance(word, other);
    let best = known.iter().min_by_key(|other| slips(other))?;
    (slips(best) <= 2 && slips(best) < best.len().min(word.len())).then_some(best)
}

fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(32).collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = match (i, j) {
                (0, j) => j,
                (i, 0) => i,
                _ => {
                    let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let mut least = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        least = least.min(rows[i - 2][j - 2] + 1);
                    }
                    least
                }
            };
        }
    }
    rows[a.len()][b.len()]
}
