//! Real libvirt hosts with real QEMU guests on this machine, built from a [`Plan`].
//!
//! ```text
//!  the real machine                      switch              alpha
//!  vtbN 10.199.N.254/24 ──veth── up0 ── bridge mgmt ── m1 ──veth── mgmt 10.199.N.1/24  libvirtd
//!                                            └──────── m2 ──veth── mgmt 10.199.N.2/24  (beta)
//!                                                              eth0 ──── cable ──── eth0
//! ```
//!
//! Every host, and the management switch, is a [`Machine`]: namespaces that vanish with
//! their owner. The only thing that the real machine sees is the veth end `vtbN`, whose peer
//! is in the switch and takes it along. `N` is the number of the testbed, so that several
//! can stand side by side: making `vtbN`, which only one process can, is the claim to it.
//!
//! `docs/testbed.md` says how to add a host or a guest.

mod cache;
mod control_group;
mod daemon;
mod domain;
mod fault;
mod guest;
mod host;
mod lldp;
mod machine;
mod plan;
mod plans;
mod relay;
mod router;
mod secret;

use std::{fmt::Write, net::Ipv4Addr, panic::resume_unwind, path::Path, process::Command, thread};

use anyhow::{Context, Result, bail};

use control_group::ControlGroups;
pub use fault::Fault;
pub use guest::GuestImage;
pub use host::Host;
pub use lldp::LldpClient;
pub use machine::Machine;
pub use plan::{
    BridgePlan, Cable, Driver, Flow, HostPlan, NicPlan, Plan, Plug, PoolPlan, Port, RouterPlan,
    Transport, Vxlan,
};
pub use relay::Relay;
pub use router::{Count, Traffic};
pub use secret::{Authority, Doors, SshServer};

/// How many testbeds can stand side by side.
const NUMBERS: u8 = 64;

/// A running testbed; dropped, also after a panic, every trace of it is gone.
///
/// If its process is killed, the kernel does the same: see [`Machine`].
#[derive(Debug)]
pub struct Testbed {
    // Hosts go first: dropping is in this order.
    hosts: Vec<Host>,
    uplink: Uplink,
    plan: Plan,
    switch: Machine,
}

impl Testbed {
    /// Downloads and makes, once, what any testbed needs: as any user, who need not be root.
    ///
    /// # Errors
    /// There is no network, or the cache cannot be written.
    pub fn prepare() -> Result<()> {
        GuestImage::prepare()?;
        cache::daemons()?;
        Ok(())
    }

    /// Builds what the plan describes and starts its daemons and routers. Routers boot
    /// in the background: see [`wait_routers_up`](Self::wait_routers_up).
    ///
    /// # Errors
    /// The plan is not sound, this process is not root, or a package is missing; what was
    /// built so far is taken down.
    pub fn up(plan: &Plan) -> Result<Self> {
        plan.check()?;
        let image = if plan.routers().next().is_some() {
            Some(GuestImage::prepare()?)
        } else {
            None
        };
        let switch = Machine::boot("switch", None)?;
        switch.ip("link add mgmt type bridge\nlink set mgmt up\n")?;
        let uplink = Uplink::claim(&switch)?;
        let mut names = String::from("127.0.0.1 localhost\n");
        for (number, host) in (1..).zip(&plan.hosts) {
            let _ = writeln!(names, "{} {}", uplink.address(number), host.id);
        }
        let mut hosts = Vec::new();
        for (number, host) in (1..).zip(&plan.hosts) {
            let groups = match host.driver {
                Driver::Lxc => Some(ControlGroups::make(&format!(
                    "{}-{}",
                    uplink.name, host.id
                ))?),
                Driver::Qemu => None,
            };
            let host = Host::prepare(host, uplink.address(number), &names, groups)?;
            switch.ip(&format!(
                "link add m{number} type veth peer name mgmt address {} netns {}\n\
                 link set m{number} master mgmt up\n",
                host.plan().mac,
                host.machine().pid()
            ))?;
            hosts.push(host);
        }
        let mut bed = Self {
            hosts,
            uplink,
            plan: plan.clone(),
            switch,
        };
        bed.plug_cables()?;
        for host in &mut bed.hosts {
            host.wire()?;
            host.start_daemon()?;
            host.start_others()?;
        }
        for host in &bed.hosts {
            host.wait_daemon()?;
            host.start_pools()?;
        }
        if let Some(image) = &image {
            // Side by side: they mostly wait for each other's libvirtd.
            thread::scope(|scope| {
                let starts = bed.hosts.iter();
                let starts: Vec<_> = starts
                    .map(|host| scope.spawn(|| host.start_routers(image)))
                    .collect();
                starts
                    .into_iter()
                    .try_for_each(|start| start.join().unwrap_or_else(|panic| resume_unwind(panic)))
            })?;
        }
        Ok(bed)
    }

