//! The picture's colours, as the style sheet has them: one place says what they are.

use wasm_bindgen::JsCast;

/// The colours of a theme, RGBA from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Theme {
    pub ground: [f32; 4],
    pub ink: [f32; 4],
    pub soft: [f32; 4],
    pub faint: [f32; 4],
    pub boxes: [f32; 4],
    pub cable: [f32; 4],
    pub link: [f32; 4],
    pub tap: [f32; 4],
    /// Running, paused, stopped, failed, unknown, none.
    pub states: [[f32; 4]; 6],
    pub on_badge: [f32; 4],
    pub focus: [f32; 4],
    pub shade: [f32; 4],
}

impl Theme {
    /// Reads the custom properties that hold at `element`.
    pub fn at(element: &web_sys::Element) -> Self {
        let style = web_sys::window()
            .and_then(|window| window.get_computed_style(element).ok())
            .flatten();
        let colour = |name: &str| {
            let text = style
                .as_ref()
                .and_then(|style| style.get_property_value(name).ok())
                .unwrap_or_default();
            parse(text.trim()).unwrap_or([0.5, 0.5, 0.5, 1.0])
        };
        let soft = colour("--topo-soft");
        Self {
            ground: colour("--topo-ground"),
            ink: colour("--topo-ink"),
            soft,
            faint: colour("--topo-faint"),
            boxes: colour("--topo-box"),
            cable: colour("--topo-cable"),
            link: colour("--topo-link"),
            tap: colour("--topo-tap"),
            states: [
                colour("--topo-running"),
                colour("--topo-paused"),
                colour("--topo-stopped"),
                colour("--topo-failed"),
                colour("--topo-unknown"),
                soft,
            ],
            on_badge: colour("--topo-on-badge"),
            focus: colour("--topo-focus"),
            shade: colour("--topo-shade"),
        }
    }
}

impl Theme {
    /// Of cables, links, taps, what is down and what is moved.
    pub fn line_colours(&self) -> [u32; 5] {
        [self.cable, self.link, self.tap, self.states[3], self.ink].map(packed)
    }
}

/// The font that the page has.
pub(super) fn font_of(element: &web_sys::Element) -> String {
    web_sys::window()
        .and_then(|window| window.get_computed_style(element).ok())
        .flatten()
        .and_then(|style| style.get_property_value("font-family").ok())
        .filter(|family| !family.is_empty())
        .unwrap_or_else(|| "sans-serif".to_owned())
}

/// Reads `#rrggbb`, `rgba(r,g,b,a)` and `rgb(r g b / a%)`.
fn parse(text: &str) -> Option<[f32; 4]> {
    if let Some(hex) = text.strip_prefix('#') {
        let value = u32::from_str_radix(hex, 16)
            .ok()
            .filter(|_| hex.len() == 6)?;
        let channel = |shift: u32| ((value >> shift) & 255) as f32 / 255.0;
        return Some([channel(16), channel(8), channel(0), 1.0]);
    }
    let inner = text.split_once('(')?.1.strip_suffix(')')?;
    let mut parts = inner.split([',', '/', ' ']).filter(|part| !part.is_empty());
    let mut next = || {
        let part = parts.next()?;
        match part.strip_suffix('%') {
            Some(share) => share.parse::<f32>().ok().map(|share| share / 100.0),
            None => part.parse::<f32>().ok(),
        }
    };
    let (r, g, b) = (next()?, next()?, next()?);
    Some([r / 255.0, g / 255.0, b / 255.0, next().unwrap_or(1.0)])
}

/// As CSS has it.
pub(super) fn css(colour: [f32; 4]) -> String {
    let [r, g, b] = [colour[0], colour[1], colour[2]].map(|v| (v * 255.0).round());
    format!("rgba({r},{g},{b},{})", colour[3])
}

/// RGBA in one word, red in the lowest byte.
pub(super) fn packed(colour: [f32; 4]) -> u32 {
    let byte = |v: f32| (v.clamp(0.0, 1.0) * 255.0).round() as u32;
    byte(colour[0]) | byte(colour[1]) << 8 | byte(colour[2]) << 16 | byte(colour[3]) << 24
}

/// The document's context of a canvas for drawing letters; `None` where there is none.
pub(in crate::topology_view) fn canvas_2d(
    canvas: &web_sys::HtmlCanvasElement,
) -> Option<web_sys::CanvasRenderingContext2d> {
    // It is read back after every letter: in the processor's memory, then.
    let options = js_sys::Object::new();
    let _ = js_sys::Reflect::set(&options, &"willReadFrequently".into(), &true.into());
    canvas
        .get_context_with_context_options("2d", &options)
        .ok()
        .flatten()
        .and_then(|context| context.dyn_into().ok())
}
