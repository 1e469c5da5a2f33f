//! Colours that are computed: of virtual networks, and of load. Those of states and links are in
//! the style sheet ([`svg::STYLE`](crate::svg::STYLE)).
//!
//! All were searched for by the measures of [`vision`]; a test holds them, and the style sheet's,
//! to what they must keep: contrast, and distance for eyes of every kind.

pub mod vision;

/// A colour: red, green and blue of sRGB.
pub type Colour = [u8; 3];

const fn hex(colour: u32) -> Colour {
    [(colour >> 16) as u8, (colour >> 8) as u8, colour as u8]
}

/// Colours for what has names only, on a light ground. As far from each other as eight can be
/// for eyes of every kind, at 3:1 against the ground.
pub const NETWORKS_LIGHT: [Colour; 8] = [
    hex(0x3548d1),
    hex(0xcc7200),
    hex(0x439e8e),
    hex(0x840e35),
    hex(0x9b74d9),
    hex(0xba2d1f),
    hex(0x602782),
    hex(0x805789),
];

/// The same on a dark ground.
pub const NETWORKS_DARK: [Colour; 8] = [
    hex(0x6e67f8),
    hex(0xa3c003),
    hex(0x0cc1fd),
    hex(0xca5747),
    hex(0xe499a4),
    hex(0xebed6d),
    hex(0x986ea2),
    hex(0x99f7fc),
];

/// From idle to busy: ever darker on a light ground.
const LOAD_LIGHT: [Colour; 5] = [
    hex(0x4196cc),
    hex(0x6760ca),
    hex(0x801d87),
    hex(0x74052f),
    hex(0x49030e),
];

/// From idle to busy: ever brighter on a dark ground.
const LOAD_DARK: [Colour; 5] = [
    hex(0x4c68c0),
    hex(0xa96de6),
    hex(0xfd7ba8),
    hex(0xfebd7d),
    hex(0xfef085),
];

/// The colour of a virtual network: always the same for a name. More networks than colours share
/// them.
pub fn network_colour(name: &str, dark: bool) -> Colour {
    // FNV-1a (Fowler, Noll, Vo), folded: its low bits alone are poor.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let hash = hash ^ hash >> 16;
    let colours = if dark {
        &NETWORKS_DARK
    } else {
        &NETWORKS_LIGHT
    };
    colours[(hash ^ hash >> 8) as usize % colours.len()]
}

/// The colour of a load from 0 to 1; what is outside is taken as the nearer end, and no number as
/// 0. Its lightness goes one way only, so that more is more for eyes of every kind and in grey.
pub fn load_colour(load: f32, dark: bool) -> Colour {
    let stops = if dark { &LOAD_DARK } else { &LOAD_LIGHT };
    let last = stops.len() - 1;
    let load = if load > 0.0 { load.min(1.0) } else { 0.0 };
    let place = load * last as f32;
    let from = (place as usize).min(last - 1);
    let share = place - from as f32;
    let mut colour = stops[from];
    for (channel, to) in colour.iter_mut().zip(stops[from + 1]) {
        let (a, b) = (f32::from(*channel), f32::from(to));
        *channel = (a + (b - a) * share).round() as u8;
    }
    colour
}

/// As a style sheet writes it: `#3548d1`.
pub fn css(colour: Colour) -> String {
    let [red, green, blue] = colour;
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_colour_and_all_colours_are_used() {
        for dark in [false, true] {
            let mut used = std::collections::BTreeMap::new();
            for index in 0..800 {
                let colour = network_colour(&format!("net-{index}"), dark);
                assert_eq!(colour, network_colour(&format!("net-{index}"), dark));
                *used.entry(colour).or_insert(0) += 1;
            }
            assert_eq!(used.len(), 8);
            assert!(used.values().all(|count| *count > 50), "{used:?}");
        }
    }

    #[test]
    fn load_ends_where_it_should() {
        assert_eq!(load_colour(0.0, false), LOAD_LIGHT[0]);
        assert_eq!(load_colour(1.0, true), LOAD_DARK[4]);
        assert_eq!(load_colour(7.0, true), LOAD_DARK[4]);
        assert_eq!(load_colour(-1.0, true), LOAD_DARK[0]);
        assert_eq!(load_colour(f32::NAN, true), LOAD_DARK[0]);
        assert_eq!(load_colour(0.25, false), LOAD_LIGHT[1]);
        assert_eq!(css(LOAD_LIGHT[4]), "#49030e");
    }
}
