//! The canvas and what is drawn on it.

use super::{
    atlas::{Atlas, Font, Glyph, SHEET},
    instances::{self, BOX, EDGE, NODE},
    labels::Labels,
    look::Look,
    theme::{Theme, css, font_of, packed},
};
use graph::{Diagram, PIECES, Point, Rect, Scene, Thing, svg::SIGNS};
use wasm_bindgen::JsCast;
use web_sys::{
    HtmlCanvasElement, WebGl2RenderingContext as Gl, WebGlBuffer, WebGlProgram,
    WebGlUniformLocation, WebGlVertexArrayObject,
};

/// What is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::topology_view) struct View {
    /// The scene's point in the middle of the frame.
    pub center: Point,
    /// CSS pixels a unit.
    pub scale: f32,
    /// Where the middle of the frame is on the canvas, in CSS pixels.
    pub middle: Point,
}

impl View {
    /// Where a point of the scene is on the canvas, in CSS pixels.
    pub fn on_canvas(&self, point: Point) -> Point {
        Point {
            x: (point.x - self.center.x) * self.scale + self.middle.x,
            y: (point.y - self.center.y) * self.scale + self.middle.y,
        }
    }
}

/// Draws on one canvas.
pub(in crate::topology_view) struct Renderer {
    canvas: HtmlCanvasElement,
    gl: Gl,
    /// What lives in the graphics processor; `None` while the context is lost.
    device: Option<Device>,
    theme: Theme,
    /// CSS pixels.
    size: (f32, f32),
    /// Device pixels a CSS pixel.
    ratio: f32,
    /// The canvas has the size of a file.
    is_for_file: bool,
    labels: Labels,
    text: Vec<Letter>,
    /// The letters of one label: where, from its left end, and which.
    line: Vec<(f32, Glyph)>,
    /// How far the dashes of what is moved have run, in units.
    flow: f32,
}

struct Device {
    edges: Program,
    shapes: Program,
    letters: Program,
    /// One vertex array a layer of lines, all over one buffer.
    lines: Batch,
    layers: [(WebGlVertexArrayObject, usize); 4],
    /// Where each edge of the scene is among the lines.
    slots: Vec<u32>,
    nodes: Batch,
    boxes: Batch,
    text: Batch,
    atlas: Atlas,
    /// Where the program of shapes looks for signs.
    signs: [[f32; 4]; SIGNS.len()],
}

/// A buffer of instances.
struct Batch {
    array: WebGlVertexArrayObject,
    buffer: WebGlBuffer,
    count: usize,
}

struct Program {
    program: WebGlProgram,
    places: Vec<(String, WebGlUniformLocation)>,
}

/// An attribute: where, how many of what, whether as whole numbers.
type Attribute = (u32, i32, u32, bool);

const EDGE_LAYOUT: [Attribute; 6] = [
    (0, 4, Gl::FLOAT, false),
    (1, 4, Gl::FLOAT, false),
    (2, 1, Gl::FLOAT, false),
    (3, 4, Gl::UNSIGNED_BYTE, false),
    (4, 4, Gl::UNSIGNED_BYTE, false),
    (5, 1, Gl::UNSIGNED_INT, true),
];
const SHAPE_LAYOUT: [Attribute; 4] = [
    (0, 4, Gl::FLOAT, false),
    (1, 1, Gl::UNSIGNED_INT, true),
    (2, 4, Gl::UNSIGNED_BYTE, false),
    (3, 1, Gl::FLOAT, false),
];
const TEXT_LAYOUT: [Attribute; 4] = [
    (0, 2, Gl::FLOAT, false),
    (1, 2, Gl::UNSIGNED_SHORT, true),
    (2, 2, Gl::UNSIGNED_SHORT, true),
    (3, 4, Gl::UNSIGNED_BYTE, false),
];
/// Words of a letter.
const LETTER: usize = 5;
/// A letter as the graphics processor reads it.
type Letter = [u8; LETTER * 4];

