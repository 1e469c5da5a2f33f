//! The time that each step took.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// The steps done so far, with their times.
pub struct Stages {
    start: Instant,
    done: Vec<(&'static str, Duration)>,
}

impl Stages {
    /// Starts the clock.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            done: Vec::new(),
        }
    }

    /// Does one step; its error is told with the step's name.
    pub fn stage<T>(&mut self, name: &'static str, act: impl FnOnce() -> Result<T>) -> Result<T> {
        eprintln!("== {name}");
        let start = Instant::now();
        let result = act();
        self.done.push((name, start.elapsed()));
        if result.is_err() {
            self.print();
        }
        result.with_context(|| name.to_owned())
    }

    /// Prints the table of all steps.
    pub fn print(&self) {
        eprintln!();
        let total = ("total", self.start.elapsed());
        for (name, time) in self.done.iter().chain([&total]) {
            eprintln!("{name:<32}{:>8.1} s", time.as_secs_f32());
        }
        eprintln!();
    }
}