    /// Makes the cables. Each goes through the switch, as through a patch panel, which forwards
    /// every frame from one half to the other, those of LLDP and the spanning tree protocol
    /// included: pulled there, it is seen to be gone at both ends.
    fn plug_cables(&self) -> Result<()> {
        if self.plan.cables.is_empty() {
            return Ok(());
        }
        let mut commands = String::new();
        let mut rules = String::from("table netdev cables {\n");
        for (number, cable) in (1..).zip(&self.plan.cables) {
            for (half, other, port) in [("a", "b", &cable.a), ("b", "a", &cable.b)] {
                let half = format!("c{number}{half}");
                let _ = writeln!(
                    commands,
                    "link add {half} type veth peer name {} address {} netns {}",
                    port.nic,
                    port.mac,
                    self.host(&port.host).machine().pid()
                );
                // The panel itself says nothing.
                let _ = writeln!(commands, "link set {half} addrgenmode none up");
                let _ = writeln!(
                    rules,
                    "chain {half} {{
                        type filter hook ingress device \"{half}\" priority 0
                        fwd to \"c{number}{other}\"
                    }}"
                );
            }
        }
        self.switch.ip(&commands)?;
        self.switch.nft(&(rules + "}\n"))?;
        for port in self.plan.ports() {
            let machine = self.host(&port.host).machine();
            machine.ip(&format!("link set {} up\n", port.nic))?;
        }
        Ok(())
    }

    /// The host with this id.
    ///
    /// # Panics
    /// The plan has no such host.
    pub fn host(&self, id: &str) -> &Host {
        self.hosts
            .iter()
            .find(|host| host.plan().id == id)
            .unwrap_or_else(|| panic!("the testbed has no host {id}"))
    }

    /// Both ends of the link that a host's NIC is plugged into, its own first.
    fn link(&self, host: &str, nic: &str) -> Result<[(&Machine, String); 2]> {
        let here = (self.host(host).machine(), nic.to_owned());
        if nic == "mgmt" {
            let place = self.hosts.iter().position(|other| other.plan().id == host);
            let port = format!("m{}", place.unwrap_or_default() + 1);
            return Ok([here, (&self.switch, port)]);
        }
        let (_, Cable { a, b, .. }) = self.cable(host, nic)?;
        let other = if a.host == host && a.nic == nic { b } else { a };
        Ok([here, (self.host(&other.host).machine(), other.nic.clone())])
    }

    /// What a host's NIC is plugged into in the switch, and where that leads from there.
    fn halves(&self, host: &str, nic: &str) -> Result<Vec<String>> {
        if nic == "mgmt" {
            let [_, (_, port)] = self.link(host, nic)?;
            return Ok(vec![port]);
        }
        let (number, _) = self.cable(host, nic)?;
        Ok(["a", "b"].map(|half| format!("c{number}{half}")).into())
    }

    /// The cable that ends at a host's NIC, with its number.
    fn cable(&self, host: &str, nic: &str) -> Result<(usize, &Cable)> {
        let mut cables = (1..).zip(&self.plan.cables);
        let cable = cables.find(|(_, Cable { a, b, .. })| {
            [a, b]
                .iter()
                .any(|port| port.host == host && port.nic == nic)
        });
        cable.with_context(|| format!("no cable ends at {nic} of {host}"))
    }

    /// All hosts, in the order of the plan.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Where all cables and the management network come together.
    pub fn switch(&self) -> &Machine {
        &self.switch
    }

    /// What it was built from.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The only interface that the real machine sees.
    pub fn uplink(&self) -> &str {
        &self.uplink.name
    }

    /// Waits until every router has booted.
    ///
    /// # Errors
    /// One has not within two minutes; the sentence holds its console.
    pub fn wait_routers_up(&self) -> Result<()> {
        self.for_each_router(Host::wait_router)
    }

    /// Waits until every router that pings another has reached it, from now on.
    ///
    /// # Errors
    /// One has not within two minutes.
    pub fn check_forwarding(&self) -> Result<()> {
        self.for_each_router(Host::wait_ping)
    }

    fn for_each_router(&self, act: impl Fn(&Host, &RouterPlan) -> Result<()>) -> Result<()> {
        for host in &self.hosts {
            for router in &host.plan().routers {
                act(host, router)?;
            }
        }
        Ok(())
    }

    /// The configuration with which `vms serve` takes care of this testbed. Hosts that hear each
    /// other are asked whom, by a socket, for which `vms` needs an [`LldpClient`] in its path; the
    /// cables of the others are declared.
    pub fn config(&self) -> String {
        self.config_with(Host::uri)
    }

    /// The same, with another way to reach some hosts: a [`Relay`], TLS or SSH.
    pub fn config_with(&self, uri: impl Fn(&Host) -> String) -> String {
        self.write_config(uri, |_| false)
    }

    /// The same, and hosts with tunnels are asked by SSH where they lead and what goes over their
    /// interfaces, for which `vms` needs the keys of its [`Doors`].
    pub fn config_with_tunnels(&self) -> String {
        self.write_config(Host::uri, |host| {
            let mut bridges = host.plan().bridges.iter();
            bridges.any(|bridge| bridge.tunnel.is_some())
        })
    }

    fn write_config(
        &self,
        uri: impl Fn(&Host) -> String,
        is_asked_for_tunnels: impl Fn(&Host) -> bool,
    ) -> String {
        let mut text = String::new();
        for host in &self.hosts {
            let _ = writeln!(
                text,
                "[[host]]\nid = \"{}\"\nuri = \"{}\"",
                host.plan().id,
                uri(host)
            );
            if host.plan().lldp {
                let _ = writeln!(text, "lldp = \"unix:{}\"", host.lldp_socket().display());
            }
            if let Some(transport) = &host.plan().transport {
                let _ = writeln!(text, "transport = \"{}\"", transport.address);
            }
            if is_asked_for_tunnels(host) {
                let (address, key) = (host.address(), &host.plan().id);
                for question in ["vxlan", "traffic"] {
                    let _ = writeln!(text, "{question} = \"ssh://root@{address}\"");
                }
                let _ = writeln!(text, "key = \"{key}\"");
            }
            text.push('\n');
        }
        let hears = |port: &Port| self.host(&port.host).plan().lldp;
        for Cable { a, b, capacity } in &self.plan.cables {
            if hears(a) && hears(b) {
                continue;
            }
            let _ = writeln!(
                text,
                "[[link]]\na = \"{}:{}\"\nb = \"{}:{}\"\ncapacity = \"{capacity}\"\n",
                a.host, a.nic, b.host, b.nic
            );
        }
        text
    }
}