impl Renderer {
    /// A renderer upon `canvas`; `None` where the browser has no WebGL 2.
    pub fn new(canvas: HtmlCanvasElement) -> Option<Self> {
        let options = js_sys::Object::new();
        for (name, value) in [("antialias", false), ("depth", false), ("stencil", false)] {
            let _ = js_sys::Reflect::set(&options, &name.into(), &value.into());
        }
        let gl: Gl = canvas
            .get_context_with_context_options("webgl2", &options)
            .ok()??
            .dyn_into()
            .ok()?;
        let device = Device::new(&gl, font_of(&canvas))?;
        let theme = Theme::at(&canvas);
        device.paint(&gl, &theme);
        Some(Self {
            canvas,
            gl,
            device: Some(device),
            theme,
            size: (0.0, 0.0),
            ratio: 0.0,
            is_for_file: false,
            labels: Labels::default(),
            text: Vec::new(),
            line: Vec::new(),
            flow: 0.0,
        })
    }

    /// Forgets what was in the graphics processor: the browser took it away.
    pub fn lose(&mut self) {
        self.device = None;
    }

    /// Sets everything up again. What was shown has to be given anew.
    pub fn restore(&mut self) {
        self.device = Device::new(&self.gl, font_of(&self.canvas));
        self.change_theme();
    }

    /// Says how far the dashes of what is moved have run, in units.
    pub fn flow(&mut self, units: f32) {
        self.flow = units;
    }

    /// Reads the colours anew.
    pub fn change_theme(&mut self) {
        self.theme = Theme::at(&self.canvas);
        if let Some(device) = &self.device {
            device.paint(&self.gl, &self.theme);
        }
    }

    /// Makes the picture so large, in CSS pixels of `ratio` device pixels each.
    ///
    /// A canvas of another size is a new one to the browser, which waits until all is drawn that was
    /// asked for: so the canvas stays as it is where it is a little too large, and what is beyond the
    /// picture's size is not seen.
    pub fn resize(&mut self, width: f32, height: f32, ratio: f32) {
        let [wanted, has] = [
            [width, height].map(|v| (v * ratio).round().max(1.0)),
            [self.canvas.width() as f32, self.canvas.height() as f32],
        ];
        let is_enough = wanted[0] <= has[0]
            && wanted[1] <= has[1]
            && wanted[0] * wanted[1] > 0.4 * has[0] * has[1];
        let was = self.ratio;
        self.size = (width, height);
        self.ratio = ratio;
        let is_same = (ratio - was).abs() < 1e-6;
        if is_enough && is_same && !std::mem::take(&mut self.is_for_file) {
            return;
        }
        let [width, height] = wanted;
        self.canvas.set_width(width as u32);
        self.canvas.set_height(height as u32);
        let style = self.canvas.style();
        for (name, value) in [("width", width / ratio), ("height", height / ratio)] {
            let _ = style.set_property(name, &format!("{value}px"));
        }
    }

    /// Makes the canvas just so large, for a file; [`Self::resize`] gives it back.
    pub fn resize_for_file(&mut self, width: f32, height: f32, ratio: f32) {
        self.canvas
            .set_width((width * ratio).round().max(1.0) as u32);
        self.canvas
            .set_height((height * ratio).round().max(1.0) as u32);
        self.size = (width, height);
        self.ratio = ratio;
        self.is_for_file = true;
    }

    /// Takes the scene over: shapes, lines and labels.
    pub fn take(&mut self, diagram: &Diagram, scene: &Scene, look: &Look) {
        self.labels = Labels::new(diagram, scene, look);
        self.take_shapes(diagram, scene, look);
    }

    /// Takes shapes and lines over, and leaves the labels: they moved or look otherwise.
    pub fn take_shapes(&mut self, diagram: &Diagram, scene: &Scene, look: &Look) {
        let Some(device) = &mut self.device else {
            return;
        };
        let gl = &self.gl;
        let theme = &self.theme;
        let lines = instances::lines(scene, look, theme.line_colours());
        device.lines.fill(gl, &lines.words, EDGE);
        let mut first = 0;
        for ((array, count), own) in device.layers.iter_mut().zip(lines.counts) {
            layout(gl, array, &device.lines.buffer, &EDGE_LAYOUT, EDGE, first);
            *count = own;
            first += own;
        }
        let nodes = instances::nodes(diagram, scene, look);
        device.nodes.fill(gl, &nodes, NODE);
        let boxes = instances::boxes(diagram, scene, look);
        device.boxes.fill(gl, &boxes, BOX);
        device.clear_lines(gl, theme);
        device.slots = lines.slots;
    }

