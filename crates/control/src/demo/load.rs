//! A load for the demo fleet, made up: who sends how much to whom, and what that costs.
//!
//! Traffic is made of [flows](Flow), from one NIC of a segment to another. What a flow carries
//! counts as sent at one end and as received at the other, so the ends always agree, on a segment
//! of any size. Processor time follows the packets that a router handles.
//!
//! Every quantity is a [`Curve`], a pure function of the time whose *integral* is known in closed
//! form. A counter is that integral: it costs the same at any time, does not depend on how often
//! it is read, and goes on where it was when the program is started anew. What makes it a state
//! nonetheless is that routers stop: while a router, or either end of a flow, is not running, its
//! counters stand still.

mod curve;

use uuid::Uuid;

use self::curve::{Clock, Curve, scatter, unit};
use super::Fleet;
use super::description::{DISK, Segment, State};

/// When the counters began: the start of 2026, in milliseconds since the epoch. Any midnight
/// would do; a recent one keeps them small enough for who reads them as floating-point numbers.
const ORIGIN_MS: i64 = 1_767_225_600_000;

/// What a packet received or sent costs.
const NANOSECONDS_A_PACKET: u64 = 3_000;

/// What a request to a disk moves.
const BYTES_A_REQUEST: u64 = 16_384;

/// What one router, NIC or disk has at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedRow {
    /// The router's UUID.
    pub router: Uuid,
    /// The MAC of the NIC that the values are of.
    pub nic: Option<String>,
    /// The target of the disk that the values are of. With neither, they are the router's own.
    pub disk: Option<String>,
    /// Metric and value: names, units and kinds are those of `api::Metric`.
    pub values: Vec<(&'static str, i64)>,
}

/// The simulated load: all counters of the fleet at one time, which only goes forward.
#[derive(Clone, Debug)]
pub struct SimulatedLoad {
    at_ms: i64,
    routers: Vec<Router>,
    nics: Vec<Nic>,
    flows: Vec<Flow>,
}

#[derive(Clone, Debug)]
struct Router {
    uuid: Uuid,
    state_at_start: State,
    memory_bytes: u64,
    /// The share of the memory that is in use, on the mean.
    memory_share: f64,
    memory: Curve,
    /// Nanoseconds, without what packets cost.
    processor: Counter,
    read: Counter,
    written: Counter,
}

#[derive(Clone, Debug)]
struct Nic {
    router: usize,
    mac: String,
}

/// What one NIC sends to another.
#[derive(Clone, Debug)]
struct Flow {
    /// Indices of the two NICs.
    from: usize,
    to: usize,
    bytes: Counter,
    bytes_a_packet: u64,
    packets_a_drop: u64,
}

/// The integral of a curve in whole units, without the times in which it stood still.
#[derive(Clone, Debug)]
struct Counter {
    curve: Curve,
    integral: u64,
    value: u64,
}

impl SimulatedLoad {
    /// The load of a fleet that ran from long before `start_ms` (milliseconds since the epoch) as
    /// it is described. Time goes on from there.
    #[must_use]
    pub fn new(fleet: &Fleet, start_ms: i64) -> SimulatedLoad {
        let clock = clock(start_ms);
        let routers: Vec<Router> = fleet
            .routers
            .iter()
            .map(|router| {
                let key = scatter(u64::from(router.number));
                let counter = |salt, mean, day, pulses| {
                    let key = scatter(key ^ salt);
                    Counter::new(
                        Curve {
                            mean,
                            key,
                            day,
                            pulses,
                        },
                        &clock,
                        router.runs_at_start(),
                    )
                };
                let idle_cores = 0.012 * f64::from(router.vcpus) * (0.5 + unit(key));
                Router {
                    uuid: router.uuid(),
                    state_at_start: router.state,
                    memory_bytes: router.memory_mebibytes << 20,
                    memory_share: 0.3 + 0.3 * unit(key ^ 1),
                    memory: Curve {
                        mean: 1.0,
                        key,
                        day: 0.4,
                        pulses: 0.0,
                    },
                    processor: counter(2, 1e9 * idle_cores, 0.1, 0.3),
                    read: counter(3, 900.0, 0.2, 0.8),
                    written: counter(4, 14_000.0, 0.3, 0.3),
                }
            })
            .collect();
        let mut load = SimulatedLoad {
            at_ms: start_ms,
            routers,
            nics: Vec::new(),
            flows: Vec::new(),
        };
        for segment in &fleet.segments {
            load.join(fleet, segment, &clock);
        }
        load
    }

