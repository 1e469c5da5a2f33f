//! Opens, subscribes, lists, measures, acts and closes, many times over, and says what that cost
//! and what was left behind: threads, file descriptors, memory, processor time a domain.
//!
//! ```text
//! cargo run -p libvirt --example exercise -- URI [ROUNDS]
//! ```
//!
//! Instead of a URI, the path of a file that describes a test host. Domains are paused and resumed
//! at test hosts only. Memory that is lost is found by running it under valgrind, as
//! `cargo test -p libvirt -- --ignored lost` does.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use libvirt::{
    AddressSource, Connection, DomainState, DomainXml, ErrorKind, Options, PoolXml, Span,
    StatsGroups, Uri, VolumeXml,
};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    if let Err(error) = run().await {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let target = arguments.next().unwrap_or("test:///default".to_owned());
    let uri = if target.starts_with('/') {
        Uri::test_file(Path::new(&target))
    } else {
        Uri::parse(&target)?
    };
    let rounds: u32 = match arguments.next() {
        Some(rounds) => rounds.parse()?,
        None => 20,
    };
    for round in 1..=rounds {
        exercise(&uri).await?;
        // The event loop lets go of a connection a moment after it is closed.
        settle().await;
        if round == 1 || round == rounds {
            println!("after {round} rounds: {}", left_behind()?);
        }
    }
    let connection = Connection::open(&uri, options()).await?;
    for (name, groups) in [("cheap", StatsGroups::CHEAP), ("dear", StatsGroups::DEAR)] {
        measure(name, &connection, rounds, groups).await?;
    }
    connection.close().await?;
    Ok(())
}

fn options() -> Options {
    Options {
        workers: 4,
        ..Options::default()
    }
}

/// One round of everything.
async fn exercise(uri: &Uri) -> Result<(), Box<dyn Error>> {
    let connection = Connection::open(uri, options()).await?;
    let mut events = connection.events().await?;
    drop(connection.events().await?);
    connection.hostname().await?;
    connection.node_info().await?;
    connection.host_uuid().await?;
    connection.versions().await?;
    if_there(connection.node_cpu_stats().await)?;
    if_there(connection.node_memory_stats().await)?;
    if_there(connection.free_memory().await)?;
    processors(&connection).await?;
    if_there(connection.file_exists("/usr/bin/env").await)?;
    if_there(connection.file_exists("/no/such/directory/file").await)?;
    let domains = connection.list_domains().await?;
    connection.list_interfaces().await?;
    for network in connection.list_networks().await? {
        if_there(connection.leases(network.uuid).await)?;
    }
    let (all, some, listed) = tokio::join!(
        connection.domain_stats(StatsGroups::ALL),
        connection.domain_stats_of(&[], StatsGroups::CHEAP),
        connection.list_domains(),
    );
    all?;
    some?;
    listed?;
    for domain in domains {
        connection.domain(domain.uuid).await?;
        if_there(connection.guest_info(domain.uuid).await)?;
        for source in AddressSource::ALL {
            if_there(connection.addresses(domain.uuid, source).await)?;
        }
        connection.inactive_definition(domain.uuid).await?;
        if_there(connection.job_progress(domain.uuid).await)?;
        if_there(connection.completed_job(domain.uuid).await)?;
        let of = [domain.uuid];
        (connection.domain_stats_of(&of, StatsGroups::ALL)).await?;
        if uri.is_in_process() && domain.state == DomainState::Running {
            connection.suspend(domain.uuid).await?;
            connection.resume(domain.uuid).await?;
            events.recv().await;
        }
    }
    storage(&connection).await?;
    if uri.is_in_process() {
        life(&connection).await?;
    }
    let unknown = connection.suspend(uuid::Uuid::from_u128(1)).await;
    assert_eq!(
        unknown.map_err(|error| error.kind()),
        Err(ErrorKind::NotFound)
    );
    connection.close().await?;
    Ok(())
}

