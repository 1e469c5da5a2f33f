//! Colours keep their contrast, and stay apart for eyes of every kind.

use graph::palette::vision::{Eyes, contrast, distance, oklab};
use graph::palette::{Colour, NETWORKS_DARK, NETWORKS_LIGHT, css, load_colour};
use graph::svg::STYLE;
use std::collections::BTreeMap;

/// WCAG 2.2, 1.4.3: text.
const TEXT: f64 = 4.5;
/// WCAG 2.2, 1.4.11: what one must see to understand a picture.
const GRAPHICS: f64 = 3.0;
/// Least distance of colours that are told apart without another sign beside them from afar:
/// several times what can just be told apart side by side, because marks are small and far apart.
const APART: f64 = 0.07;

/// The colours of one theme, by the names of their custom properties.
struct Theme(BTreeMap<String, Colour>);

impl Theme {
    fn get(&self, name: &str) -> Colour {
        *self
            .0
            .get(name)
            .unwrap_or_else(|| panic!("no --topo-{name}"))
    }
}

/// The light theme, the dark one by the system's wish, and the dark one by choice.
fn themes() -> [Theme; 3] {
    let blocks: Vec<&str> = STYLE.split("\ncolor-scheme:").collect();
    [0, 1, 2].map(|index| {
        // A theme's colours stand before its color-scheme.
        let block = blocks[index].rsplit('{').next().unwrap_or_default();
        let declared = block.split(';').filter_map(|declaration| {
            let (name, value) = declaration
                .trim()
                .strip_prefix("--topo-")?
                .split_once(":#")?;
            let number = u32::from_str_radix(value, 16).ok()?;
            let [_, red, green, blue] = number.to_be_bytes();
            (value.len() == 6).then(|| (name.to_owned(), [red, green, blue]))
        });
        Theme(declared.collect())
    })
}

fn assert_apart(colours: &[Colour], least: f64) {
    for (index, a) in colours.iter().enumerate() {
        for b in &colours[..index] {
            let apart = distance(*a, *b);
            assert!(apart >= least, "{} and {}: {apart:.3}", css(*a), css(*b));
        }
    }
}

#[test]
fn dark_by_wish_and_dark_by_choice_are_the_same() {
    let [light, wished, chosen] = themes();
    assert_eq!(wished.0, chosen.0);
    assert_eq!(light.0.len(), wished.0.len());
    assert!(light.0.len() > 12);
}

#[test]
fn contrast_is_enough() {
    for theme in themes() {
        for ground in ["ground", "box"].map(|name| theme.get(name)) {
            let check = |name: &str, least: f64| {
                let is = contrast(theme.get(name), ground);
                assert!(is >= least, "{name} on {}: {is:.2}", css(ground));
            };
            for text in ["ink", "soft"] {
                check(text, TEXT);
            }
            // Lines at the edge of a box and of a plate ("faint") are an ornament: what is in a box
            // is told by where it stands and by its heading.
            for line in [
                "running", "paused", "stopped", "failed", "unknown", "cable", "link", "tap",
                "focus",
            ] {
                check(line, GRAPHICS);
            }
        }
        for state in ["running", "paused", "stopped", "failed", "unknown"] {
            let is = contrast(theme.get("on-badge"), theme.get(state));
            assert!(is >= GRAPHICS, "a sign on {state}: {is:.2}");
        }
    }
}

#[test]
fn states_and_links_can_be_told_apart_by_all() {
    for theme in themes() {
        let states = ["running", "paused", "stopped", "failed", "unknown"];
        assert_apart(&states.map(|name| theme.get(name)), APART);
        // A link that is down has the colour of what failed.
        let links = ["cable", "link", "tap", "failed"];
        assert_apart(&links.map(|name| theme.get(name)), APART);
    }
}

#[test]
fn networks_can_be_told_apart_by_all() {
    let [light, dark, _] = themes();
    for (theme, colours) in [(light, NETWORKS_LIGHT), (dark, NETWORKS_DARK)] {
        assert_apart(&colours, 0.1);
        for colour in colours {
            for ground in ["ground", "box"] {
                let is = contrast(colour, theme.get(ground));
                assert!(is >= GRAPHICS, "{} on {ground}: {is:.2}", css(colour));
            }
        }
    }
}

#[test]
fn more_load_is_more_for_all() {
    let [light, dark, _] = themes();
    for (theme, is_dark) in [(light, false), (dark, true)] {
        let at = |per_cent: u8| load_colour(f32::from(per_cent) / 100.0, is_dark);
        for eyes in Eyes::ALL {
            // One per cent is less than a step of a channel for some eyes.
            let step = if eyes == Eyes::Usual { 1 } else { 5 };
            for per_cent in (0..=100 - step).step_by(step.into()) {
                let lightness = |per_cent| oklab(at(per_cent), eyes)[0];
                let (less, more) = (lightness(per_cent), lightness(per_cent + step));
                assert!(
                    if is_dark { less < more } else { less > more },
                    "{eyes:?} {per_cent}"
                );
            }
        }
        assert_apart(&[0, 25, 50, 75, 100].map(at), APART);
        for per_cent in 0..=100 {
            for ground in ["ground", "box"] {
                let is = contrast(at(per_cent), theme.get(ground));
                assert!(is >= GRAPHICS, "{per_cent} per cent on {ground}: {is:.2}");
            }
        }
    }
}