    /// Draws one thing otherwise: its mark changed.
    pub fn change(&self, diagram: &Diagram, scene: &Scene, look: &Look, thing: Thing) {
        let Some(device) = &self.device else {
            return;
        };
        let gl = &self.gl;
        match thing {
            Thing::Node(index) => {
                if let Some(at) = scene.node_at(index) {
                    let words = instances::node(diagram, &scene.nodes[at], look);
                    device.nodes.change(gl, at, &words);
                }
            }
            Thing::Group(index) => {
                if let Some(at) = scene.group_at(index) {
                    let words = instances::group(diagram, &scene.boxes[at], look);
                    device.boxes.change(gl, at, &words);
                }
            }
            Thing::Edge(index) => {
                if let Some(at) = scene.edge_at(index)
                    && let Some(slot) = device.slots.get(at)
                {
                    let colours = self.theme.line_colours();
                    let words = instances::line(&scene.edges[at], look, colours);
                    device.lines.change(gl, *slot as usize, &words);
                }
            }
        }
    }

    /// Whether it is light on dark.
    pub fn is_dark(&self) -> bool {
        let [r, g, b, _] = self.theme.ground;
        r + g + b < 1.5
    }

    /// Colours for boxes and nodes on a small map, as CSS has them.
    pub fn minimap_colours(&self) -> [String; 2] {
        [self.theme.faint, self.theme.soft].map(css)
    }

    /// Draws a frame; the page shows through.
    pub fn draw(&mut self, view: View, look: &Look) {
        self.draw_over([0.0; 4], view, look);
    }

    /// Draws a frame on the theme's ground: for a file.
    pub fn draw_on_ground(&mut self, view: View, look: &Look) {
        self.draw_over(self.theme.ground, view, look);
    }

    fn draw_over(&mut self, ground: [f32; 4], view: View, look: &Look) {
        let Some(device) = &mut self.device else {
            return;
        };
        let (gl, ratio) = (&self.gl, self.ratio);
        let (width, height) = (self.canvas.width(), self.canvas.height());
        gl.viewport(0, 0, width as i32, height as i32);
        let [wide, high] = [self.size.0, self.size.1].map(|v| (v * ratio).round() as i32);
        gl.scissor(0, height as i32 - high, wide, high);
        let [r, g, b, a] = ground;
        gl.clear_color(r, g, b, a);
        gl.clear(Gl::COLOR_BUFFER_BIT);
        let camera = [
            view.center.x,
            view.center.y,
            view.scale * ratio,
            ratio,
            width as f32,
            height as f32,
            view.middle.x * ratio,
            view.middle.y * ratio,
        ];
        device.show_signs(gl, view.scale * ratio);

        device.edges.enter(gl, &camera);
        device.edges.float(gl, "uFlow", self.flow);
        device.edges.float(gl, "uFaintest", device.faintest());
        device.draw_lines(gl, [0, 1]);

        let shapes = &device.shapes;
        if device.boxes.count > 0 {
            shapes.enter(gl, &camera);
            shapes.float(gl, "uCorner", 1.0);
            shapes.float(gl, "uAround", 10.0);
            shapes.float(gl, "uLeast", 2.0 * ratio);
            device.boxes.draw(gl, 4);
            device.edges.enter(gl, &camera);
        }
        device.draw_lines(gl, [2, 3]);

        shapes.enter(gl, &camera);
        shapes.float(gl, "uCorner", 0.0);
        shapes.float(gl, "uAround", 9.0);
        shapes.float(gl, "uLeast", 1.6 * ratio);
        device.nodes.draw(gl, 4);

        self.draw_text(view, look, &camera);
    }