/// What the host's processors are, and how they compare with themselves.
async fn processors(connection: &Connection) -> Result<(), Box<dyn Error>> {
    let capabilities = connection.capabilities().await?;
    if_there(connection.domain_capabilities(None, None, None, None).await)?;
    let cpu = capabilities.cpu().unwrap_or_default();
    if_there(connection.compare_cpu(&cpu).await)?;
    let compared = connection.compare_hypervisor_cpu(None, None, None, None, &cpu);
    if_there(compared.await)?;
    Ok(())
}

/// A domain, from its definition to its end.
async fn life(connection: &Connection) -> Result<(), Box<dyn Error>> {
    let definition = "<domain type='test'><name>exercise</name><memory>1024</memory>\
                      <os><type>hvm</type></os></domain>";
    let definition = DomainXml::parse(definition)?;
    let domain = connection.define_domain(&definition).await?;
    connection.start_domain(domain.uuid).await?;
    connection.reboot(domain.uuid).await?;
    connection.reset(domain.uuid).await?;
    connection.shut_down(domain.uuid).await?;
    connection.set_autostart(domain.uuid, true).await?;
    connection.start_domain(domain.uuid).await?;
    connection.destroy_domain(domain.uuid).await?;
    assert!(connection.destroy_domain(domain.uuid).await.is_err());
    connection.undefine_domain(domain.uuid).await?;
    Ok(())
}

/// Pools and volumes, read; and made and deleted at test hosts.
async fn storage(connection: &Connection) -> Result<(), Box<dyn Error>> {
    if connection.uri().is_in_process() {
        let mut pool = PoolXml::new("dir", "exercise");
        pool.path = Some("/exercise".to_owned());
        connection.define_pool(&pool).await?;
        connection.start_pool("exercise").await?;
        let volume = VolumeXml::new("v", 1 << 20);
        connection.create_volume("exercise", &volume).await?;
    }
    for pool in connection.list_pools().await? {
        if !pool.state.is_active() {
            continue;
        }
        for volume in connection.list_volumes(&pool.name).await? {
            connection.volume_by_path(&volume.path).await?;
            // The beginning of it, to its end and given up.
            for chunks in [usize::MAX, 1] {
                let span = Span {
                    length: Some(1 << 20),
                    ..Span::default()
                };
                if let Ok(mut download) = connection.download(&pool.name, &volume.name, span).await
                {
                    for _ in 0..chunks {
                        if download.next().await?.is_none() {
                            break;
                        }
                    }
                }
            }
        }
    }
    if connection.uri().is_in_process() {
        connection.delete_volume("exercise", "v").await?;
        connection.stop_pool("exercise").await?;
        connection.undefine_pool("exercise").await?;
    }
    Ok(())
}

/// What a driver or a guest does not have is no failure here; a host that does not answer is.
fn if_there<T>(result: Result<T, libvirt::Error>) -> Result<(), libvirt::Error> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::Lost | ErrorKind::Deadline) => Err(error),
        _ => Ok(()),
    }
}

/// Waits until all threads of connections have ended.
async fn settle() {
    while libvirt::worker_threads() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn left_behind() -> Result<String, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        line.unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let descriptors = fs::read_dir("/proc/self/fd")?.count();
    Ok(format!(
        "{}, {descriptors} file descriptors, {}, {} written off",
        field("Threads:"),
        field("VmRSS:"),
        libvirt::written_off_threads()
    ))
}

/// Processor time of all threads, ns.
fn processor_time() -> Result<u64, Box<dyn Error>> {
    let mut total = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let time: u64 = text.split_whitespace().next().unwrap_or("0").parse()?;
        total += time;
    }
    Ok(total)
}

async fn measure(
    name: &str,
    connection: &Connection,
    rounds: u32,
    groups: StatsGroups,
) -> Result<(), Box<dyn Error>> {
    // The first call is not like the others: threads start, definitions are read.
    connection.domain_stats(groups).await?;
    let (begun, before) = (Instant::now(), processor_time()?);
    let mut domains = 0;
    for _ in 0..rounds {
        domains += connection.domain_stats(groups).await?.len();
    }
    let spent = processor_time()? - before;
    println!(
        "{name} statistics: {:?} a poll, {:.1} µs of processor a domain",
        begun.elapsed() / rounds.max(1),
        spent as f64 / 1000.0 / domains.max(1) as f64
    );
    Ok(())
}
