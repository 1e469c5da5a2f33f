//! What a query comes to: how much it matches, or what is wrong with it.

use crate::format::count;
use graph::{
    Diagram, Thing,
    query::{Numbers, Query},
};

/// A sentence, and whether it tells of a mistake. Empty without a query, and while there is
/// nothing to ask.
pub fn verdict(diagram: Option<&Diagram>, numbers: &dyn Numbers, text: &str) -> (String, bool) {
    let query = match Query::parse(text) {
        Ok(query) => query,
        Err(error) => return (error.to_string(), true),
    };
    let Some(diagram) = diagram.filter(|_| !query.is_empty()) else {
        return (String::new(), false);
    };
    let (mut places, mut links) = (0, 0);
    for thing in query.on(diagram, numbers).all() {
        match thing {
            Thing::Edge(_) => links += 1,
            _ => places += 1,
        }
    }
    let (of_places, of_links) = (
        count(places, "thing", "things"),
        count(links, "link", "links"),
    );
    let sentence = match (places, links) {
        (0, 0) => "Nothing matches.".to_owned(),
        (1, 0) => format!("{of_places} matches."),
        (0, 1) => format!("{of_links} matches."),
        (_, 0) => format!("{of_places} match."),
        (0, _) => format!("{of_links} match."),
        _ => format!("{of_places} and {of_links} match."),
    };
    (sentence, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::{Edge, Node};

    #[test]
    fn a_sentence_for_every_outcome() {
        let diagram = Diagram {
            nodes: vec![Node::default(), Node::default()],
            edges: vec![Edge::default()],
            ..Diagram::default()
        };
        let said = |text: &str| verdict(Some(&diagram), &(), text).0;
        assert_eq!(said(""), "");
        assert_eq!(said("kind:router"), "2 things match.");
        assert_eq!(said("kind:link"), "1 link matches.");
        assert_eq!(
            said("kind:router or kind:link"),
            "2 things and 1 link match."
        );
        assert_eq!(said("kind:host"), "Nothing matches.");
        let (sentence, wrong) = verdict(None, &(), "kind:rooter");
        assert!(
            wrong && sentence.contains("did you mean router"),
            "{sentence}"
        );
        assert_eq!(verdict(None, &(), "kind:host").0, "");
    }
}