    /// Adds the NICs of a segment, and a flow from each to each other.
    fn join(&mut self, fleet: &Fleet, segment: &Segment, clock: &Clock) {
        let first = self.nics.len();
        self.nics.extend(segment.members.iter().map(|member| Nic {
            router: member.router,
            mac: fleet.routers[member.router].mac(member.nic),
        }));
        for (from, sender) in (first..).zip(&segment.members) {
            for (to, receiver) in (first..).zip(&segment.members) {
                if from == to {
                    continue;
                }
                let (sender, receiver) = (
                    &fleet.routers[sender.router],
                    &fleet.routers[receiver.router],
                );
                let key = scatter(
                    u64::from(segment.number) << 32
                        | u64::from(sender.number) << 16
                        | u64::from(receiver.number),
                );
                let curve = Curve {
                    // One direction is busier than the other.
                    mean: segment.bits_per_second / 8.0 * (0.6 + 0.8 * unit(key)),
                    key,
                    day: 0.35 + 0.2 * unit(key ^ 1),
                    pulses: 0.1 + 0.15 * unit(key ^ 2),
                };
                let runs = sender.runs_at_start() && receiver.runs_at_start();
                self.flows.push(Flow {
                    from,
                    to,
                    bytes: Counter::new(curve, clock, runs),
                    bytes_a_packet: 500 + (600.0 * unit(key ^ 3)) as u64,
                    packets_a_drop: (3e5 * 100_f64.powf(unit(key ^ 4))) as u64,
                });
            }
        }
    }

    /// Goes on to a time (milliseconds since the epoch) and answers what every router, NIC and
    /// disk has then. A router runs if `is_running` says so, since the last call; one that does
    /// not carries nothing. Its rows are there nonetheless, with counters that stand still: a
    /// paused router has them, and of one that is shut off the caller leaves them out, as it does
    /// with what it measures. A time before the last one is taken for that one.
    pub fn advance_to(
        &mut self,
        at_ms: i64,
        is_running: &dyn Fn(&Uuid) -> bool,
    ) -> Vec<SimulatedRow> {
        let running: Vec<bool> = self
            .routers
            .iter()
            .map(|router| is_running(&router.uuid))
            .collect();
        self.advance(at_ms, &running);
        self.rows(|_| true)
    }

    /// The past: goes from `from_ms` to `to_ms` in steps, both included, with every router as the
    /// fleet describes it, and those that are shut off left out. The iterator does the work.
    pub fn seed_ticks(
        &mut self,
        from_ms: i64,
        to_ms: i64,
        step_ms: i64,
    ) -> impl Iterator<Item = (i64, Vec<SimulatedRow>)> + '_ {
        let running: Vec<bool> = self
            .routers
            .iter()
            .map(|router| router.state_at_start == State::Running)
            .collect();
        let step = usize::try_from(step_ms).unwrap_or_default().max(1);
        (from_ms..=to_ms).step_by(step).map(move |at_ms| {
            self.advance(at_ms, &running);
            let rows = self.rows(|router| router.state_at_start != State::ShutOff);
            (at_ms, rows)
        })
    }

    fn advance(&mut self, at_ms: i64, running: &[bool]) {
        self.at_ms = self.at_ms.max(at_ms);
        let clock = clock(self.at_ms);
        for (router, &running) in self.routers.iter_mut().zip(running) {
            router.processor.advance(&clock, running);
            router.read.advance(&clock, running);
            router.written.advance(&clock, running);
        }
        for flow in &mut self.flows {
            let ends = [flow.from, flow.to].map(|nic| running[self.nics[nic].router]);
            flow.bytes.advance(&clock, ends == [true, true]);
        }
    }

    fn rows(&self, wanted: impl Fn(&Router) -> bool) -> Vec<SimulatedRow> {
        let mut of_nic = vec![Totals::default(); self.nics.len()];
        for flow in &self.flows {
            let bytes = flow.bytes.value;
            let packets = bytes / flow.bytes_a_packet;
            let drops = packets / flow.packets_a_drop;
            let sent = &mut of_nic[flow.from];
            sent.transmitted_bytes += bytes;
            sent.transmitted_packets += packets;
            sent.transmit_dropped += drops / 5;
            let received = &mut of_nic[flow.to];
            received.received_bytes += bytes;
            received.received_packets += packets;
            received.receive_dropped += drops;
            received.receive_errors += drops / 20;
        }
        let mut handled = vec![0; self.routers.len()];
        for (nic, totals) in self.nics.iter().zip(&of_nic) {
            handled[nic.router] += totals.received_packets + totals.transmitted_packets;
        }
        let clock = clock(self.at_ms);
        let mut rows = Vec::with_capacity(2 * self.routers.len() + self.nics.len());
        for (router, packets) in self.routers.iter().zip(handled) {
            if wanted(router) {
                rows.push(router.row(&clock, packets));
                rows.push(router.disk_row());
            }
        }
        for (nic, totals) in self.nics.iter().zip(of_nic) {
            let router = &self.routers[nic.router];
            if wanted(router) {
                rows.push(totals.row(router.uuid, nic.mac.clone()));
            }
        }
        rows
    }
}

