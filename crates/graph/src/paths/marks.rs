//! From which of two ends each node was reached.

/// Small enough to stay in the processor's cache, and forgotten at once.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    /// A bit for each end, and above them the search that they are of.
    marks: Vec<u32>,
    round: u32,
}

impl Marks {
    pub fn new(nodes: u32) -> Self {
        Self {
            marks: vec![0; nodes as usize],
            round: 0,
        }
    }

    /// Forgets all.
    pub fn begin(&mut self) {
        self.round += 1;
        if self.round > u32::MAX >> 2 {
            self.marks.fill(0);
            self.round = 1;
        }
    }

    /// Whether a node was reached from each end.
    pub fn of(&self, node: u32) -> [bool; 2] {
        let mark = self.marks[node as usize];
        let now = mark >> 2 == self.round;
        [now && mark & 1 != 0, now && mark & 2 != 0]
    }

    pub fn set(&mut self, node: u32, side: usize) {
        let mark = &mut self.marks[node as usize];
        if *mark >> 2 != self.round {
            *mark = self.round << 2;
        }
        *mark |= 1 << side;
    }
}