    fn draw_text(&mut self, view: View, look: &Look, camera: &[f32; 8]) {
        let Some(device) = &mut self.device else {
            return;
        };
        let (gl, theme, ratio) = (&self.gl, &self.theme, self.ratio);
        let screen = Rect {
            x: 0.0,
            y: 0.0,
            width: self.size.0,
            height: self.size.1,
        };
        let (letters, line) = (&mut self.text, &mut self.line);
        letters.clear();
        let inks = [theme.ink, theme.soft].map(packed);
        let atlas = &mut device.atlas;
        let project = |point| view.on_canvas(point);
        self.labels
            .write(view.scale, screen, look, project, |label| {
                let font = Font {
                    size: (label.size * ratio).round() as u16,
                    bold: label.bold,
                };
                let colour = inks[usize::from(label.soft)];
                let colour = if label.dim {
                    (colour & 0x00ff_ffff) | 0x3800_0000
                } else {
                    colour
                };
                let top = (label.at.y * ratio).round();
                if label.on_line {
                    let (left, wide) = (label.at.x * ratio, label.width * ratio);
                    let high = (label.size * 1.34 * ratio) as u16;
                    let plate = atlas.plate(gl, wide as u16, high);
                    letters.push(letter((left.round(), top), plate, colour));
                }
                line.clear();
                let mut x = 0.0f32;
                atlas.glyphs(gl, label.text, font, |glyph| {
                    line.push((x, glyph));
                    x += glyph.advance;
                });
                // The room was estimated; the letters know.
                let spare = if label.centred {
                    label.width * ratio - x
                } else {
                    0.0
                };
                let left = label.at.x * ratio + spare / 2.0;
                for (x, glyph) in line.drain(..) {
                    let margin = f32::from(glyph.margin);
                    let at = ((left + x - margin).round(), top - margin);
                    letters.push(letter(at, glyph, colour));
                }
            });
        if letters.is_empty() {
            return;
        }
        device.text.fill_bytes(gl, letters);
        let letters = &device.letters;
        letters.enter(gl, camera);
        for halo in [1.0, 0.0] {
            letters.float(gl, "uHalo", halo);
            device.text.draw(gl, 4);
        }
    }
}

