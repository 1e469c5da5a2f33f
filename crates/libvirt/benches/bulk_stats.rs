//! What statistics of all domains cost the client: processor time a domain, decoding included,
//! against libvirt's Python binding in the same run.
//!
//! The budget is 25 µs a domain. Needs a host with many running domains, and the package
//! `python3-libvirt`; `make bench-host` starts one and runs this: `cargo bench -p libvirt --bench
//! bulk_stats -- URI`.

use std::error::Error;
use std::process::Command;
use std::time::{Duration, Instant};

use libvirt::{Connection, Options, StatsGroups, Uri};

/// Polls in a turn. The two take turns, so that both meet the machine as it is.
const ROUNDS: u32 = 100;
const TURNS: u32 = 5;

/// What some polls took.
#[derive(Default)]
struct Cost {
    processor: Duration,
    wall: Duration,
    records: u32,
    polls: u32,
}

impl Cost {
    fn add(&mut self, other: &Self) {
        self.processor += other.processor;
        self.wall += other.wall;
        self.records += other.records;
        self.polls += other.polls;
    }

    /// Processor time a domain, µs.
    fn a_domain(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / f64::from(self.records.max(1))
    }

    fn print(&self, who: &str) {
        println!(
            "  {who}: {:.1} µs of processor a domain, {:.1} ms a poll of {}",
            self.a_domain(),
            self.wall.as_secs_f64() * 1e3 / f64::from(self.polls.max(1)),
            self.records / self.polls.max(1)
        );
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds words of its own.
    let Some(uri) = std::env::args().skip(1).find(|word| word.contains("://")) else {
        println!("bulk_stats: no host was named; `make bench-host` starts one");
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(&uri))
}

async fn run(uri: &str) -> Result<(), Box<dyn Error>> {
    let connection = Connection::open(&Uri::parse(uri)?, Options::default()).await?;
    let sys = [
        (
            "processor and interfaces",
            StatsGroups::CHEAP,
            virt_sys::VIR_DOMAIN_STATS_CPU_TOTAL | virt_sys::VIR_DOMAIN_STATS_INTERFACE,
        ),
        (
            "memory and disks",
            StatsGroups::DEAR,
            virt_sys::VIR_DOMAIN_STATS_BALLOON | virt_sys::VIR_DOMAIN_STATS_BLOCK,
        ),
    ];
    for (what, groups, numbers) in sys {
        let (mut ours, mut python) = (Cost::default(), Cost::default());
        for _ in 0..TURNS {
            ours.add(&poll(&connection, groups).await?);
            python.add(&peer(uri, numbers | virt_sys::VIR_DOMAIN_STATS_STATE)?);
        }
        println!("{what}");
        ours.print("ours");
        python.print("Python binding");
        println!("  ratio: {:.2}", ours.a_domain() / python.a_domain());
    }
    connection.close().await?;
    Ok(())
}

async fn poll(connection: &Connection, groups: StatsGroups) -> Result<Cost, Box<dyn Error>> {
    // The first call is not like the others: a thread may start.
    connection.domain_stats(groups).await?;
    let (begun, before) = (Instant::now(), processor_time()?);
    let mut records = 0;
    for _ in 0..ROUNDS {
        records += u32::try_from(connection.domain_stats(groups).await?.len())?;
    }
    Ok(Cost {
        processor: processor_time()? - before,
        wall: begun.elapsed(),
        records,
        polls: ROUNDS,
    })
}

fn peer(uri: &str, groups: u32) -> Result<Cost, Box<dyn Error>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/bulk_stats.py");
    let output = Command::new("/usr/bin/python3")
        .args([script, uri, &groups.to_string(), &ROUNDS.to_string()])
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let numbers: Vec<f64> = text
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let [processor, wall, records] = numbers[..] else {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    };
    Ok(Cost {
        processor: Duration::from_secs_f64(processor),
        wall: Duration::from_secs_f64(wall),
        // A count, printed as one.
        records: records as u32,
        polls: ROUNDS,
    })
}

/// Processor time of the process so far.
fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let mut total = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        total += text
            .split_whitespace()
            .next()
            .unwrap_or("0")
            .parse::<u64>()?;
    }
    Ok(Duration::from_nanos(total))
}
