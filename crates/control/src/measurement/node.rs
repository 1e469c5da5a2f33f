//! What a host itself uses.

use libvirt::{Capability, Connection, Error};

/// What a host uses, its routers included. What its driver does not tell is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NodeUse {
    /// Processor time used since it started, all processors together, ns.
    pub cpu_time_ns: Option<u64>,
    /// Memory in use, bytes: what is neither free nor could be given up at once.
    pub memory_used_bytes: Option<u64>,
}

/// Asks a host what it uses.
pub(crate) async fn node(connection: &Connection) -> Result<NodeUse, Error> {
    let driver = connection.uri().driver();
    let mut used = NodeUse::default();
    if driver.supports(Capability::NodeCpuStats) {
        let cpu = unless_unsupported(connection.node_cpu_stats().await)?;
        used.cpu_time_ns = cpu.and_then(|cpu| cpu.user_ns?.checked_add(cpu.system_ns?));
    }
    if driver.supports(Capability::NodeMemoryStats) {
        let memory = unless_unsupported(connection.node_memory_stats().await)?;
        used.memory_used_bytes = memory.and_then(|memory| {
            let reclaimable = memory.buffers_bytes.unwrap_or(0) + memory.cached_bytes.unwrap_or(0);
            memory
                .total_bytes?
                .checked_sub(memory.free_bytes?)?
                .checked_sub(reclaimable)
        });
    }
    Ok(used)
}

/// What an old daemon does not tell is not known; that is no failure of its host.
fn unless_unsupported<T>(told: Result<T, Error>) -> Result<Option<T>, Error> {
    match told {
        Err(Error::NotSupported { .. } | Error::Libvirt { .. }) => Ok(None),
        told => told.map(Some),
    }
}
