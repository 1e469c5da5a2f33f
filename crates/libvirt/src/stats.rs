//! Counters of running domains: in one bulk call where the driver has it, domain by domain where
//! not (Xen, LXC, test), chosen by the driver and corrected by what the daemon answers.
//!
//! What a host does not tell is `None`, never 0: a tunnel without a device on the host, for
//! example, has no counters at all.

use uuid::Uuid;
use virt_sys as sys;

use crate::connection::{Connection, Session};
use crate::domain::{self, DomainState, unless_gone};
use crate::driver::Capability;
use crate::error::Error;
use crate::ffi::{self, stats::Value};

/// Groups of statistics that cost the host more (each asks QEMU's monitor) and are read on demand;
/// state, processor and interfaces always are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatsGroups {
    /// Memory by the balloon.
    pub balloon: bool,
    /// Disks.
    pub block: bool,
}

impl StatsGroups {
    /// The cheap groups only.
    pub const CHEAP: Self = Self {
        balloon: false,
        block: false,
    };
    /// Everything.
    pub const ALL: Self = Self {
        balloon: true,
        block: true,
    };
}

/// Counters of one running domain. Counters start with the domain and only grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainStats {
    /// The domain.
    pub uuid: Uuid,
    /// What it is doing.
    pub state: DomainState,
    /// Processor time used by all virtual processors and the emulator, ns.
    pub cpu_time_ns: Option<u64>,
    /// Virtual processors that it has now; `None` from the bulk call, whose group for it asks the
    /// monitor (the definition says how many at most).
    pub vcpus: Option<u32>,
    /// Memory that it has now, bytes; from the bulk call only with [`StatsGroups::balloon`].
    pub memory_current_bytes: Option<u64>,
    /// Memory that it may have, bytes; from the bulk call only with [`StatsGroups::balloon`].
    pub memory_maximum_bytes: Option<u64>,
    /// Memory that the guest uses, bytes, where a balloon in the guest tells.
    pub memory_used_bytes: Option<u64>,
    /// Interfaces that have a device on the host.
    pub interfaces: Vec<InterfaceStats>,
    /// Disks, where [`StatsGroups::block`] was asked.
    pub blocks: Vec<BlockStats>,
}

/// Counters of one interface, as the domain sees the direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfaceStats {
    /// The device on the host (`<target dev>`).
    pub name: String,
    /// Bytes received.
    pub rx_bytes: Option<u64>,
    /// Packets received.
    pub rx_packets: Option<u64>,
    /// Receive errors.
    pub rx_errors: Option<u64>,
    /// Packets dropped at receipt.
    pub rx_dropped: Option<u64>,
    /// Bytes sent.
    pub tx_bytes: Option<u64>,
    /// Packets sent.
    pub tx_packets: Option<u64>,
    /// Send errors.
    pub tx_errors: Option<u64>,
    /// Packets dropped at sending.
    pub tx_dropped: Option<u64>,
}

/// Counters of one disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockStats {
    /// Name inside the domain (`<target dev>`).
    pub name: String,
    /// Bytes read.
    pub read_bytes: Option<u64>,
    /// Read requests.
    pub read_requests: Option<u64>,
    /// Bytes written.
    pub written_bytes: Option<u64>,
    /// Write requests.
    pub write_requests: Option<u64>,
    /// Size that the domain sees, bytes.
    pub capacity: Option<u64>,
    /// Bytes in use on the host.
    pub allocation: Option<u64>,
    /// Size of the file or device on the host, bytes.
    pub physical: Option<u64>,
}

impl DomainStats {
    fn new(uuid: Uuid, state: DomainState) -> Self {
        Self {
            uuid,
            state,
            cpu_time_ns: None,
            vcpus: None,
            memory_current_bytes: None,
            memory_maximum_bytes: None,
            memory_used_bytes: None,
            interfaces: Vec::new(),
            blocks: Vec::new(),
        }
    }
}