/// The veth pair between the real machine and the management switch.
#[derive(Debug)]
struct Uplink {
    name: String,
    number: u8,
}

impl Uplink {
    /// Takes the first free number.
    fn claim(switch: &Machine) -> Result<Self> {
        for number in 0..NUMBERS {
            let name = format!("vtb{number}");
            let switch_pid = switch.pid().to_string();
            let add = ["link", "add", &name, "type", "veth", "peer", "name", "up0"];
            match ip(&[&add[..], &["netns", &switch_pid]].concat()) {
                Ok(()) => {}
                Err(error) if error.to_string().contains("File exists") => continue,
                Err(error) => return Err(error),
            }
            let uplink = Self { name, number };
            let own = format!("{}/24", uplink.address(254));
            ip(&["addr", "add", &own, "dev", &uplink.name])?;
            ip(&["link", "set", &uplink.name, "up"])?;
            switch.ip("link set up0 master mgmt up\n")?;
            return Ok(uplink);
        }
        bail!("{NUMBERS} testbeds are running on this machine, and there are no more numbers");
    }

    fn address(&self, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 199, self.number, host)
    }
}

impl Drop for Uplink {
    fn drop(&mut self) {
        // It would go with the switch, but only some time later.
        let present = Path::new("/sys/class/net").join(&self.name).exists();
        if present && let Err(error) = ip(&["link", "del", &self.name]) {
            eprintln!("cannot remove {}: {error}", self.name);
        }
    }
}

fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ip")
        .args(arguments)
        .output()
        .context("cannot run ip (package iproute2)")?;
    machine::text("ip", &output)?;
    Ok(())
}
