//! The form, as text. Each control has a `name`, each button a `value`; the part
//! [`choice`](super::choice) says what they mean.

use super::super::options::{Colouring, Format};
use crate::format::escape_html;
use graph::Layout;
use graph::query::KEYS;
use std::fmt::Write as _;

/// How far one may look around something.
const MOST_HOPS: u8 = 4;

/// All of it, as it is when nothing is chosen.
pub fn html() -> String {
    let mut html = String::from(
        "<summary><svg viewBox=\"0 0 20 20\" aria-hidden=\"true\"><path d=\"M2 5h7.2a2.5 2.5 0 0 1 \
         4.8 0h4v1.6h-4a2.5 2.5 0 0 1-4.8 0H2ZM2 13.4h3.2a2.5 2.5 0 0 1 4.8 0h8V15h-8a2.5 2.5 0 0 \
         1-4.8 0H2Z\"/></svg><span class=\"word\">Options</span><span class=\"narrowed\" \
         hidden>not everything is shown</span></summary><div class=\"options-body\">",
    );
    section(&mut html, "Look");
    let layouts = (0..).zip(Layout::ALL.map(layout));
    select(&mut html, "layout", "Arrange", &options(layouts));
    let colours = (0..).zip(Colouring::ALL.map(colouring));
    select(&mut html, "colour", "Colour by", &options(colours));
    tick(&mut html, "weathermap", "Links by their load (weathermap)");
    tick(&mut html, "boxes", "Boxes around networks");
    tick(&mut html, "minimap", "Small map");
    html.push_str("</fieldset>");

    section(&mut html, "Find one's way");
    text(&mut html, "filter", "Show only", "kind:router tag:core");
    text(
        &mut html,
        "highlight",
        "Highlight",
        "state:down or load&gt;80",
    );
    html.push_str(
        "<details class=\"help\"><summary>What can be asked?</summary><p>Words are found in names, \
         addresses, tags and networks; side by side, all must be there. <code>or</code>, \
         <code>not</code> and parentheses put them together. What has blanks goes in \
         quotes.</p><dl>",
    );
    for (_, meaning, example) in KEYS {
        let (example, meaning) = (escape_html(example), escape_html(meaning));
        let _ = write!(html, "<dt>{example}</dt><dd>{meaning}</dd>");
    }
    html.push_str("</dl></details></fieldset>");

    section(&mut html, "Part");
    select(&mut html, "network", "Network", &networks(&[]));
    let mut hops = "<option value=0>Everything</option>".to_owned();
    for count in 1..=MOST_HOPS {
        let words = crate::format::count(count.into(), "hop", "hops");
        let _ = write!(
            hops,
            "<option value={count}>Within {words} of the selected</option>"
        );
    }
    select(&mut html, "hops", "Around", &hops);
    html.push_str("<p class=\"outcome\" id=\"hops-verdict\"></p>");
    buttons(
        &mut html,
        &[
            ("hosts", "Fold hosts"),
            ("networks", "Fold networks"),
            ("unfold", "Unfold all"),
        ],
    );
    html.push_str("</fieldset>");

    section(&mut html, "Save as");
    let formats = Format::ALL.map(|format| {
        let (name, ending) = format.names();
        (ending, name)
    });
    buttons(&mut html, &formats);
    html.push_str("</fieldset>");
    buttons(
        &mut html,
        &[
            ("unpin", "Let go of what was put in place"),
            ("reset", "Reset all"),
        ],
    );
    html.push_str("</div>");
    html
}

/// The choices of a virtual network.
pub fn networks(names: &[&str]) -> String {
    let mut html = "<option value=\"\">All of them</option>".to_owned();
    for name in names {
        let name = escape_html(name);
        let _ = write!(html, "<option value=\"{name}\">{name}</option>");
    }
    html
}

fn section(html: &mut String, title: &str) {
    let _ = write!(html, "<fieldset><legend>{title}</legend>");
}

fn options(choices: impl Iterator<Item = (usize, &'static str)>) -> String {
    let mut html = String::new();
    for (value, words) in choices {
        let _ = write!(html, "<option value={value}>{words}</option>");
    }
    html
}

fn select(html: &mut String, name: &str, label: &str, options: &str) {
    let _ = write!(
        html,
        "<label class=\"control\"><span>{label}</span><select name={name}>{options}</select></label>"
    );
}

fn tick(html: &mut String, name: &str, label: &str) {
    let _ = write!(
        html,
        "<label class=\"control tick\"><input type=checkbox name={name}><span>{label}</span></label>"
    );
}

fn text(html: &mut String, name: &str, label: &str, example: &str) {
    let _ = write!(
        html,
        "<label class=\"control\"><span>{label}</span><input type=text class=mono name={name} \
         placeholder=\"{example}\" autocomplete=off autocapitalize=off spellcheck=false \
         aria-describedby={name}-verdict></label><p class=\"outcome\" id={name}-verdict \
         role=status></p>"
    );
}

fn buttons(html: &mut String, buttons: &[(&str, &str)]) {
    html.push_str("<div class=\"row\">");
    for (value, words) in buttons {
        let _ = write!(
            html,
            "<button type=button class=\"act small\" value={value}>{words}</button>"
        );
    }
    html.push_str("</div>");
}

/// What a layout is called.
fn layout(layout: Layout) -> &'static str {
    match layout {
        Layout::Containment => "Routers in their hosts",
        Layout::Stress => "By distance",
        Layout::Force => "By forces",
        Layout::Layered => "In layers",
        Layout::Circular => "In circles",
        Layout::Grid => "In a grid",
        Layout::Radial => "In rings",
    }
}

/// What a colouring shows.
fn colouring(colour: Colouring) -> &'static str {
    match colour {
        Colouring::State => "State",
        Colouring::Load => "Load",
        Colouring::Network => "Virtual network",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_has_a_label_and_names_stay_text() {
        let html = html();
        let controls = html.matches("<select").count() + html.matches("<input").count();
        assert_eq!(html.matches("<label").count(), controls);
        assert_eq!(
            html.matches("<label").count(),
            html.matches("</label>").count()
        );
        let networks = networks(&["<b>\"x\""]);
        assert!(
            networks.contains("value=\"&lt;b&gt;&quot;x&quot;\""),
            "{networks}"
        );
    }
}