impl Connection {
    /// Statistics of all active domains. One that vanishes while it is read is left out.
    ///
    /// # Errors
    /// As every call.
    pub async fn domain_stats(&self, groups: StatsGroups) -> Result<Vec<DomainStats>, Error> {
        self.call("virConnectGetAllDomainStats", move |session| {
            if session.uri().driver().supports(Capability::BulkStats)
                && !session.bulk_stats_refused()
            {
                match bulk(session, groups) {
                    Err(Error::NotSupported { .. }) => session.refuse_bulk_stats(),
                    other => return other,
                }
            }
            one_by_one(session, groups)
        })
        .await
    }
}

fn bulk(session: &Session, groups: StatsGroups) -> Result<Vec<DomainStats>, Error> {
    let mut wanted = sys::VIR_DOMAIN_STATS_STATE
        | sys::VIR_DOMAIN_STATS_CPU_TOTAL
        | sys::VIR_DOMAIN_STATS_INTERFACE;
    if groups.balloon {
        wanted |= sys::VIR_DOMAIN_STATS_BALLOON;
    }
    if groups.block {
        wanted |= sys::VIR_DOMAIN_STATS_BLOCK;
    }
    // A domain whose monitor is busy gives what is known without it, instead of holding up all.
    let flags = sys::VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE
        | sys::VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT;
    let mut stats = Vec::new();
    session.run("virConnectGetAllDomainStats", |connection| {
        ffi::stats::all_domain_stats(connection, wanted, flags, |uuid, fields| {
            stats.push(decode(uuid, fields));
        })
    })?;
    Ok(stats)
}

/// Fields of `virConnectGetAllDomainStats`, memory in KiB:
/// <https://libvirt.org/html/libvirt-libvirt-domain.html#virConnectGetAllDomainStats>.
fn decode<'a>(
    uuid: Uuid,
    fields: &mut (dyn Iterator<Item = (&'a str, Value<'a>)> + 'a),
) -> DomainStats {
    let mut stats = DomainStats::new(uuid, DomainState::NoState);
    let (mut available, mut usable, mut unused) = (None, None, None);
    for (name, value) in fields {
        let counter = value.counter();
        let bytes = || counter.map(|kib| kib.saturating_mul(1024));
        match name {
            "state.state" => {
                stats.state = DomainState::from_raw(counter.map_or(0, |state| state as u32));
            }
            "cpu.time" => stats.cpu_time_ns = counter,
            "vcpu.current" => stats.vcpus = counter.map(|vcpus| vcpus as u32),
            "balloon.current" => stats.memory_current_bytes = bytes(),
            "balloon.maximum" => stats.memory_maximum_bytes = bytes(),
            "balloon.available" => available = bytes(),
            "balloon.usable" => usable = bytes(),
            "balloon.unused" => unused = bytes(),
            _ => {
                if let Some((index, field)) = indexed(name, "net.") {
                    interface_field(entry(&mut stats.interfaces, index), field, value);
                } else if let Some((index, field)) = indexed(name, "block.") {
                    block_field(entry(&mut stats.blocks, index), field, value);
                }
            }
        }
    }
    stats.memory_used_bytes = used(available, usable, unused);
    // An interface without a device on the host is counted but has neither name nor values.
    stats
        .interfaces
        .retain(|interface| !interface.name.is_empty());
    stats.blocks.retain(|block| !block.name.is_empty());
    stats
}

/// What the guest uses: what it has, less what it could give to programs (or, from old balloons,
/// less what is free).
fn used(available: Option<u64>, usable: Option<u64>, unused: Option<u64>) -> Option<u64> {
    available?.checked_sub(usable.or(unused)?)
}

/// `net.3.rx.bytes` is `(3, "rx.bytes")` for the prefix `net.`.
fn indexed<'a>(name: &'a str, prefix: &str) -> Option<(usize, &'a str)> {
    let (index, field) = name.strip_prefix(prefix)?.split_once('.')?;
    Some((
        index.parse().ok().filter(|&index| index < MAX_DEVICES)?,
        field,
    ))
}

/// No domain has more interfaces or disks; a host that says otherwise is not believed.
const MAX_DEVICES: usize = 1024;

fn entry<T: Default>(list: &mut Vec<T>, index: usize) -> &mut T {
    if list.len() <= index {
        list.resize_with(index + 1, T::default);
    }
    &mut list[index]
}

