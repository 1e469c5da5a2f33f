//! The sheet of letters and signs, drawn when they are first needed, at the size at which they are
//! shown: so they are crisp.
//!
//! Each takes two channels: the letter itself, and the letter with the halo that keeps it legible
//! upon lines. Text of scripts whose letters join or combine is drawn as a whole.

use super::theme::canvas_2d;
use graph::svg::SIGNS;
use std::collections::HashMap;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, Path2d, WebGl2RenderingContext as Gl};

/// Side of the sheet in pixels.
pub(super) const SHEET: u32 = 2048;
/// Side of the canvas on which one letter is drawn.
const DESK: u32 = 1024;
/// The largest ground behind text, in pixels.
const PLATE: (u32, u32) = (512, 64);
/// What signs lie within, in units.
const CELL: (f32, f32) = (56.0, 36.0);

/// How text is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Font {
    /// Device pixels.
    pub size: u16,
    pub bold: bool,
}

/// One letter on the sheet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Glyph {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
    /// To the next letter, in device pixels.
    pub advance: f32,
    /// Room around the letter for its halo, in device pixels.
    pub margin: u16,
}

pub(super) struct Atlas {
    desk: CanvasRenderingContext2d,
    family: String,
    glyphs: HashMap<(Font, Box<str>), Glyph>,
    /// Letters that are one byte: most.
    plain: HashMap<Font, Box<[Option<Glyph>; 128]>>,
    /// The shelf in use: its left free end, its top, its height.
    shelf: (u32, u32, u32),
    /// Where the signs are, and for how many pixels a unit.
    signs: [[f32; 4]; SIGNS.len()],
    signs_scale: f32,
    font: Option<Font>,
    /// A place that is all halo, from which grounds behind text are cut.
    plate: Option<Glyph>,
}

impl Atlas {
    /// An empty sheet. `None` where the browser gives no canvas or no texture.
    pub fn new(gl: &Gl, family: String) -> Option<Self> {
        let canvas: web_sys::HtmlCanvasElement = web_sys::window()?
            .document()?
            .create_element("canvas")
            .ok()?
            .dyn_into()
            .ok()?;
        canvas.set_width(DESK);
        canvas.set_height(DESK / 2);
        let desk = canvas_2d(&canvas)?;
        let texture = gl.create_texture()?;
        // The only one: it stays bound.
        gl.active_texture(Gl::TEXTURE0);
        gl.bind_texture(Gl::TEXTURE_2D, Some(&texture));
        gl.tex_storage_2d(Gl::TEXTURE_2D, 1, Gl::RG8, SHEET as i32, SHEET as i32);
        for (what, how) in [
            (Gl::TEXTURE_MIN_FILTER, Gl::LINEAR),
            (Gl::TEXTURE_MAG_FILTER, Gl::LINEAR),
            (Gl::TEXTURE_WRAP_S, Gl::CLAMP_TO_EDGE),
            (Gl::TEXTURE_WRAP_T, Gl::CLAMP_TO_EDGE),
        ] {
            gl.tex_parameteri(Gl::TEXTURE_2D, what, how as i32);
        }
        gl.pixel_storei(Gl::UNPACK_ALIGNMENT, 1);
        Some(Self {
            desk,
            family,
            glyphs: HashMap::new(),
            plain: HashMap::new(),
            shelf: (0, 0, 0),
            signs: Default::default(),
            signs_scale: 0.0,
            font: None,
            plate: None,
        })
    }

    /// Where the signs are on the sheet, from 0 to 1, drawn for about so many device pixels a unit.
    pub fn signs(&mut self, gl: &Gl, scale: f32) -> &[[f32; 4]; SIGNS.len()] {
        // Steps of a half: never enlarged by more than a fifth.
        let step = (2.0f32).powf(((scale.clamp(0.3, 8.0).log2() + 0.25) * 2.0).round() / 2.0);
        if (step - self.signs_scale).abs() > 0.01 {
            self.draw_signs(gl, step);
        }
        &self.signs
    }

