//! A fleet of 200 hosts with 50 routers each: how long it takes to be known, and what it costs to
//! know it.
//!
//! Its hosts are libvirt's own test driver, inside this process: no network lies between, so that
//! what is measured is libvirt's client, the supervisors, discovery and the store. The budget is 20 s
//! on two cores from the start until every host is online and the topology has stopped changing.

use api::{
    Caller, Channel, FindPathsRequest, GetLoadRequest, GetTopologyRequest, HostState, Operations,
    PathMetric, TopologyView,
};
use control::{Control, HostSettings, Settings, Uri};
use std::{
    fmt::Write,
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

const HOSTS: usize = 200;
const ROUTERS: usize = 50;
/// The topology has settled when its version stays for this long.
const STILL: Duration = Duration::from_secs(1);
/// How long it is watched at rest.
const REST: Duration = Duration::from_secs(20);

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let data = tempfile::tempdir().expect("a directory");
    let mut settings = Settings::new(data.path().join("data"));
    for host in 0..HOSTS {
        let file = data.path().join(format!("{host}.xml"));
        fs::write(&file, node(host)).expect("a file");
        let id = format!("host-{host:03}").parse().expect("an id");
        let host = HostSettings::new(id, Uri::test_file(&file));
        settings.hosts.push(host);
    }
    let before = usage();
    let start = Instant::now();
    let control = Control::start(settings).await.expect("it starts");
    let started = start.elapsed();
    let mut ready = control.ready();
    ready.wait_for(|ready| *ready).await.expect("it is ready");
    let tried = start.elapsed();
    let settled = settled(&control.operations(), start).await;
    let then = usage();
    println!("{HOSTS} hosts of {ROUTERS} routers, {} cores", cores());
    time("the first answer after", started);
    time("every host tried and listed after", tried);
    time("settled after", settled);
    time(
        "processor time until then",
        then.cpu.saturating_sub(before.cpu),
    );
    say("resident memory", format!("{} MB", then.memory >> 20));
    say("threads", then.threads);
    say("of these, libvirt's workers", libvirt::worker_threads());
    tokio::time::sleep(REST).await;
    let busy = usage().cpu.saturating_sub(then.cpu).as_secs_f64() / REST.as_secs_f64();
    say(
        "at rest, sampled every 10 s",
        format!("{:.1} % of a core", busy * 100.0),
    );
    ask(&control.operations()).await;
    let end = Instant::now();
    control.shutdown().await;
    time("ended within", end.elapsed());
}

/// The processor time that it takes to tell the load of everything, and to find paths half way round
/// a ring.
async fn ask(operations: &Arc<dyn Operations>) {
    const TIMES: u32 = 20;
    let caller = Caller::local(Channel::Internal);
    let topology = operations.get_topology(&caller, GetTopologyRequest::default());
    let topology = topology.await.expect("a topology");
    let ends = ["r0-0".to_owned(), format!("r0-{}", ROUTERS / 2)];
    let [origin, destination] = ends.map(|name| {
        let mut routers = topology.routers.iter();
        let router = routers.find(|router| router.name == name);
        router.expect("a router of this name").id.into()
    });
    let paths = FindPathsRequest {
        origin,
        destination,
        view: Some(TopologyView::Virtual),
        metric: Some(PathMetric::Latency),
        alternatives: Some(16),
        avoid: Vec::new(),
        include_down: None,
    };
    let before = usage().cpu;
    for _ in 0..TIMES {
        let load = operations.get_load(&caller, GetLoadRequest::default());
        assert!(!load.await.expect("a load").routers.is_empty());
    }
    time(
        "the load of everything",
        usage().cpu.saturating_sub(before) / TIMES,
    );
    let before = usage().cpu;
    for _ in 0..TIMES {
        let reply = operations.find_paths(&caller, paths.clone()).await;
        assert_eq!(reply.expect("a reply").paths.len(), 2);
    }
    time(
        "both ways half round a ring",
        usage().cpu.saturating_sub(before) / TIMES,
    );
}

fn say(what: &str, value: impl std::fmt::Display) {
    println!("  {what:<36}{value}");
}

fn time(what: &str, time: Duration) {
    say(what, format!("{:.3} s", time.as_secs_f64()));
}

/// When the topology had everything and stopped changing, since `start`.
async fn settled(operations: &Arc<dyn Operations>, start: Instant) -> Duration {
    let caller = Caller::local(Channel::Internal);
    let (mut version, mut since) = (0, start.elapsed());
    loop {
        let request = GetTopologyRequest::default();
        let topology = operations.get_topology(&caller, request).await;
        let topology = topology.expect("a topology");
        let is_online = |state| state == HostState::Online;
        let is_whole = topology.routers.len() == HOSTS * ROUTERS
            && topology.hosts.iter().all(|host| is_online(host.state));
        if topology.version != version || !is_whole {
            (version, since) = (topology.version, start.elapsed());
        } else if start.elapsed() > since + STILL {
            return since;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A host of the test driver: routers in a ring over its own bridges.
fn node(host: usize) -> String {
    let mut text = String::from(
        "<node><cpu><mhz>2400</mhz><model>x86_64</model><nodes>1</nodes><sockets>2</sockets>\
         <cores>8</cores><threads>1</threads><active>16</active></cpu><memory>67108864</memory>\n",
    );
    for router in 0..ROUTERS {
        let _ = write!(
            text,
            "<domain type='test'><name>r{host}-{router}</name>\
             <uuid>00000000-0000-4000-8000-{:012x}</uuid><memory>262144</memory><vcpu>1</vcpu>\
             <os><type>hvm</type></os><devices>",
            host * 1000 + router
        );
        for (nic, bridge) in [router, (router + 1) % ROUTERS].into_iter().enumerate() {
            let (high, low) = (host >> 8, host & 0xff);
            let _ = write!(
                text,
                "<interface type='bridge'>\
                 <mac address='52:54:{high:02x}:{low:02x}:{router:02x}:{nic:02x}'/>\
                 <source bridge='br{bridge}'/></interface>",
            );
        }
        text.push_str("</devices></domain>\n");
    }
    text + "</node>\n"
}

struct Usage {
    cpu: Duration,
    memory: u64,
    threads: u64,
}

/// What this process has used, as the kernel counts.
fn usage() -> Usage {
    let read = |path: &str| fs::read_to_string(Path::new("/proc/self").join(path));
    let stat = read("stat").unwrap_or_default();
    // The name, in parentheses, may hold anything.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<u64> = (after_name.split_whitespace())
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    let status = read("status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let word = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        word.unwrap_or(0)
    };
    // Fields 14 and 15 of proc(5), user and system, in ticks of 10 ms; the name is the second.
    let ticks: u64 = fields.iter().skip(11).take(2).sum();
    Usage {
        cpu: Duration::from_millis(ticks * 10),
        memory: of("VmRSS:") * 1024,
        threads: of("Threads:"),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(0, Into::into)
}