fn interface_field(interface: &mut InterfaceStats, field: &str, value: Value<'_>) {
    let counter = value.counter();
    match field {
        "name" => interface.name = text(value),
        "rx.bytes" => interface.rx_bytes = counter,
        "rx.pkts" => interface.rx_packets = counter,
        "rx.errs" => interface.rx_errors = counter,
        "rx.drop" => interface.rx_dropped = counter,
        "tx.bytes" => interface.tx_bytes = counter,
        "tx.pkts" => interface.tx_packets = counter,
        "tx.errs" => interface.tx_errors = counter,
        "tx.drop" => interface.tx_dropped = counter,
        _ => {}
    }
}

fn block_field(block: &mut BlockStats, field: &str, value: Value<'_>) {
    let counter = value.counter();
    match field {
        "name" => block.name = text(value),
        "rd.bytes" => block.read_bytes = counter,
        "rd.reqs" => block.read_requests = counter,
        "wr.bytes" => block.written_bytes = counter,
        "wr.reqs" => block.write_requests = counter,
        "capacity" => block.capacity = counter,
        "allocation" => block.allocation = counter,
        "physical" => block.physical = counter,
        _ => {}
    }
}

fn text(value: Value<'_>) -> String {
    match value {
        Value::Text(text) => text.to_owned(),
        _ => String::new(),
    }
}

fn one_by_one(session: &Session, groups: StatsGroups) -> Result<Vec<DomainStats>, Error> {
    let domains = session.run("virConnectListAllDomains", |c| {
        c.list_all_domains(sys::VIR_CONNECT_LIST_DOMAINS_ACTIVE)
    })?;
    let mut stats = Vec::with_capacity(domains.len());
    for domain in &domains {
        match unless_gone(one(session, domain, groups)) {
            Ok(one) => stats.extend(one),
            // It stopped between listing and reading.
            Err(Error::Libvirt { fault, .. }) if fault.code == sys::VIR_ERR_OPERATION_INVALID => {}
            Err(error) => return Err(error),
        }
    }
    Ok(stats)
}

fn one(
    session: &Session,
    domain: &virt::domain::Domain,
    groups: StatsGroups,
) -> Result<DomainStats, Error> {
    let driver = session.uri().driver();
    let uuid = session.run("virDomainGetUUID", |_| domain.uuid())?;
    let info = session.run("virDomainGetInfo", |_| domain.info())?;
    let mut stats = DomainStats::new(uuid, DomainState::from_raw(info.state.to_raw()));
    stats.cpu_time_ns = Some(info.cpu_time);
    stats.vcpus = Some(info.nr_virt_cpu);
    stats.memory_current_bytes = Some(info.memory.saturating_mul(1024));
    stats.memory_maximum_bytes = Some(info.max_mem.saturating_mul(1024));
    // The devices' names, for they are what the counters are asked by.
    let definition = domain::definition(session, domain)?;
    if driver.supports(Capability::InterfaceStats) {
        for name in definition
            .interfaces
            .into_iter()
            .filter_map(|interface| interface.target)
        {
            let counters =
                session.run("virDomainInterfaceStats", |_| domain.interface_stats(&name));
            if let Some(counters) = unless_silent(counters)? {
                stats.interfaces.push(InterfaceStats {
                    name,
                    rx_bytes: known(counters.rx_bytes),
                    rx_packets: known(counters.rx_packets),
                    rx_errors: known(counters.rx_errs),
                    rx_dropped: known(counters.rx_drop),
                    tx_bytes: known(counters.tx_bytes),
                    tx_packets: known(counters.tx_packets),
                    tx_errors: known(counters.tx_errs),
                    tx_dropped: known(counters.tx_drop),
                });
            }
        }
    }
    if groups.balloon && driver.supports(Capability::BalloonStats) {
        let memory = session.run("virDomainMemoryStats", |_| domain.memory_stats(0));
        let memory = unless_silent(memory)?.unwrap_or_default();
        let bytes = |tag: u32| {
            memory
                .iter()
                .find(|stat| stat.tag == tag)
                .map(|stat| stat.val.saturating_mul(1024))
        };
        stats.memory_used_bytes = used(
            bytes(sys::VIR_DOMAIN_MEMORY_STAT_AVAILABLE),
            bytes(sys::VIR_DOMAIN_MEMORY_STAT_USABLE),
            bytes(sys::VIR_DOMAIN_MEMORY_STAT_UNUSED),
        );
    }
    if groups.block && driver.supports(Capability::BlockStats) {
        for name in definition.disks.into_iter().map(|disk| disk.target) {
            let counters = session.run("virDomainBlockStats", |_| domain.block_stats(&name));
            let sizes = session.run("virDomainGetBlockInfo", |_| {
                ffi::domain::block_info(domain, &name)
            });
            let counters = unless_silent(counters)?;
            let sizes = unless_silent(sizes)?;
            if counters.is_none() && sizes.is_none() {
                continue;
            }
            let counted = counters.as_ref();
            stats.blocks.push(BlockStats {
                name,
                read_bytes: counted.and_then(|block| known(block.rd_bytes)),
                read_requests: counted.and_then(|block| known(block.rd_req)),
                written_bytes: counted.and_then(|block| known(block.wr_bytes)),
                write_requests: counted.and_then(|block| known(block.wr_req)),
                capacity: sizes.map(|sizes| sizes.capacity),
                allocation: sizes.map(|sizes| sizes.allocation),
                physical: sizes.map(|sizes| sizes.physical),
            });
        }
    }
    Ok(stats)
}

