//! What a host is: its name, hardware, identity and versions.

use uuid::Uuid;
use virt::connect::Connect;

use crate::connection::Connection;
use crate::driver::Capability;
use crate::error::Error;
use crate::ffi;
use crate::xml::capabilities_host_uuid;

/// A host's processors and memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInfo {
    /// The processors' architecture as libvirt names it (`x86_64`).
    pub cpu_model: String,
    /// Memory, bytes.
    pub memory_bytes: u64,
    /// Active processors (hardware threads).
    pub cpus: u32,
    /// Clock, MHz; `None` where it is not known.
    pub mhz: Option<u32>,
    /// NUMA nodes.
    pub nodes: u32,
    /// Sockets a node.
    pub sockets: u32,
    /// Cores a socket.
    pub cores: u32,
    /// Threads a core.
    pub threads: u32,
}

/// The software of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions {
    /// libvirt on the host, `9.0.0`.
    pub libvirt: String,
    /// The hypervisor, `7.2.0`; `None` where the driver does not say.
    pub hypervisor: Option<String>,
    /// What libvirt calls the hypervisor: `QEMU`, `Xen`, `LXC`, `TEST`.
    pub kind: String,
}

/// What the host's processors did since it started, all of them together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeCpuStats {
    /// Time in programs (guests included), ns.
    pub user_ns: Option<u64>,
    /// Time in the kernel, ns.
    pub system_ns: Option<u64>,
    /// Time without work, ns.
    pub idle_ns: Option<u64>,
    /// Time without work but for waiting for disks, ns.
    pub iowait_ns: Option<u64>,
}

/// The host's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeMemoryStats {
    /// All, bytes.
    pub total_bytes: Option<u64>,
    /// Unused, bytes.
    pub free_bytes: Option<u64>,
    /// In block devices' buffers, bytes: free if need be.
    pub buffers_bytes: Option<u64>,
    /// In the cache of files, bytes: free if need be.
    pub cached_bytes: Option<u64>,
}

impl Connection {
    /// The host's own name.
    ///
    /// # Errors
    /// As every call.
    pub async fn hostname(&self) -> Result<String, Error> {
        let call = "virConnectGetHostname";
        self.call(call, move |session| session.run(call, Connect::hostname))
            .await
    }

    /// The host's processors and memory.
    ///
    /// # Errors
    /// As every call.
    pub async fn node_info(&self) -> Result<NodeInfo, Error> {
        let call = "virNodeGetInfo";
        let info = self.call(call, move |session| session.run(call, Connect::node_info));
        let info = info.await?;
        Ok(NodeInfo {
            cpu_model: info.model,
            memory_bytes: info.memory.saturating_mul(1024),
            cpus: info.cpus,
            mhz: (info.mhz > 0).then_some(info.mhz),
            nodes: info.nodes,
            sockets: info.sockets,
            cores: info.cores,
            threads: info.threads,
        })
    }

    /// What the host's processors did. What it does not tell is `None`.
    ///
    /// # Errors
    /// [`Error::NotSupported`] by drivers that lack it; else as every call.
    pub async fn node_cpu_stats(&self) -> Result<NodeCpuStats, Error> {
        let call = "virNodeGetCPUStats";
        self.needs(Capability::NodeCpuStats, call)?;
        self.call(call, move |session| {
            let mut stats = NodeCpuStats::default();
            session.run(call, |connection| {
                ffi::stats::node_cpu_stats(connection, |name, ns| match name {
                    b"user" => stats.user_ns = Some(ns),
                    b"kernel" => stats.system_ns = Some(ns),
                    b"idle" => stats.idle_ns = Some(ns),
                    b"iowait" => stats.iowait_ns = Some(ns),
                    _ => {}
                })
            })?;
            Ok(stats)
        })
        .await
    }

    /// The host's memory, used and free. What it does not tell is `None`.
    ///
    /// # Errors
    /// [`Error::NotSupported`] by drivers that lack it; else as every call.
    pub async fn node_memory_stats(&self) -> Result<NodeMemoryStats, Error> {
        let call = "virNodeGetMemoryStats";
        self.needs(Capability::NodeMemoryStats, call)?;
        self.call(call, move |session| {
            let mut stats = NodeMemoryStats::default();
            session.run(call, |connection| {
                ffi::stats::node_memory_stats(connection, |name, kib| {
                    let bytes = Some(kib.saturating_mul(1024));
                    match name {
                        b"total" => stats.total_bytes = bytes,
                        b"free" => stats.free_bytes = bytes,
                        b"buffers" => stats.buffers_bytes = bytes,
                        b"cached" => stats.cached_bytes = bytes,
                        _ => {}
                    }
                })
            })?;
            Ok(stats)
        })
        .await
    }

    /// Memory that nothing uses, bytes. The cache of files counts as used, though it would give way:
    /// [`node_memory_stats`](Self::node_memory_stats) tells them apart, where the driver has it.
    ///
    /// # Errors
    /// As every call; and libvirt takes none at all for an error, without a cause.
    pub async fn free_memory(&self) -> Result<u64, Error> {
        let call = "virNodeGetFreeMemory";
        self.call(call, move |session| session.run(call, Connect::free_memory))
            .await
    }

    /// The host's UUID. Evidence, not identity: cheap hardware repeats it, and the `qemu` and `lxc`
    /// drivers of one machine report the same. `None` where the driver has none.
    ///
    /// # Errors
    /// As every call.
    pub async fn host_uuid(&self) -> Result<Option<Uuid>, Error> {
        if !self.uri().driver().supports(Capability::HostUuid) {
            return Ok(None);
        }
        let call = "virConnectGetCapabilities";
        let xml = self
            .call(call, move |session| {
                session.run(call, Connect::capabilities)
            })
            .await?;
        capabilities_host_uuid(&xml).map_err(|reason| Error::Xml {
            what: "the host's capabilities".to_owned(),
            reason: reason.to_string(),
        })
    }

    /// Versions of libvirt and the hypervisor.
    ///
    /// # Errors
    /// As every call.
    pub async fn versions(&self) -> Result<Versions, Error> {
        self.call("virConnectGetLibVersion", |session| {
            let libvirt = session.run("virConnectGetLibVersion", Connect::lib_version)?;
            let kind = session.run("virConnectGetType", Connect::driver_type)?;
            // LXC has the kernel's version, others may have none at all.
            let hypervisor = match session.run("virConnectGetVersion", Connect::hyp_version) {
                Ok(version) => Some(dotted(version)),
                Err(Error::Libvirt { .. } | Error::NotSupported { .. }) => None,
                Err(error) => return Err(error),
            };
            Ok(Versions {
                libvirt: dotted(libvirt),
                hypervisor,
                kind,
            })
        })
        .await
    }
}

/// libvirt's `major * 1,000,000 + minor * 1,000 + release`, with dots.
fn dotted(version: u32) -> String {
    format!(
        "{}.{}.{}",
        version / 1_000_000,
        version / 1_000 % 1_000,
        version % 1_000
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn versions_have_dots() {
        assert_eq!(super::dotted(9_000_000), "9.0.0");
        assert_eq!(super::dotted(10_002_034), "10.2.34");
    }
}