impl Router {
    fn row(&self, clock: &Clock, packets: u64) -> SimulatedRow {
        let share = self.memory_share + 0.08 * (self.memory.level(clock) - 1.0);
        SimulatedRow {
            router: self.uuid,
            nic: None,
            disk: None,
            values: vec![
                (
                    "cpuTime",
                    (self.processor.value + packets * NANOSECONDS_A_PACKET) as i64,
                ),
                ("memoryUsed", (self.memory_bytes as f64 * share) as i64),
                ("memoryMaximum", self.memory_bytes as i64),
            ],
        }
    }

    fn disk_row(&self) -> SimulatedRow {
        let (read, written) = (self.read.value, self.written.value);
        SimulatedRow {
            router: self.uuid,
            nic: None,
            disk: Some(DISK.to_owned()),
            values: vec![
                ("readBytes", read as i64),
                ("writtenBytes", written as i64),
                ("readRequests", (read / BYTES_A_REQUEST) as i64),
                ("writeRequests", (written / BYTES_A_REQUEST) as i64),
            ],
        }
    }
}

/// What all flows of a NIC come to.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    received_bytes: u64,
    transmitted_bytes: u64,
    received_packets: u64,
    transmitted_packets: u64,
    receive_errors: u64,
    receive_dropped: u64,
    transmit_dropped: u64,
}

impl Totals {
    fn row(&self, router: Uuid, mac: String) -> SimulatedRow {
        SimulatedRow {
            router,
            nic: Some(mac),
            disk: None,
            values: vec![
                ("receivedBytes", self.received_bytes as i64),
                ("transmittedBytes", self.transmitted_bytes as i64),
                ("receivedPackets", self.received_packets as i64),
                ("transmittedPackets", self.transmitted_packets as i64),
                ("receiveErrors", self.receive_errors as i64),
                ("transmitErrors", 0),
                ("receiveDropped", self.receive_dropped as i64),
                ("transmitDropped", self.transmit_dropped as i64),
            ],
        }
    }
}

impl Counter {
    /// A counter that ran since the origin, or that never did.
    fn new(curve: Curve, clock: &Clock, ran: bool) -> Counter {
        let integral = curve.integral(clock).max(0.0) as u64;
        Counter {
            curve,
            integral,
            value: if ran { integral } else { 0 },
        }
    }

    fn advance(&mut self, clock: &Clock, runs: bool) {
        let integral = self.curve.integral(clock).max(0.0) as u64;
        if runs {
            self.value += integral.saturating_sub(self.integral);
        }
        self.integral = integral;
    }
}

fn clock(at_ms: i64) -> Clock {
    Clock::at((at_ms - ORIGIN_MS) as f64 / 1000.0)
}

#[cfg(test)]
mod tests;
