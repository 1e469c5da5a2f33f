//! Counters of running domains: in one bulk call where the driver has it, domain by domain where
//! not (Xen, LXC, test), chosen by the driver and corrected by what the daemon answers.
//!
//! What a host does not tell is `None`, never 0: a tunnel without a device on the host, for
//! example, has no counters at all.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use uuid::Uuid;
use virt::domain::Domain;
use virt_sys as sys;

use crate::connection::{Connection, Session};
use crate::domain::{self, DomainState, unless_gone};
use crate::driver::Capability;
use crate::error::Error;
use crate::ffi;
use crate::ffi::stats::Value;

/// Groups of statistics. What a domain is doing is told with every one.
///
/// The dear ones ask the monitor of each domain's QEMU for much (some ms each), the cheap ones for
/// little or nothing. So the cheap ones are polled often, the dear ones more rarely.
///
/// ```
/// use libvirt::StatsGroups;
/// let memory_only = StatsGroups { block: false, ..StatsGroups::DEAR };
/// assert!(!memory_only.cheap && memory_only.balloon);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatsGroups {
    /// Processor and interfaces: cheap.
    pub cheap: bool,
    /// Memory by the balloon: dear.
    pub balloon: bool,
    /// Disks: dear.
    pub block: bool,
}

impl StatsGroups {
    /// Processor and interfaces.
    pub const CHEAP: Self = Self {
        cheap: true,
        balloon: false,
        block: false,
    };
    /// Memory and disks.
    pub const DEAR: Self = Self {
        cheap: false,
        balloon: true,
        block: true,
    };
    /// Everything.
    pub const ALL: Self = Self {
        cheap: true,
        balloon: true,
        block: true,
    };

    /// Whether the monitor is asked.
    pub const fn is_dear(self) -> bool {
        self.balloon || self.block
    }
}

/// Counters of one running domain. Counters start with the domain and only grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainStats {
    /// The domain.
    pub uuid: Uuid,
    /// What it is doing.
    pub state: DomainState,
    /// Whether what only the monitor knows is there: `Some(false)` for a domain whose QEMU is busy
    /// or frozen; `None` when no dear group was asked.
    pub answered: Option<bool>,
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
            answered: None,
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
    /// A domain whose QEMU freezes costs a thread once, a part of the deadline in that poll (a
    /// twentieth for cheap groups, a third for dear ones), and its own values from the monitor from
    /// then on. Its neighbours keep theirs, if the connection has a second worker.
    ///
    /// # Errors
    /// As every call.
    pub async fn domain_stats(&self, groups: StatsGroups) -> Result<Vec<DomainStats>, Error> {
        self.stats(None, groups).await
    }

    /// Statistics of these domains only, as far as they are active: to leave out those that made a
    /// call hang.
    ///
    /// # Errors
    /// As every call.
    pub async fn domain_stats_of(
        &self,
        domains: &[Uuid],
        groups: StatsGroups,
    ) -> Result<Vec<DomainStats>, Error> {
        self.stats(Some(domains.iter().copied().collect()), groups)
            .await
    }

    /// Statistics of one domain, waiting for its monitor; `None` if it is not active.
    ///
    /// The others leave out what only the monitor knows while something else is done to the domain.
    /// Whether it is busy or frozen is found out by this: a frozen one misses the deadline.
    ///
    /// # Errors
    /// As every call; a missed deadline names the domain.
    pub async fn domain_stats_when_free(
        &self,
        domain: Uuid,
        groups: StatsGroups,
    ) -> Result<Option<DomainStats>, Error> {
        let only = HashSet::from([domain]);
        let bulk_stats = self.uri().driver().supports(Capability::BulkStats);
        let task = move |session: &mut Session| {
            if bulk_stats && !session.bulk_stats_refused() {
                bulk(session, Some(&only), groups, wanted(groups), 0)
            } else {
                one_by_one(session, Some(&only), groups)
            }
        };
        let stats = self.call_about(domain, "virDomainListGetStats", task).await;
        unless_gone(stats.map(|stats| stats.into_iter().next())).map(Option::flatten)
    }

    async fn stats(
        &self,
        only: Option<HashSet<Uuid>>,
        groups: StatsGroups,
    ) -> Result<Vec<DomainStats>, Error> {
        let call = "virConnectGetAllDomainStats";
        let only = only.map(Arc::new);
        if !self.uri().driver().supports(Capability::BulkStats) {
            let task = move |session: &mut Session| one_by_one(session, only.as_deref(), groups);
            return self.call(call, task).await;
        }
        let ask = |wanted: u32| -> Asked {
            let (connection, only) = (self.clone(), only.clone());
            let task = move |session: &mut Session| {
                if !session.bulk_stats_refused() {
                    // A domain whose monitor is busy gives what is known without it, instead of
                    // holding up all.
                    let nowait = sys::VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT;
                    match bulk(session, only.as_deref(), groups, wanted, nowait) {
                        Err(Error::NotSupported { .. }) => session.refuse_bulk_stats(),
                        other => return other,
                    }
                }
                one_by_one(session, only.as_deref(), groups)
            };
            Box::pin(async move { connection.call(call, task).await })
        };
        let patience = self.deadline() / if groups.is_dear() { 3 } else { 20 };
        let mut asked = Race::default();
        asked.asked.push(ask(wanted(groups)));
        for wanted in [wanted(groups), WITHOUT_MONITOR] {
            if let Ok(answer) = tokio::time::timeout(patience, asked.first()).await {
                return answer;
            }
            if wanted != WITHOUT_MONITOR || groups.cheap {
                asked.asked.push(ask(wanted));
            }
        }
        asked.first().await
    }
}

