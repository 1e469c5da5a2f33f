//! Prints what a host is and has, then follows its events and counters.
//!
//! `cargo run -p libvirt --example inspect -- qemu+tcp://127.0.0.1/system`; `--once` ends after the
//! first look.

use std::time::Duration;

use libvirt::{Connection, Event, Options, StatsGroups, Uri};

#[tokio::main]
async fn main() {
    tracing_subscriber::fmt().init();
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let once = arguments
        .iter()
        .position(|a| a == "--once")
        .map(|at| arguments.remove(at));
    let uri = arguments.first().map_or("test:///default", String::as_str);
    if let Err(error) = inspect(uri, once.is_some()).await {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

async fn inspect(uri: &str, once: bool) -> Result<(), Box<dyn std::error::Error>> {
    let uri = Uri::parse(uri)?;
    let connection = Connection::open(&uri, Options::default()).await?;
    println!(
        "{uri}: {}, {:?}",
        connection.hostname().await?,
        connection.versions().await?
    );
    println!(
        "  {:?}, host UUID {:?}",
        connection.node_info().await?,
        connection.host_uuid().await?
    );
    let mut events = connection.events().await?;
    for network in connection.list_networks().await? {
        println!(
            "network {} {:?} active={}",
            network.name, network.bridge, network.active
        );
    }
    for interface in connection.list_interfaces().await? {
        let addresses = interface.addresses.join(" ");
        println!(
            "interface {} {:?} {addresses}",
            interface.name, interface.kind
        );
    }
    for domain in connection.list_domains().await? {
        println!("domain {} {} {:?}", domain.uuid, domain.name, domain.state);
        match connection.guest_info(domain.uuid).await {
            Ok(told) => println!("  its agent: {told:?}"),
            Err(error) => println!("  no agent: {error}"),
        }
        for interface in &domain.definition.interfaces {
            println!(
                "  {} {:?} {:?} {:?}",
                interface.mac.as_deref().unwrap_or("-"),
                interface.kind,
                interface.target,
                interface.source
            );
        }
        for disk in &domain.definition.disks {
            println!("  {} {:?} {:?}", disk.target, disk.format, disk.source);
        }
    }
    let mut tick = tokio::time::interval(Duration::from_secs(10));
    loop {
        tokio::select! {
            _ = tick.tick() => {
                let begun = std::time::Instant::now();
                let stats = connection.domain_stats(StatsGroups::ALL).await?;
                println!("{} domains measured in {:?}", stats.len(), begun.elapsed());
                for domain in stats {
                    println!("  {domain:?}");
                }
                if once {
                    break;
                }
            }
            event = events.recv() => match event {
                Some(Event::Closed { reason }) => {
                    println!("The connection ended: {reason}.");
                    break;
                }
                Some(event) => println!("{event:?}"),
                None => break,
            },
        }
    }
    connection.close().await?;
    Ok(())
}