    fn draw_signs(&mut self, gl: &Gl, scale: f32) {
        self.signs_scale = scale;
        let (width, height) = ((CELL.0 * scale).ceil(), (CELL.1 * scale).ceil());
        for (index, sign) in SIGNS.iter().enumerate() {
            let Some((x, y)) = self.room(gl, width as u32 + 2, height as u32 + 2) else {
                return;
            };
            let desk = &self.desk;
            desk.clear_rect(0.0, 0.0, f64::from(width) + 2.0, f64::from(height) + 2.0);
            desk.save();
            let (middle_x, middle_y) = (width / 2.0 + 1.0, height / 2.0 + 1.0);
            let _ = desk.translate(middle_x.into(), middle_y.into());
            let _ = desk.scale((width / CELL.0).into(), (height / CELL.1).into());
            desk.set_line_cap("round");
            desk.set_line_join("round");
            desk.set_line_width(sign.stroke.into());
            if let Ok(path) = Path2d::new_with_path_string(sign.path) {
                desk.stroke_with_path(&path);
            }
            desk.restore();
            let letter = self.read(width as u32 + 2, height as u32 + 2);
            let cover: Vec<u8> = letter.iter().flat_map(|&alpha| [alpha, 0]).collect();
            Self::put(gl, (x, y), (width as u32 + 2, height as u32 + 2), &cover);
            let sheet = SHEET as f32;
            self.signs[index] = [
                (x as f32 + 1.0) / sheet,
                (y as f32 + 1.0) / sheet,
                width / sheet,
                height / sheet,
            ];
        }
        self.font = None;
    }

    /// A ground of this size behind text, as large as there is one.
    pub fn plate(&mut self, gl: &Gl, width: u16, height: u16) -> Glyph {
        let plate = self.plate.unwrap_or_else(|| {
            let (wide, high) = PLATE;
            let Some((x, y)) = self.room(gl, wide, high) else {
                return Glyph::default();
            };
            let cover = [0, 255].repeat((wide * high) as usize);
            Self::put(gl, (x, y), (wide, high), &cover);
            Glyph {
                x: x as u16,
                y: y as u16,
                width: wide as u16,
                height: high as u16,
                ..Glyph::default()
            }
        });
        self.plate = Some(plate);
        Glyph {
            width: width.min(plate.width),
            height: height.min(plate.height),
            ..plate
        }
    }

    /// The glyphs of `text`, in order.
    pub fn glyphs(&mut self, gl: &Gl, text: &str, font: Font, mut each: impl FnMut(Glyph)) {
        if text.is_ascii() {
            for byte in text.bytes().map(|byte| byte & 127) {
                let known = self
                    .plain
                    .entry(font)
                    .or_insert_with(|| Box::new([None; 128]))[byte as usize];
                let glyph = known.unwrap_or_else(|| {
                    let glyph = self.draw(gl, char::from(byte).encode_utf8(&mut [0; 4]), font);
                    if let Some(plain) = self.plain.get_mut(&font) {
                        plain[byte as usize] = Some(glyph);
                    }
                    glyph
                });
                each(glyph);
            }
        } else if text.chars().all(stands_alone) {
            for letter in text.chars() {
                each(self.kept(gl, letter.encode_utf8(&mut [0; 4]), font));
            }
        } else {
            each(self.kept(gl, text, font));
        }
    }

    fn kept(&mut self, gl: &Gl, text: &str, font: Font) -> Glyph {
        // Looking up must not allocate, so the key is made only for what is new.
        let key = (font, Box::from(text));
        if let Some(glyph) = self.glyphs.get(&key) {
            return *glyph;
        }
        let glyph = self.draw(gl, text, font);
        self.glyphs.insert(key, glyph);
        glyph
    }