/// The bytes of one letter, whose upper left corner is at `at`.
fn letter(at: (f32, f32), glyph: Glyph, colour: u32) -> Letter {
    let mut bytes = [0; LETTER * 4];
    let words = [
        at.0.to_bits(),
        at.1.to_bits(),
        u32::from(glyph.width) | u32::from(glyph.height) << 16,
        u32::from(glyph.x) | u32::from(glyph.y) << 16,
        colour,
    ];
    for (bytes, word) in bytes.chunks_exact_mut(4).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

impl Device {
    fn new(gl: &Gl, family: String) -> Option<Self> {
        macro_rules! source {
            ($name:literal) => {
                concat!(include_str!("shaders/common.glsl"), include_str!($name))
            };
        }
        macro_rules! fragment {
            ($name:literal) => {
                concat!(
                    "#version 300 es\nprecision highp float;\nprecision highp int;\nuniform vec4 uView;\n",
                    include_str!($name)
                )
            };
        }
        // All are compiled before one is waited for.
        let [edges, shapes, letters] = [
            (source!("shaders/edge.vert"), fragment!("shaders/edge.frag")),
            (
                source!("shaders/shape.vert"),
                fragment!("shaders/shape.frag"),
            ),
            (source!("shaders/text.vert"), fragment!("shaders/text.frag")),
        ]
        .map(|(vertex, fragment)| Program::linked(gl, vertex, fragment));
        let lines = Batch::new(gl, &EDGE_LAYOUT, EDGE)?;
        let layer = || Some((gl.create_vertex_array()?, 0));
        gl.enable(Gl::SCISSOR_TEST);
        gl.enable(Gl::BLEND);
        gl.blend_func(Gl::ONE, Gl::ONE_MINUS_SRC_ALPHA);
        let atlas = Atlas::new(gl, family)?;
        Some(Self {
            edges: Program::new(gl, edges?)?,
            shapes: Program::new(gl, shapes?)?,
            letters: Program::new(gl, letters?)?,
            lines,
            layers: [layer()?, layer()?, layer()?, layer()?],
            slots: Vec::new(),
            nodes: Batch::new(gl, &SHAPE_LAYOUT[..3], NODE)?,
            boxes: Batch::new(gl, &SHAPE_LAYOUT, BOX)?,
            text: Batch::new(gl, &TEXT_LAYOUT, LETTER)?,
            atlas,
            signs: Default::default(),
        })
    }

    /// Gives the programs what stays from frame to frame.
    fn paint(&self, gl: &Gl, theme: &Theme) {
        self.edges.choose(gl);
        self.edges.vec4(gl, "uFocus", theme.focus);
        self.clear_lines(gl, theme);
        let shapes = &self.shapes;
        shapes.choose(gl);
        for (name, colour) in [
            ("uGround", theme.ground),
            ("uBox", theme.boxes),
            ("uInk", theme.ink),
            ("uSoft", theme.soft),
            ("uFaint", theme.faint),
            ("uTap", theme.tap),
            ("uFocus", theme.focus),
            ("uOnBadge", theme.on_badge),
            ("uShade", theme.shade),
        ] {
            shapes.vec4(gl, name, colour);
        }
        shapes.vec4s(gl, "uStates", theme.states.as_flattened());
        let letters = &self.letters;
        letters.choose(gl);
        letters.vec4(gl, "uGround", theme.ground);
        letters.vec2(gl, "uSheet", [SHEET as f32; 2]);
    }

    /// Says what lines are cleared with: most run over boxes where there are any.
    fn clear_lines(&self, gl: &Gl, theme: &Theme) {
        let ground = if self.boxes.count > 0 {
            theme.boxes
        } else {
            theme.ground
        };
        self.edges.choose(gl);
        self.edges.vec4(gl, "uGround", ground);
    }

    /// Has the signs drawn for about so many device pixels a unit.
    fn show_signs(&mut self, gl: &Gl, scale: f32) {
        let known = self.signs;
        let signs = self.atlas.signs(gl, scale);
        if known != *signs {
            self.signs = *signs;
            self.shapes.choose(gl);
            self.shapes.vec4s(gl, "uSigns", self.signs.as_flattened());
        }
    }

    /// How little of a line is left that is thinner than a pixel. A single one is to be seen; many
    /// lie above each other, and of ever more each has to be fainter, or they become one area.
    fn faintest(&self) -> f32 {
        /// So many do not hide each other.
        const FEW: f32 = 20_000.0;
        /// What eight bits a colour still tell from nothing.
        const LEAST: f32 = 0.02;
        let lines: usize = self.layers.iter().map(|(_, count)| count).sum();
        (0.14 * FEW / (lines as f32).max(FEW)).max(LEAST)
    }

    /// Draws two layers of lines: a straight and a bent one.
    fn draw_lines(&self, gl: &Gl, which: [usize; 2]) {
        for (layer, pieces) in which.into_iter().zip([1, PIECES]) {
            let (array, count) = &self.layers[layer];
            if *count > 0 {
                self.edges.float(gl, "uPieces", pieces as f32);
                gl.bind_vertex_array(Some(array));
                let corners = (pieces as i32 + 1) * 2;
                gl.draw_arrays_instanced(Gl::TRIANGLE_STRIP, 0, corners, *count as i32);
            }
        }
    }
}

impl Batch {
    fn new(gl: &Gl, attributes: &[Attribute], words: usize) -> Option<Self> {
        let (array, buffer) = (gl.create_vertex_array()?, gl.create_buffer()?);
        layout(gl, &array, &buffer, attributes, words, 0);
        Some(Self {
            array,
            buffer,
            count: 0,
        })
    }

    fn fill(&mut self, gl: &Gl, words: &[u32], each: usize) {
        self.count = words.len() / each;
        gl.bind_buffer(Gl::ARRAY_BUFFER, Some(&self.buffer));
        let words = js_sys::Uint32Array::from(words);
        gl.buffer_data_with_array_buffer_view(Gl::ARRAY_BUFFER, &words, Gl::DYNAMIC_DRAW);
    }

    fn fill_bytes(&mut self, gl: &Gl, each: &[Letter]) {
        self.count = each.len();
        gl.bind_buffer(Gl::ARRAY_BUFFER, Some(&self.buffer));
        gl.buffer_data_with_u8_array(Gl::ARRAY_BUFFER, each.as_flattened(), Gl::STREAM_DRAW);
    }

    fn change(&self, gl: &Gl, at: usize, words: &[u32]) {
        if at < self.count {
            gl.bind_buffer(Gl::ARRAY_BUFFER, Some(&self.buffer));
            let offset = at * words.len() * 4;
            let words = js_sys::Uint32Array::from(words);
            gl.buffer_sub_data_with_i32_and_array_buffer_view(
                Gl::ARRAY_BUFFER,
                offset as i32,
                &words,
            );
        }
    }

    fn draw(&self, gl: &Gl, corners: i32) {
        if self.count > 0 {
            gl.bind_vertex_array(Some(&self.array));
            gl.draw_arrays_instanced(Gl::TRIANGLE_STRIP, 0, corners, self.count as i32);
        }
    }
}

/// Says how instances lie in `buffer`, from instance `first` on.
fn layout(
    gl: &Gl,
    array: &WebGlVertexArrayObject,
    buffer: &WebGlBuffer,
    attributes: &[Attribute],
    words: usize,
    first: usize,
) {
    gl.bind_vertex_array(Some(array));
    gl.bind_buffer(Gl::ARRAY_BUFFER, Some(buffer));
    let stride = words as i32 * 4;
    let mut offset = first as i32 * stride;
    for &(place, count, kind, whole) in attributes {
        gl.enable_vertex_attrib_array(place);
        if whole {
            gl.vertex_attrib_i_pointer_with_i32(place, count, kind, stride, offset);
        } else {
            let normalized = kind == Gl::UNSIGNED_BYTE;
            gl.vertex_attrib_pointer_with_i32(place, count, kind, normalized, stride, offset);
        }
        gl.vertex_attrib_divisor(place, 1);
        offset += count
            * match kind {
                Gl::UNSIGNED_BYTE => 1,
                Gl::UNSIGNED_SHORT => 2,
                _ => 4,
            };
    }
    gl.bind_vertex_array(None);
}

impl Program {
    /// Sets compiling and linking off.
    fn linked(gl: &Gl, vertex: &str, fragment: &str) -> Option<WebGlProgram> {
        let program = gl.create_program()?;
        for (kind, source) in [(Gl::VERTEX_SHADER, vertex), (Gl::FRAGMENT_SHADER, fragment)] {
            let shader = gl.create_shader(kind)?;
            gl.shader_source(&shader, source);
            gl.compile_shader(&shader);
            gl.attach_shader(&program, &shader);
            if cfg!(debug_assertions)
                && let Some(log) = gl
                    .get_shader_info_log(&shader)
                    .filter(|log| !log.is_empty())
            {
                leptos::logging::warn!("{log}");
            }
        }
        gl.link_program(&program);
        Some(program)
    }

    /// Waits until it is linked. `None` where that failed.
    fn new(gl: &Gl, program: WebGlProgram) -> Option<Self> {
        if gl.get_program_parameter(&program, Gl::LINK_STATUS) != true {
            // A browser's fault or ours: the SVG stays.
            let log = gl.get_program_info_log(&program).unwrap_or_default();
            leptos::logging::warn!("the graphics processor refuses a program: {log}");
            return None;
        }
        let count = gl
            .get_program_parameter(&program, Gl::ACTIVE_UNIFORMS)
            .as_f64()
            .unwrap_or_default() as u32;
        let places = (0..count)
            .filter_map(|index| {
                let name = gl.get_active_uniform(&program, index)?.name();
                let place = gl.get_uniform_location(&program, &name)?;
                // An array goes by the name of its first.
                Some((name.trim_end_matches("[0]").to_owned(), place))
            })
            .collect();
        Some(Self { program, places })
    }

    fn place(&self, name: &str) -> Option<&WebGlUniformLocation> {
        self.places
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, place)| place)
    }

    fn choose(&self, gl: &Gl) {
        gl.use_program(Some(&self.program));
    }

    fn enter(&self, gl: &Gl, camera: &[f32; 8]) {
        self.choose(gl);
        let [x, y, scale, ratio, width, height, middle_x, middle_y] = *camera;
        self.vec4(gl, "uView", [x, y, scale, ratio]);
        self.vec4(gl, "uScreen", [width, height, middle_x, middle_y]);
    }

    fn float(&self, gl: &Gl, name: &str, value: f32) {
        gl.uniform1f(self.place(name), value);
    }

    fn vec2(&self, gl: &Gl, name: &str, [x, y]: [f32; 2]) {
        gl.uniform2f(self.place(name), x, y);
    }

    fn vec4(&self, gl: &Gl, name: &str, [x, y, z, w]: [f32; 4]) {
        gl.uniform4f(self.place(name), x, y, z, w);
    }

    fn vec4s(&self, gl: &Gl, name: &str, values: &[f32]) {
        gl.uniform4fv_with_f32_array(self.place(name), values);
    }
}

impl std::fmt::Debug for Renderer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renderer").finish_non_exhaustive()
    }
}
