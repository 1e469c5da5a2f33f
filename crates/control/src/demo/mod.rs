//! The embedded demo fleet: hosts of libvirt's `test` driver, and a load made up for them.
//!
//! Only `vms demo` gets here. The fleet is described once, in [`description`]; the driver files
//! ([`xml`]), the declared physical links and who talks to whom under the simulated load
//! ([`load`]) all come from that description, so that they agree.
//!
//! The driver is real as far as it goes: listing, starting, suspending and events are libvirt's
//! own. Its counters are straight lines of the clock, the same for all: [`load`] stands in for
//! them, and everything that it makes is marked as simulated.

mod description;
mod load;
mod xml;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use load::{SimulatedLoad, SimulatedRow};

/// The demo fleet.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// Its hosts, each a file for the `test` driver.
    pub hosts: Vec<DemoHost>,
    /// The physical links among them, to be declared: the driver knows of none.
    pub links: Vec<DemoLink>,
    routers: Vec<description::Router>,
    segments: Vec<description::Segment>,
}

/// A host of the demo fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoHost {
    /// Its id in the fleet, for example `rio-edge-1`.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// Where it stands, for people.
    pub site: String,
    /// What the `test` driver reads: `test:///…/id.xml`.
    pub xml: String,
}

/// A physical link of the demo fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoLink {
    /// The id of the host at one end.
    pub a_host: String,
    /// The NIC there.
    pub a_interface: String,
    /// The id of the host at the other end.
    pub b_host: String,
    /// The NIC there.
    pub b_interface: String,
    /// What it carries in each direction, in bits per second.
    pub capacity_bits_per_second: u64,
    /// How long it takes to get through it.
    pub latency: Duration,
}

impl Fleet {
    /// The fleet that is built into the program.
    #[must_use]
    pub fn embedded() -> Fleet {
        let routers = description::routers();
        let segments = description::segments(&routers);
        let hosts = description::HOSTS
            .iter()
            .map(|host| DemoHost {
                id: host.id.to_owned(),
                name: host.id.to_owned(),
                site: host.site.to_owned(),
                xml: xml::host(host, &routers, &segments),
            })
            .collect();
        let links = description::PHYSICAL_LINKS
            .iter()
            .map(|link| DemoLink {
                a_host: link.a.0.to_owned(),
                a_interface: link.a.1.to_owned(),
                b_host: link.b.0.to_owned(),
                b_interface: link.b.1.to_owned(),
                capacity_bits_per_second: link.gigabits * 1_000_000_000,
                latency: Duration::from_micros(link.microseconds),
            })
            .collect();
        Fleet {
            hosts,
            links,
            routers,
            segments,
        }
    }

    /// Writes the hosts' files into a directory that exists, over those of an earlier start, and
    /// answers where each host's file is.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write_to(&self, directory: &Path) -> io::Result<Vec<(String, PathBuf)>> {
        self.hosts
            .iter()
            .map(|host| {
                let path = directory.join(format!("{}.xml", host.id));
                std::fs::write(&path, &host.xml)?;
                Ok((host.id.clone(), path))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