    /// Draws a letter and puts it on the sheet. An empty one if there is no room at all.
    fn draw(&mut self, gl: &Gl, text: &str, font: Font) -> Glyph {
        if self.font != Some(font) {
            let weight = if font.bold { 650 } else { 500 };
            self.desk
                .set_font(&format!("{weight} {}px {}", font.size, self.family));
            self.font = Some(font);
        }
        let size = f32::from(font.size);
        let halo = (size * 0.28).max(2.0);
        let margin = (halo / 2.0).ceil() + 1.0;
        let advance = self
            .desk
            .measure_text(text)
            .map_or(size * 0.6, |metrics| metrics.width() as f32);
        let width = ((advance + 2.0 * margin).ceil() as u32 + 1).min(DESK);
        let height = ((size * 1.34 + 2.0 * margin).ceil() as u32).min(DESK / 2);
        let Some((x, y)) = self.room(gl, width, height) else {
            return Glyph::default();
        };
        let (left, base) = (f64::from(margin), f64::from(margin + size * 1.02).round());
        let desk = &self.desk;
        desk.clear_rect(0.0, 0.0, width.into(), height.into());
        let _ = desk.fill_text(text, left, base);
        let letter = self.read(width, height);
        desk.set_line_width(halo.into());
        desk.set_line_join("round");
        let _ = desk.stroke_text(text, left, base);
        let around = self.read(width, height);
        let cover: Vec<u8> = letter
            .iter()
            .zip(&around)
            .flat_map(|(&letter, &around)| [letter, around])
            .collect();
        Self::put(gl, (x, y), (width, height), &cover);
        Glyph {
            x: x as u16,
            y: y as u16,
            width: width as u16,
            height: height as u16,
            advance,
            margin: margin as u16,
        }
    }

    /// The opacity of each pixel on the desk.
    fn read(&self, width: u32, height: u32) -> Vec<u8> {
        let image = self
            .desk
            .get_image_data(0.0, 0.0, width.into(), height.into());
        match image {
            Ok(image) => image.data().0.chunks_exact(4).map(|p| p[3]).collect(),
            Err(_) => vec![0; (width * height) as usize],
        }
    }

    fn put(gl: &Gl, at: (u32, u32), size: (u32, u32), cover: &[u8]) {
        let _ = gl.tex_sub_image_2d_with_i32_and_i32_and_u32_and_type_and_opt_u8_array(
            Gl::TEXTURE_2D,
            0,
            at.0 as i32,
            at.1 as i32,
            size.0 as i32,
            size.1 as i32,
            Gl::RG,
            Gl::UNSIGNED_BYTE,
            Some(cover),
        );
    }

    /// Room on the sheet. A full sheet is wiped: what is shown is drawn again as it is met.
    fn room(&mut self, gl: &Gl, width: u32, height: u32) -> Option<(u32, u32)> {
        if width > SHEET || height > SHEET {
            return None;
        }
        let (mut x, mut y, mut high) = self.shelf;
        if x + width > SHEET {
            (x, y, high) = (0, y + high, 0);
        }
        if y + height > SHEET {
            self.glyphs.clear();
            self.plain.clear();
            self.plate = None;
            (x, y, high) = (0, 0, 0);
            self.shelf = (0, 0, 0);
            if self.signs_scale > 0.0 {
                self.draw_signs(gl, self.signs_scale);
                (x, y, high) = self.shelf;
            }
        }
        self.shelf = (x + width, y, high.max(height));
        Some((x, y))
    }
}

/// Whether a letter looks the same whatever stands beside it: Latin, Greek, Cyrillic, and the
/// scripts of East Asia.
fn stands_alone(letter: char) -> bool {
    matches!(u32::from(letter),
        0x20..=0x2ff | 0x370..=0x482 | 0x48a..=0x52f | 0x1e00..=0x1fff | 0x2010..=0x205e
        | 0x2190..=0x25ff | 0x3000..=0x3029 | 0x3030..=0x3098 | 0x309b..=0x9fff | 0xac00..=0xd7a3)
}
