//! What `lldpcli -f json0 show neighbors` writes, read with patience: what is missing is absent,
//! and what is damaged is left out.
//!
//! In `json0` everything that may occur more than once is a list, also when it occurs once:
//!
//! ```text
//! {"lldp": [{"interface": [{"name": "eth0", "chassis": [{"id": [{"type": "mac", "value": "…"}],
//!                                                        "name": [{"value": "beta"}]}],
//!                           "port": [{"id": [{"type": "mac", "value": "…"}],
//!                                     "descr": [{"value": "eth0"}], "ttl": [{"value": "120"}]}]}]}]}
//! ```

use crate::fleet::question::plain;
use model::{Mac, Neighbor};
use serde_json::Value;

/// How long a neighbour holds that does not say: what `lldpd` gives by default, in seconds.
const HOLD: u64 = 120;

/// The longest name that is kept, in characters. In the protocol it is 255 bytes.
const LONGEST: usize = 255;

/// The neighbours in an answer, or why it is none: a sentence.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Neighbor>, String> {
    let answer: Value = serde_json::from_slice(bytes)
        .map_err(|error| format!("lldpcli says what is not JSON: {error}."))?;
    let Some(lldp) = answer.get("lldp") else {
        return Err("lldpcli says something else than whom lldpd hears.".to_owned());
    };
    Ok(all(lldp)
        .flat_map(|lldp| all(&lldp["interface"]))
        .filter_map(neighbor)
        .collect())
}

fn neighbor(interface: &Value) -> Option<Neighbor> {
    // Older and proprietary protocols name ports in ways of their own.
    if interface["via"].as_str().is_some_and(|via| via != "LLDP") {
        return None;
    }
    let (chassis, port) = (first(&interface["chassis"]), first(&interface["port"]));
    let id = first(&port["id"]);
    let (kind, name) = (id["type"].as_str(), text(id));
    let mac = name.as_deref().filter(|_| kind == Some("mac"));
    let description = text(first(&port["descr"]));
    let neighbor = Neighbor {
        interface: plain(interface["name"].as_str()?, LONGEST)?,
        system: text(first(&chassis["name"])),
        chassis: text(first(&chassis["id"])),
        mac: mac.and_then(mac_address),
        port: match kind {
            // What it is called, before what somebody wrote about it.
            Some("ifname") => name.or(description),
            Some("mac") => description,
            _ => description.or(name),
        },
        hold_seconds: hold(first(&port["ttl"])),
    };
    let says_something = neighbor.system.is_some() || neighbor.chassis.is_some();
    says_something.then_some(neighbor)
}

/// Those in a list; what is no list is one.
fn all(value: &Value) -> impl Iterator<Item = &Value> {
    let (list, one) = match value {
        Value::Array(list) => (&list[..], None),
        one => (&[][..], Some(one)),
    };
    list.iter().chain(one)
}

fn first(value: &Value) -> &Value {
    all(value).next().unwrap_or(&Value::Null)
}

fn text(value: &Value) -> Option<String> {
    plain(value["value"].as_str()?, LONGEST)
}

fn mac_address(text: &str) -> Option<Mac> {
    let mac: api::MacAddress = text.parse().ok()?;
    Some(Mac(mac.0))
}

fn hold(ttl: &Value) -> u64 {
    let value = &ttl["value"];
    let seconds = value.as_str().and_then(|text| text.parse().ok());
    seconds.or_else(|| value.as_u64()).unwrap_or(HOLD)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a host with three neighbours said, and one without.
    const REAL: &str = include_str!("../../../tests/data/lldp-neighbors.json");
    const NOBODY: &str = r#"{"lldp": [{}]}"#;

    #[test]
    fn what_lldpcli_really_says_is_read() {
        let neighbors = read(REAL.as_bytes()).unwrap();
        let told: Vec<_> = neighbors
            .iter()
            .map(|of| {
                let (system, port) = (of.system.as_deref(), of.port.as_deref());
                (&*of.interface, system.unwrap(), port.unwrap())
            })
            .collect();
        assert_eq!(
            told,
            [
                ("eth0", "beta", "eth0"),
                ("eth1", "delta", "eth1"),
                ("eth2", "gamma", "eth2")
            ]
        );
        assert_eq!(neighbors[0].mac, Some(Mac([2, 0, 0, 2, 2, 0])));
        assert_eq!(neighbors[0].chassis.as_deref(), Some("02:00:00:02:00:00"));
        assert_eq!(neighbors[0].hold_seconds, 4);
        assert_eq!(read(NOBODY.as_bytes()), Ok(Vec::new()));
    }

    #[test]
    fn what_is_damaged_is_refused_or_left_out_and_never_a_panic() {
        // Cut anywhere, it is no JSON any more.
        for end in 0..REAL.trim_end().len() {
            assert!(read(&REAL.as_bytes()[..end]).is_err(), "{end}");
        }
        // With anything else in place of any part, what is left is read.
        let whole: Value = serde_json::from_str(REAL).unwrap();
        for strange in [
            Value::Null,
            Value::from(7),
            Value::from("\u{7}"),
            Value::from(vec![Value::Null]),
        ] {
            for pointer in pointers(&whole) {
                let mut damaged = whole.clone();
                *damaged.pointer_mut(&pointer).unwrap() = strange.clone();
                if let Ok(neighbors) = read(damaged.to_string().as_bytes()) {
                    assert!(neighbors.len() <= 3, "{pointer}");
                }
            }
        }
        for text in ["[]", "7", "\"lldp\"", r#"{"error": "no permission"}"#] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn ports_are_called_by_their_names_and_strange_texts_made_plain() {
        let told = |port: &str| {
            let text = format!(
                r#"{{"lldp": {{"interface": {{"name": "eth0", "via": "LLDP",
                    "chassis": {{"name": {{"value": "leaf\u001b[1m-3 "}}}}, "port": {port}}}}}}}"#
            );
            let neighbors = read(text.as_bytes()).unwrap();
            assert_eq!(neighbors[0].system.as_deref(), Some("leaf[1m-3"));
            assert_eq!(neighbors[0].hold_seconds, HOLD);
            neighbors[0].port.clone()
        };
        let named = r#"{"id": {"type": "ifname", "value": "e7"}, "descr": {"value": "to rio"}}"#;
        assert_eq!(told(named).as_deref(), Some("e7"));
        let local = r#"{"id": {"type": "local", "value": "17"}, "descr": {"value": "e7"}}"#;
        assert_eq!(told(local).as_deref(), Some("e7"));
        assert_eq!(told("{}"), None);
        let other = REAL.replace("\"LLDP\"", "\"CDPv2\"");
        assert_eq!(read(other.as_bytes()), Ok(Vec::new()));
    }

    /// The places of all values inside.
    fn pointers(value: &Value) -> Vec<String> {
        let children: Vec<(String, &Value)> = match value {
            Value::Array(list) => (0..)
                .zip(list)
                .map(|(at, of): (usize, _)| (at.to_string(), of))
                .collect(),
            Value::Object(map) => map.iter().map(|(key, of)| (key.clone(), of)).collect(),
            _ => Vec::new(),
        };
        let inside = children.into_iter().flat_map(|(key, of)| {
            let mut all = pointers(of);
            all.push(String::new());
            all.into_iter().map(move |rest| format!("/{key}{rest}"))
        });
        inside.collect()
    }
}
