//! What the module offers to a script: numbers only, so that neither side needs to know the
//! other's memory.

use crate::graphs::Graph;
use crate::subject;
use graph::{Diagram, Layout, Point};
use std::cell::RefCell;

#[derive(Default)]
struct State {
    graph: Graph,
    diagram: Diagram,
    points: Vec<Point>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

macro_rules! export {
    ($(#[$doc:meta])* fn $name:ident($($argument:ident: $kind:ty),*) -> $result:ty, |$state:ident| $body:expr) => {
        $(#[$doc])*
        #[allow(unsafe_code, reason = "a name that a script can call; there is no other of it")]
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($($argument: $kind),*) -> $result {
            STATE.with_borrow_mut(|$state| $body)
        }
    };
}

export! {
    /// A line of the graph.
    fn edge(a: u32, b: u32) -> (), |state| {
        state.graph.edges.push((a, b));
        state.graph.nodes = state.graph.nodes.max(a + 1).max(b + 1);
    }
}
export! {
    /// Called when all lines are there.
    fn prepare() -> (), |state| state.diagram = subject::diagram(&state.graph)
}
export! {
    /// Stress alone.
    fn bare() -> (), |state| state.points = subject::bare(&state.graph)
}
export! {
    /// The layout at this index of `Layout::ALL`.
    fn whole(layout: u32) -> (), |state| {
        let layout = Layout::ALL.get(layout as usize).copied().unwrap_or_default();
        state.points = subject::whole(&state.diagram, layout);
    }
}
export! {
    /// Where a node is.
    fn x(node: u32) -> f32, |state| state.points.get(node as usize).map_or(0.0, |p| p.x)
}
export! {
    /// Where a node is.
    fn y(node: u32) -> f32, |state| state.points.get(node as usize).map_or(0.0, |p| p.y)
}