/// Statistics that were asked for.
///
/// A QEMU that is frozen when its monitor is asked holds up the whole bulk call, whatever its
/// flags. But from then on that call holds the domain, so the next one passes it by instead of
/// waiting (`NOWAIT`), and tells everything of its neighbours. So who is not answered soon asks
/// again, by another worker. (Dear groups wait longer for the first: who is busy answering it would
/// seem to be frozen to the second.) Should another QEMU have frozen meanwhile, what needs no
/// monitor is still told: libvirt 9.0 asks even for the processor's time, for the sake of two
/// figures that nobody wants.
type Asked = Pin<Box<dyn Future<Output = Result<Vec<DomainStats>, Error>> + Send>>;

/// The same, asked for more than once.
#[derive(Default)]
struct Race {
    asked: Vec<Asked>,
    /// The first failure: those after it may only be its consequence.
    failure: Option<Error>,
}

impl Race {
    /// The first answer, or the first failure if there is no answer. Cancel-safe.
    async fn first(&mut self) -> Result<Vec<DomainStats>, Error> {
        std::future::poll_fn(|context| {
            let mut index = 0;
            while index < self.asked.len() {
                match self.asked[index].as_mut().poll(context) {
                    Poll::Pending => index += 1,
                    Poll::Ready(Ok(stats)) => return Poll::Ready(Ok(stats)),
                    Poll::Ready(Err(error)) => {
                        drop(self.asked.remove(index));
                        let failure = self.failure.take().unwrap_or(error);
                        if self.asked.is_empty() {
                            return Poll::Ready(Err(failure));
                        }
                        self.failure = Some(failure);
                    }
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// The groups for which libvirt's QEMU driver never asks the monitor.
const WITHOUT_MONITOR: u32 = sys::VIR_DOMAIN_STATS_STATE | sys::VIR_DOMAIN_STATS_INTERFACE;

/// The groups as libvirt numbers them.
fn wanted(groups: StatsGroups) -> u32 {
    let mut wanted = sys::VIR_DOMAIN_STATS_STATE;
    if groups.cheap {
        wanted |= sys::VIR_DOMAIN_STATS_CPU_TOTAL | sys::VIR_DOMAIN_STATS_INTERFACE;
    }
    if groups.balloon {
        wanted |= sys::VIR_DOMAIN_STATS_BALLOON;
    }
    if groups.block {
        wanted |= sys::VIR_DOMAIN_STATS_BLOCK;
    }
    wanted
}

/// The active domains, or those of them that are wanted.
fn active(session: &Session, only: Option<&HashSet<Uuid>>) -> Result<Vec<Domain>, Error> {
    let mut domains = session.run("virConnectListAllDomains", |c| {
        c.list_all_domains(sys::VIR_CONNECT_LIST_DOMAINS_ACTIVE)
    })?;
    if let Some(only) = only {
        domains.retain(|domain| domain.uuid().is_ok_and(|uuid| only.contains(&uuid)));
    }
    Ok(domains)
}

fn bulk(
    session: &Session,
    only: Option<&HashSet<Uuid>>,
    groups: StatsGroups,
    wanted: u32,
    waiting: u32,
) -> Result<Vec<DomainStats>, Error> {
    let mut stats = Vec::new();
    let visit = |uuid, fields: &mut ffi::stats::Fields<'_>| {
        stats.push(decode(uuid, groups, fields));
    };
    if only.is_some() {
        let domains = active(session, only)?;
        session.run("virDomainListGetStats", |_| {
            ffi::stats::domain_stats_of(&domains, wanted, waiting, visit)
        })?;
    } else {
        let flags = sys::VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | waiting;
        session.run("virConnectGetAllDomainStats", |connection| {
            ffi::stats::all_domain_stats(connection, wanted, flags, visit)
        })?;
    }
    Ok(stats)
}

/// Fields of `virConnectGetAllDomainStats`, memory in KiB:
/// <https://libvirt.org/html/libvirt-libvirt-domain.html#virConnectGetAllDomainStats>.
///
/// Without the monitor QEMU's driver still gives what it has in its definition: `balloon.current`
/// and `.maximum`, and the names of disks. Everything else in these groups is the monitor's answer.
fn decode(uuid: Uuid, groups: StatsGroups, fields: &mut ffi::stats::Fields<'_>) -> DomainStats {
    let mut stats = DomainStats::new(uuid, DomainState::NoState);
    let (mut available, mut usable, mut unused) = (None, None, None);
    let mut answered = false;
    let mut has_disks = false;
    for (name, value) in fields {
        let counter = value.counter();
        let bytes = || counter.map(|kib| kib.saturating_mul(1024));
        match name {
            b"state.state" => {
                stats.state = DomainState::from_raw(counter.map_or(0, |state| state as u32));
            }
            b"cpu.time" => stats.cpu_time_ns = counter,
            b"vcpu.current" => stats.vcpus = counter.map(|vcpus| vcpus as u32),
            b"balloon.current" => stats.memory_current_bytes = bytes(),
            b"balloon.maximum" => stats.memory_maximum_bytes = bytes(),
            b"balloon.available" => available = bytes(),
            b"balloon.usable" => usable = bytes(),
            b"balloon.unused" => unused = bytes(),
            b"balloon.rss" => answered = true,
            b"net.count" => stats.interfaces.reserve(expected(counter)),
            b"block.count" => {
                has_disks = counter.is_some_and(|count| count > 0);
                stats.blocks.reserve(expected(counter));
            }
            _ => {
                if let Some((index, field)) = indexed(name, b"net.") {
                    interface_field(entry(&mut stats.interfaces, index), field, value);
                } else if let Some((index, field)) = indexed(name, b"block.") {
                    answered |= field == b"rd.reqs";
                    block_field(entry(&mut stats.blocks, index), field, value);
                }
            }
        }
    }
    if groups.is_dear() {
        // Without memory asked for and without a disk there is nothing to answer.
        stats.answered = Some(answered || !(groups.balloon || has_disks));
    }
    stats.memory_used_bytes = used(available, usable, unused);
    // An interface without a device on the host is counted but has neither name nor values.
    stats
        .interfaces
        .retain(|interface| !interface.name.is_empty());
    stats.blocks.retain(|block| !block.name.is_empty());
    stats
}

/// Room for as many devices as are announced, and not for what nobody has.
fn expected(count: Option<u64>) -> usize {
    count.map_or(0, |count| count.min(64) as usize)
}

/// What the guest uses: what it has, less what it could give to programs (or, from old balloons,
/// less what is free).
fn used(available: Option<u64>, usable: Option<u64>, unused: Option<u64>) -> Option<u64> {
    available?.checked_sub(usable.or(unused)?)
}

/// `net.3.rx.bytes` is `(3, "rx.bytes")` for the prefix `net.`.
pub(crate) fn indexed<'a>(name: &'a [u8], prefix: &[u8]) -> Option<(usize, &'a [u8])> {
    let rest = name.strip_prefix(prefix)?;
    let dot = rest.iter().position(|&byte| byte == b'.')?;
    let (index, field) = (&rest[..dot], &rest[dot + 1..]);
    if index.is_empty() || index.len() > MAX_DIGITS {
        return None;
    }
    let index = index.iter().try_fold(0, |number, digit| {
        let digit = usize::from(digit.wrapping_sub(b'0'));
        (digit < 10).then_some(number * 10 + digit)
    })?;
    (index < MAX_DEVICES).then_some((index, field))
}

/// Digits of the largest index.
const MAX_DIGITS: usize = 4;

/// No domain has more interfaces, disks or addresses; a host that says otherwise is not believed.
const MAX_DEVICES: usize = 1024;

pub(crate) fn entry<T: Default>(list: &mut Vec<T>, index: usize) -> &mut T {
    if list.len() <= index {
        list.resize_with(index + 1, T::default);
    }
    &mut list[index]
}

fn interface_field(interface: &mut InterfaceStats, field: &[u8], value: Value<'_>) {
    let counter = value.counter();
    match field {
        b"name" => interface.name = text(value),
        b"rx.bytes" => interface.rx_bytes = counter,
        b"rx.pkts" => interface.rx_packets = counter,
        b"rx.errs" => interface.rx_errors = counter,
        b"rx.drop" => interface.rx_dropped = counter,
        b"tx.bytes" => interface.tx_bytes = counter,
        b"tx.pkts" => interface.tx_packets = counter,
        b"tx.errs" => interface.tx_errors = counter,
        b"tx.drop" => interface.tx_dropped = counter,
        _ => {}
    }
}

fn block_field(block: &mut BlockStats, field: &[u8], value: Value<'_>) {
    let counter = value.counter();
    match field {
        b"name" => block.name = text(value),
        b"rd.bytes" => block.read_bytes = counter,
        b"rd.reqs" => block.read_requests = counter,
        b"wr.bytes" => block.written_bytes = counter,
        b"wr.reqs" => block.write_requests = counter,
        b"capacity" => block.capacity = counter,
        b"allocation" => block.allocation = counter,
        b"physical" => block.physical = counter,
        _ => {}
    }
}

fn text(value: Value<'_>) -> String {
    match value {
        Value::Text(text) => text.to_string_lossy().into_owned(),
        _ => String::new(),
    }
}

/// The names of a domain's devices, which are what their counters are asked by. They are read from
/// its definition, which is too long to be read at every poll.
#[derive(Debug)]
pub(crate) struct Devices {
    /// The running instance.
    id: Option<u32>,
    read: Instant,
    interfaces: Vec<String>,
    disks: Vec<String>,
}

/// A device that was plugged into a running domain is seen after this long at the latest.
const REREAD: Duration = Duration::from_mins(1);

/// Devices of the domains that are polled one by one.
pub(crate) type KnownDevices = HashMap<Uuid, Arc<Devices>>;

fn one_by_one(
    session: &mut Session,
    only: Option<&HashSet<Uuid>>,
    groups: StatsGroups,
) -> Result<Vec<DomainStats>, Error> {
    let domains = active(session, only)?;
    let mut stats = Vec::with_capacity(domains.len());
    let mut seen = HashSet::with_capacity(domains.len());
    for domain in &domains {
        let uuid = session.run("virDomainGetUUID", |_| domain.uuid())?;
        seen.insert(uuid);
        let read = session.about(uuid, |session| one(session, domain, uuid, groups));
        match unless_gone(read) {
            Ok(one) => stats.extend(one),
            // It stopped between listing and reading.
            Err(Error::Libvirt { fault, .. }) if fault.code == sys::VIR_ERR_OPERATION_INVALID => {}
            Err(error) => return Err(error),
        }
    }
    if only.is_none() {
        session.devices().retain(|uuid, _| seen.contains(uuid));
    }
    Ok(stats)
}

/// The devices of a domain, from the last time if it is still the same instance.
fn devices_of(session: &Session, domain: &Domain, uuid: Uuid) -> Result<Arc<Devices>, Error> {
    let id = domain.id();
    if let Some(known) = session.devices().get(&uuid)
        && known.id == id
        && known.read.elapsed() < REREAD
    {
        return Ok(Arc::clone(known));
    }
    let definition = domain::definition(session, domain)?;
    let interfaces = definition.interfaces.into_iter();
    let devices = Arc::new(Devices {
        id,
        read: Instant::now(),
        interfaces: interfaces.filter_map(|of| of.target).collect(),
        disks: (definition.disks.into_iter())
            .map(|disk| disk.target)
            .collect(),
    });
    session.devices().insert(uuid, Arc::clone(&devices));
    Ok(devices)
}

fn one(
    session: &Session,
    domain: &Domain,
    uuid: Uuid,
    groups: StatsGroups,
) -> Result<DomainStats, Error> {
    let driver = session.uri().driver();
    let info = session.run("virDomainGetInfo", |_| domain.info())?;
    let mut stats = DomainStats::new(uuid, DomainState::from_raw(info.state.to_raw()));
    stats.vcpus = Some(info.nr_virt_cpu);
    stats.memory_current_bytes = Some(info.memory.saturating_mul(1024));
    stats.memory_maximum_bytes = Some(info.max_mem.saturating_mul(1024));
    // No monitor is between: what answers has answered.
    stats.answered = groups.is_dear().then_some(true);
    if groups.cheap {
        stats.cpu_time_ns = Some(info.cpu_time);
    }
    let devices = devices_of(session, domain, uuid)?;
    // A device that does not answer may have been unplugged.
    let mut is_complete = true;
    if groups.cheap && driver.supports(Capability::InterfaceStats) {
        for name in &devices.interfaces {
            let counters = session.run("virDomainInterfaceStats", |_| domain.interface_stats(name));
            let Some(counters) = unless_silent(counters)? else {
                is_complete = false;
                continue;
            };
            stats.interfaces.push(InterfaceStats {
                name: name.clone(),
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
        for name in &devices.disks {
            let counters = session.run("virDomainBlockStats", |_| domain.block_stats(name));
            let sizes = session.run("virDomainGetBlockInfo", |_| {
                ffi::domain::block_info(domain, name)
            });
            let counters = unless_silent(counters)?;
            let sizes = unless_silent(sizes)?;
            if counters.is_none() && sizes.is_none() {
                is_complete = false;
                continue;
            }
            let counted = counters.as_ref();
            stats.blocks.push(BlockStats {
                name: name.clone(),
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
    if !is_complete {
        session.devices().remove(&uuid);
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

    fn decoded(groups: StatsGroups, fields: &[(&str, Value<'_>)]) -> DomainStats {
        let mut fields = fields.iter().map(|&(name, value)| (name.as_bytes(), value));
        decode(Uuid::nil(), groups, &mut fields)
    }

    #[test]
    fn bulk_fields_are_decoded() {
        let fields = [
            ("state.state", Value::Signed(1)),
            ("cpu.time", Value::Unsigned(123)),
            ("balloon.current", Value::Unsigned(2048)),
            ("balloon.available", Value::Unsigned(2000)),
            ("balloon.usable", Value::Unsigned(500)),
            ("balloon.unused", Value::Unsigned(100)),
            ("balloon.rss", Value::Unsigned(100)),
            ("net.count", Value::Unsigned(2)),
            ("net.1.name", Value::Text(c"vnet1")),
            ("net.1.rx.bytes", Value::Unsigned(7)),
            ("net.1.tx.drop", Value::Signed(-1)),
            ("block.count", Value::Unsigned(u64::MAX)),
            ("block.0.name", Value::Text(c"vda")),
            ("block.0.rd.bytes", Value::Unsigned(9)),
            ("block.0.physical", Value::Unsigned(11)),
            ("net.99999999999.name", Value::Text(c"far")),
            ("net.5000.name", Value::Text(c"far")),
            ("net..name", Value::Text(c"none")),
            ("net.x.name", Value::Text(c"none")),
            ("novelty.7.x", Value::Double(0.5)),
        ];
        let stats = decoded(StatsGroups::ALL, &fields);
        assert_eq!(stats.state, DomainState::Running);
        assert_eq!(stats.cpu_time_ns, Some(123));
        assert_eq!(stats.memory_current_bytes, Some(2048 << 10));
        assert_eq!(stats.memory_used_bytes, Some(1500 << 10));
        assert_eq!(stats.answered, Some(true));
        // net.0 is a tunnel without a device: it has no name and no counters.
        assert_eq!(stats.interfaces.len(), 1);
        assert_eq!(stats.interfaces[0].name, "vnet1");
        assert_eq!(stats.interfaces[0].rx_bytes, Some(7));
        assert_eq!(stats.interfaces[0].tx_dropped, None);
        assert_eq!(stats.blocks[0].read_bytes, Some(9));
        assert_eq!(stats.blocks[0].physical, Some(11));
    }

    #[test]
    fn a_monitor_that_did_not_answer_is_noticed() {
        // What QEMU's driver gives without it.
        let silent = [
            ("balloon.current", Value::Unsigned(2048)),
            ("balloon.maximum", Value::Unsigned(2048)),
            ("block.count", Value::Unsigned(1)),
            ("block.0.name", Value::Text(c"vda")),
        ];
        let answered = |groups, fields| decoded(groups, fields).answered;
        assert_eq!(answered(StatsGroups::DEAR, &silent), Some(false));
        assert_eq!(answered(StatsGroups::CHEAP, &silent), None);
        let block = StatsGroups {
            balloon: false,
            ..StatsGroups::DEAR
        };
        assert_eq!(answered(block, &silent), Some(false));
        let without_disks = [("block.count", Value::Unsigned(0))];
        assert_eq!(answered(block, &without_disks), Some(true));
        assert_eq!(answered(StatsGroups::DEAR, &without_disks), Some(false));
        let reads = [("block.0.rd.reqs", Value::Unsigned(0))];
        assert_eq!(answered(block, &reads), Some(true));
    }

    #[tokio::test]
    async fn definitions_are_not_read_at_every_poll_and_the_gone_are_forgotten() {
        let (connection, _directory) = crate::testing::host(crate::testing::ONE).await;
        let known = async || {
            let read = |session: &mut Session| {
                let devices = session.devices();
                Ok(devices.values().map(|of| (of.id, of.read)).next())
            };
            connection.call("reading", read).await.unwrap()
        };
        let poll = async || connection.domain_stats(StatsGroups::CHEAP).await.unwrap();
        assert_eq!(known().await, None);
        assert_eq!(poll().await.len(), 1);
        let first = known().await.unwrap();
        poll().await;
        assert_eq!(known().await, Some(first));
        let restart = |session: &mut Session| {
            let domain = session.run("virDomainLookupByName", |connection| {
                connection.lookup_domain_by_name("test")
            })?;
            session.run("virDomainDestroy", |_| domain.destroy())?;
            session.run("virDomainCreate", |_| domain.create().map(drop))
        };
        connection.call("restarting", restart).await.unwrap();
        poll().await;
        let second = known().await.unwrap();
        assert_ne!(second.0, first.0);
        let stop = |session: &mut Session| {
            let domain = session.run("virDomainLookupByName", |connection| {
                connection.lookup_domain_by_name("test")
            })?;
            session.run("virDomainDestroy", |_| domain.destroy())
        };
        connection.call("stopping", stop).await.unwrap();
        assert_eq!(poll().await.len(), 0);
        assert_eq!(known().await, None);
    }

    #[test]
    fn memory_in_use_is_unknown_without_a_balloon() {
        assert_eq!(used(None, Some(1), None), None);
        assert_eq!(used(Some(10), None, None), None);
        assert_eq!(used(Some(10), None, Some(4)), Some(6));
        assert_eq!(used(Some(10), Some(11), None), None);
    }

    #[tokio::test]
    async fn the_first_answer_counts_and_a_failure_only_when_there_is_none() {
        let ok = || -> Asked { Box::pin(async { Ok(Vec::new()) }) };
        let late = || -> Asked { Box::pin(std::future::pending()) };
        let lost = |reason: &str| -> Asked {
            let reason = reason.to_owned();
            Box::pin(async { Err(Error::Lost { reason }) })
        };
        let first = async |asked| {
            let failure = None;
            Race { asked, failure }.first().await
        };
        assert_eq!(first(vec![late(), ok()]).await, Ok(Vec::new()));
        assert_eq!(first(vec![lost("a"), ok(), late()]).await, Ok(Vec::new()));
        let reason = "a".to_owned();
        let failed = first(vec![lost("a"), lost("b")]).await;
        assert_eq!(failed, Err(Error::Lost { reason }));
    }
}