/// `None` where a device has no counters or the driver none of this kind; errors that concern the
/// whole domain or connection stay.
fn unless_silent<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotSupported { .. }) => Ok(None),
        Err(Error::Libvirt { fault, .. }) if fault.code != sys::VIR_ERR_OPERATION_INVALID => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// A negative counter is libvirt's way to say "not known".
fn known(counter: i64) -> Option<u64> {
    u64::try_from(counter).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bulk_fields_are_decoded() {
        let fields = [
            ("state.state", Value::Signed(1)),
            ("cpu.time", Value::Unsigned(123)),
            ("balloon.current", Value::Unsigned(2048)),
            ("balloon.available", Value::Unsigned(2000)),
            ("balloon.usable", Value::Unsigned(500)),
            ("balloon.unused", Value::Unsigned(100)),
            ("net.count", Value::Unsigned(2)),
            ("net.1.name", Value::Text("vnet1")),
            ("net.1.rx.bytes", Value::Unsigned(7)),
            ("net.1.tx.drop", Value::Signed(-1)),
            ("block.0.name", Value::Text("vda")),
            ("block.0.rd.bytes", Value::Unsigned(9)),
            ("block.0.physical", Value::Unsigned(11)),
            ("net.99999999999.name", Value::Text("far")),
            ("net.5000.name", Value::Text("far")),
            ("novelty.7.x", Value::Double(0.5)),
        ];
        let stats = decode(Uuid::nil(), &mut fields.into_iter());
        assert_eq!(stats.state, DomainState::Running);
        assert_eq!(stats.cpu_time_ns, Some(123));
        assert_eq!(stats.memory_current_bytes, Some(2048 << 10));
        assert_eq!(stats.memory_used_bytes, Some(1500 << 10));
        // net.0 is a tunnel without a device: it has no name and no counters.
        assert_eq!(stats.interfaces.len(), 1);
        assert_eq!(stats.interfaces[0].name, "vnet1");
        assert_eq!(stats.interfaces[0].rx_bytes, Some(7));
        assert_eq!(stats.interfaces[0].tx_dropped, None);
        assert_eq!(stats.blocks[0].read_bytes, Some(9));
        assert_eq!(stats.blocks[0].physical, Some(11));
    }

    #[test]
    fn memory_in_use_is_unknown_without_a_balloon() {
        assert_eq!(used(None, Some(1), None), None);
        assert_eq!(used(Some(10), None, None), None);
        assert_eq!(used(Some(10), None, Some(4)), Some(6));
        assert_eq!(used(Some(10), Some(11), None), None);
    }
}
