//! What VMS tells of the testbed's wiring is what was planned: nothing more, nothing less, and
//! nothing declared. A cable that is pulled is seen, forgotten and found again, the history has the
//! rates at which routers say that they send, and cables carry what the hosts' kernels count.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::Ipv4Addr,
    process::Command,
    thread::sleep,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use end2end::{
    Scratch, VmsProcess, client,
    testbed::{
        Cable, Count, Doors, Driver, HostPlan, LldpClient, NicPlan, Plan, Plug, RouterPlan,
        SshServer, Testbed, Vxlan,
    },
    until,
    vms_process::binary,
};
use serde_json::{Value, json};

/// How long a change in the network may take to be noticed, on a loaded machine.
const SOON: Duration = Duration::from_secs(20);
/// How soon a pulled cable must show by the states of the NICs.
const DOWN: Duration = Duration::from_secs(2);
/// How long rates are compared: a packet more or less at either end, or a guest that catches up
/// with a second's worth of them, is little of that.
const MEASURED: Duration = Duration::from_mins(1);
/// How long what cables carry is compared: hosts are asked once a second.
const CARRIED: Duration = Duration::from_secs(30);
/// How long `lldpd` on the testbed believes a neighbour without a word.
const HOLD: Duration = Duration::from_secs(4);

/// VMS over a testbed, asked every second whom its hosts hear.
struct Serving {
    vms: VmsProcess,
    _client: LldpClient,
    _files: Scratch,
}

impl Serving {
    fn start(bed: &Testbed, config: &str, prepare: impl Fn(&std::path::Path)) -> Self {
        let (files, client) = (Scratch::new().unwrap(), LldpClient::new().unwrap());
        let (file, data) = (files.path().join("vms.toml"), files.path().join("data"));
        fs::create_dir(&data).unwrap();
        prepare(&data);
        let settings = "sample_interval = \"1s\"\nfacts_interval = \"500ms\"\n\
                        relist_interval = \"5s\"\nlldp_interval = \"1s\"\n\n";
        fs::write(&file, format!("{settings}{config}")).unwrap();
        let path = client.path().unwrap();
        let serving = Self {
            vms: VmsProcess::serve_with_path(&file, &data, path).unwrap(),
            _client: client,
            _files: files,
        };
        let all = bed.plan().cables.len();
        until("all cables to be heard", SOON, || {
            let links = serving.cables();
            let heard = links.iter().filter(|link| heard_by(link).len() == 2);
            Ok((heard.count() == all).then_some(()))
        })
        .unwrap_or_else(|error| panic!("{error}: {}", serving.vms.log()));
        serving
    }

    /// The topology now.
    fn topology(&self) -> Value {
        self.told("topology")
    }

    /// What a command of the command line tells.
    fn told(&self, command: &str) -> Value {
        let output = Command::new(binary().unwrap())
            .args([command, "--json", "--server", &self.vms.url("")])
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The segments, each by its members.
    fn segments(&self) -> BTreeSet<BTreeSet<String>> {
        let topology = self.topology();
        list(&topology["segments"]).iter().map(members).collect()
    }

    /// The physical links.
    fn cables(&self) -> Vec<Value> {
        let topology = self.topology();
        let links = topology["links"].as_array().unwrap().iter();
        let physical = links.filter(|link| link["kind"] == "physical");
        physical.cloned().collect()
    }

    /// Waits until every host with tunnels has told where they lead.
    fn wait_vxlans(&self, bed: &Testbed) {
        until("all tunnels to be told", SOON, || {
            let topology = self.topology();
            let links = list(&topology["links"]).iter();
            let told = links.flat_map(|link| told_by(link, "vxlan"));
            Ok((told.collect::<BTreeSet<_>>() == tunnelling(bed.plan())).then_some(()))
        })
        .unwrap_or_else(|error| panic!("{error}: {}", self.vms.log()));
    }

    /// The link of a cable, if it is told of.
    fn cable(&self, cable: &Cable) -> Option<Value> {
        let mut links = self.cables().into_iter();
        links.find(|link| ends(link) == ends_of(cable))
    }
}

/// The hosts that hear the other end of a physical link.
fn heard_by(link: &Value) -> BTreeSet<String> {
    told_by(link, "lldp")
}

/// The hosts that say in this way that a link exists.
fn told_by(link: &Value, kind: &str) -> BTreeSet<String> {
    let sources = list(&link["sources"]).iter();
    let told = sources.filter(|source| source["kind"] == kind);
    told.map(|source| text(&source["host"])).collect()
}

/// The hosts with tunnels.
fn tunnelling(plan: &Plan) -> BTreeSet<String> {
    let has_tunnel = |host: &&HostPlan| host.bridges.iter().any(|bridge| bridge.tunnel.is_some());
    let hosts = plan.hosts.iter().filter(has_tunnel);
    hosts.map(|host| host.id.clone()).collect()
}

fn ends(link: &Value) -> BTreeSet<(String, String)> {
    let end = |side: &str| (text(&link[side]["host"]), text(&link[side]["interface"]));
    [end("a"), end("b")].into()
}

fn ends_of(cable: &Cable) -> BTreeSet<(String, String)> {
    [&cable.a, &cable.b]
        .map(|port| (port.host.clone(), port.nic.clone()))
        .into()
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The interfaces of a host by name: kind, MAC address, and ports. The end of a tunnel has a MAC
/// address of its own making.
fn planned_interfaces(plan: &Plan, host: &HostPlan) -> BTreeMap<String, Value> {
    let mut interfaces = BTreeMap::new();
    let mut add = |name: &str, kind: &str, mac: Option<&String>, ports: BTreeSet<String>| {
        interfaces.insert(name.to_owned(), json!([kind, mac, ports]));
    };
    add("mgmt", "ethernet", Some(&host.mac), BTreeSet::new());
    for port in plan.ports().filter(|port| port.host == host.id) {
        add(&port.nic, "ethernet", Some(&port.mac), BTreeSet::new());
    }
    for bridge in &host.bridges {
        let tunnel = (bridge.tunnel.iter()).map(|tunnel| format!("vx{}", tunnel.id));
        let tunnel: Vec<_> = tunnel.collect();
        for name in &tunnel {
            add(name, "ethernet", None, BTreeSet::new());
        }
        let ports = bridge.ports.iter().cloned().chain(tunnel);
        add(&bridge.name, "bridge", Some(&bridge.mac), ports.collect());
    }
    interfaces
}

fn told_interfaces(host: &Value) -> BTreeMap<String, Value> {
    let interfaces = list(&host["interfaces"]).iter().map(|interface| {
        let name = text(&interface["name"]);
        assert_eq!(interface["state"], "up", "{name}");
        assert_eq!(interface["neighbors"], json!([]), "{name}");
        let ports: BTreeSet<_> = list(&interface["ports"]).iter().map(text).collect();
        let is_tunnel = name.starts_with("vx");
        let mac = Some(&interface["mac"]).filter(|_| !is_tunnel);
        (name, json!([interface["kind"], mac, ports]))
    });
    interfaces.collect()
}

/// A router's NIC: kind and name of what it is plugged into, by MAC address.
fn planned_nic(nic: &NicPlan) -> (String, Value) {
    let plug = match &nic.plug {
        Plug::Bridge(bridge) => json!(["bridge", bridge]),
        Plug::Multicast(group) => json!(["multicast", group.to_string()]),
        Plug::Udp { local, remote } => json!(["udp", format!("{local} → {remote}")]),
    };
    (nic.mac.clone(), plug)
}

/// Who is on one wire with whom: the ports of a bridge, the bridges of hosts whose ports are
/// connected by cables or by VXLAN, a multicast group, a UDP link.
fn planned_segments(plan: &Plan) -> BTreeSet<BTreeSet<String>> {
    let bridge_of = |host: &HostPlan, bridge: &str| {
        let mut bridges = host.bridges.iter();
        let found = bridges.find(|known| known.name == bridge).unwrap();
        match &found.tunnel {
            _ if !found.ports.is_empty() => "cables".to_owned(),
            Some(Vxlan { id, group }) => format!("{id} {group}"),
            None => format!("{} {bridge}", host.id),
        }
    };
    let mut segments: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (host, router) in plan.routers() {
        for nic in &router.nics {
            let wire = match &nic.plug {
                Plug::Bridge(bridge) => bridge_of(host, bridge),
                Plug::Multicast(group) => group.to_string(),
                Plug::Udp { local, remote } => {
                    format!("{} {}", local.min(remote), local.max(remote))
                }
            };
            let members = segments.entry(wire).or_default();
            members.insert(format!("{} {}", router.uuid, nic.mac));
        }
    }
    segments.into_values().collect()
}

/// The members of a segment.
fn members(segment: &Value) -> BTreeSet<String> {
    list(&segment["members"]).iter().map(member).collect()
}

fn member(end: &Value) -> String {
    format!("{} {}", text(&end["router"]), text(&end["interface"]))
}

/// The virtual links by their ends, each the members there: one, or those of a segment of three or
/// more.
type Ends = BTreeSet<BTreeSet<String>>;

fn planned_virtual_links(segments: &BTreeSet<BTreeSet<String>>) -> BTreeSet<Ends> {
    let one = |member: &String| BTreeSet::from([member.clone()]);
    let of_segment = |members: &BTreeSet<String>| -> BTreeSet<Ends> {
        match members.len() {
            0 | 1 => BTreeSet::new(),
            2 => [members.iter().map(one).collect()].into(),
            _ => {
                let links = members.iter();
                links
                    .map(|end| [one(end), members.clone()].into())
                    .collect()
            }
        }
    };
    segments.iter().flat_map(of_segment).collect()
}

#[test]
fn the_topology_is_the_plan_and_the_rates_are_the_generators() {
    let bed = Testbed::up(&Plan::testbed()).unwrap();
    bed.wait_routers_up().unwrap();
    let doors = Doors::open(&bed).unwrap();
    let serving = Serving::start(&bed, &bed.config_with_tunnels(), |data| {
        doors.hand_over(data).unwrap();
    });
    serving.wait_vxlans(&bed);
    let found = client::python("pilot.py", &["read", &serving.vms.url("")]).unwrap();
    for version in ["1.1", "1.2"] {
        assert_is_the_plan(bed.plan(), &found[version]["topologies"]["combined"]);
    }
    assert_rates(&bed, &serving.vms);
    assert_cables(&bed, &serving);
    let unplugged = "link set vx42 nomaster\n";
    bed.host("gamma").machine().ip(unplugged).unwrap();
    let all = planned_segments(bed.plan());
    until("gamma's bridge to be apart", SOON, || {
        let apart = serving
            .segments()
            .difference(&all)
            .cloned()
            .collect::<Vec<_>>();
        let mut sizes: Vec<_> = apart.iter().map(BTreeSet::len).collect();
        sizes.sort_unstable();
        Ok((sizes == [1, 6]).then_some(()))
    })
    .unwrap();
    let plugged = "link set vx42 master br-blue\n";
    bed.host("gamma").machine().ip(plugged).unwrap();
    until("gamma's bridge to be back", SOON, || {
        Ok((serving.segments() == all).then_some(()))
    })
    .unwrap();

    // Who cannot be asked any more leads where it led, as of then.
    let told = |serving: &Serving| {
        let topology = serving.topology();
        let links = list(&topology["links"]).iter();
        let sources = links.flat_map(|link| list(&link["sources"]));
        let told = sources.filter(|source| source["kind"] == "vxlan");
        let told: BTreeMap<_, _> = told
            .map(|source| (text(&source["host"]), text(&source["asOf"])))
            .collect();
        (told, topology["segments"].clone())
    };
    drop(doors);
    let tunnelling = tunnelling(bed.plan());
    until("the tunnels not to be known", 2 * SOON, || {
        let log = serving.vms.log();
        let said = log.matches("where its VXLANs lead is not known").count();
        Ok((said == tunnelling.len()).then_some(()))
    })
    .unwrap();
    let before = told(&serving);
    assert_eq!(
        before.0.keys().cloned().collect::<BTreeSet<_>>(),
        tunnelling
    );
    sleep(Duration::from_secs(6));
    assert_eq!(told(&serving), before);
    // Nor is it known any more what cables carry.
    let load = serving.told("load");
    let counted: BTreeSet<_> = (list(&load["links"]).iter())
        .map(|link| text(&link["link"]))
        .collect();
    for cable in serving.cables() {
        assert!(!counted.contains(&text(&cable["id"])), "{cable}");
    }
}

fn assert_is_the_plan(plan: &Plan, topology: &Value) {
    let hosts = list(&topology["hosts"]);
    let told: BTreeMap<_, _> = hosts.iter().map(|host| (text(&host["id"]), host)).collect();
    let planned: BTreeSet<_> = plan.hosts.iter().map(|host| host.id.clone()).collect();
    assert_eq!(told.keys().cloned().collect::<BTreeSet<_>>(), planned);
    for host in &plan.hosts {
        let told = told[&host.id];
        assert_eq!(
            json!([told["state"], told["hostname"], told["uuid"]]),
            json!(["online", host.id, host.uuid])
        );
        assert_eq!(
            told_interfaces(told),
            planned_interfaces(plan, host),
            "{}",
            host.id
        );
    }

    let router = |host: &HostPlan, router: &RouterPlan| {
        let driver = match host.driver {
            Driver::Qemu => "qemu",
            Driver::Lxc => "lxc",
        };
        let nics: BTreeMap<_, _> = router.nics.iter().map(planned_nic).collect();
        json!([
            host.id,
            driver,
            router.name,
            "running",
            router.network,
            nics
        ])
    };
    let planned: BTreeMap<_, _> = plan
        .routers()
        .map(|(host, of)| (of.uuid.clone(), router(host, of)))
        .collect();
    let routers = list(&topology["routers"]).iter().map(|router| {
        let nics = list(&router["interfaces"]).iter().map(|nic| {
            let plug = json!([nic["kind"], nic["source"]]);
            (text(&nic["mac"]), plug)
        });
        let nics: BTreeMap<_, _> = nics.collect();
        let of = ["host", "driver", "name", "state", "virtualNetwork"];
        let mut told: Vec<_> = of.iter().map(|key| router[key].clone()).collect();
        told.push(json!(nics));
        (text(&router["id"]), Value::from(told))
    });
    assert_eq!(routers.collect::<BTreeMap<_, _>>(), planned);
    assert_addresses(plan, topology);

    let segments = list(&topology["segments"]);
    let planned = planned_segments(plan);
    assert_eq!(
        segments.iter().map(members).collect::<BTreeSet<_>>(),
        planned
    );
    assert_eq!(segments.len(), planned.len());

    let by_id: BTreeMap<_, _> = segments
        .iter()
        .map(|segment| (text(&segment["id"]), members(segment)))
        .collect();
    let links = list(&topology["links"]);
    let (physical, virtual_links): (Vec<_>, Vec<_>) =
        links.iter().partition(|link| link["kind"] == "physical");
    for link in &virtual_links {
        assert_is_told_by_its_ends(plan, link);
    }
    let told = virtual_links.iter().map(|link| {
        let end = |side: &str| match link[side]["segment"].as_str() {
            Some(id) => by_id[id].clone(),
            None => [member(&link[side])].into(),
        };
        Ends::from([end("a"), end("b")])
    });
    let planned = planned_virtual_links(&planned);
    assert_eq!(told.collect::<BTreeSet<_>>(), planned);
    assert_eq!(virtual_links.len(), planned.len());

    let told: BTreeSet<_> = physical.iter().map(|link| ends(link)).collect();
    let planned = plan.cables.iter().map(ends_of);
    assert_eq!(told, planned.collect::<BTreeSet<_>>());
    assert_eq!(physical.len(), plan.cables.len());
    for link in physical {
        let hosts = ends(link).into_iter().map(|(host, _)| host);
        assert_eq!(heard_by(link), hosts.collect::<BTreeSet<_>>());
        // Both ends hear it, and nobody else says anything.
        assert_eq!(list(&link["sources"]).len(), 2, "{link}");
        assert_eq!(link["conflict"], Value::Null, "{link}");
        assert_eq!(link["state"], "up", "{link}");
        // What this kernel says of all veth pairs.
        assert_eq!(link["capacityBitsPerSecond"], 10_000_000_000_u64, "{link}");
    }
}

/// libvirt tells of every virtual link, and of one that a tunnel carries the host of each router's
/// end, too.
fn assert_is_told_by_its_ends(plan: &Plan, link: &Value) {
    let mut hosts = BTreeSet::new();
    for end in [&link["a"], &link["b"]] {
        let nic = end["interface"].as_str();
        let mut found = plan.routers().flat_map(|(host, router)| {
            let nics = router.nics.iter();
            nics.filter(|of| Some(&*of.mac) == nic)
                .map(move |of| (host, of))
        });
        if let Some((host, nic)) = found.next() {
            let mut bridges = host.bridges.iter();
            if bridges.any(|of| Some(&*of.name) == nic.bridge() && of.tunnel.is_some()) {
                hosts.insert(host.id.clone());
            }
        }
    }
    assert_eq!(told_by(link, "vxlan"), hosts, "{link}");
    assert_eq!(list(&link["sources"]).len(), 1 + hosts.len(), "{link}");
}

/// An address that is told is a planned one.
fn assert_addresses(plan: &Plan, topology: &Value) {
    let planned: BTreeMap<_, _> = plan
        .routers()
        .flat_map(|(_, router)| &router.nics)
        .map(|nic| (nic.mac.clone(), nic.address.to_string()))
        .collect();
    for router in list(&topology["routers"]) {
        for nic in list(&router["interfaces"]) {
            for address in list(&nic["addresses"]) {
                let address = text(address);
                let (address, _) = address.split_once('/').unwrap_or((&address, ""));
                assert_eq!(planned[&text(&nic["mac"])], address);
            }
        }
    }
}

/// Compares what the history has with what the routers have counted by themselves, NIC by NIC. Of
/// those on a multicast group or a UDP link the host counts nothing, and the history has nothing:
/// unknown is not zero.
fn assert_rates(bed: &Testbed, vms: &VmsProcess) {
    let watched = || -> BTreeMap<_, _> {
        let routers = bed.plan().routers().map(|(host, router)| {
            let traffic = bed.host(&host.id).traffic(&router.name).unwrap();
            (router.name.clone(), (Instant::now(), traffic))
        });
        routers.collect()
    };
    let start = next_multiple(5);
    let before = watched();
    sleep(MEASURED);
    let end = next_multiple(5);
    let own = watched().into_iter().map(|(router, (read, after))| {
        let (begun, before) = before[&router];
        let seconds = (read - begun).as_secs_f64();
        let rate = |after: Count, before: Count| (after.bytes - before.bytes) as f64 / seconds;
        let rates = Rates {
            received: rate(after.received, before.received),
            sent: rate(after.sent, before.sent),
        };
        (router, rates)
    });
    let counted = counted(bed.plan(), &own.collect());
    // The last tick is in the history by then.
    sleep(Duration::from_secs(3));
    let span = [start.to_string(), end.to_string()];
    let found = client::python("pilot.py", &["rates", &vms.url(""), &span[0], &span[1]]).unwrap();
    let told: BTreeSet<_> = found.as_object().unwrap().keys().collect();
    assert_eq!(told, counted.keys().collect::<BTreeSet<_>>());
    let mut worst: f64 = 0.0;
    for (series, counted) in &counted {
        let told = &found[series];
        assert!(told["coverage"].as_f64().unwrap() > 0.9, "{series}: {told}");
        let told = told["bytesPerSecond"].as_f64().unwrap();
        assert!(*counted > 10_000.0, "{series}: {counted} B/s");
        let off = (told - counted).abs() / counted;
        worst = worst.max(off);
        assert!(off < 0.02, "{series}: {told:.0} B/s, counted {counted:.0}");
    }
    println!(
        "rates of {} NICs over {} s: at most {:.2} % off",
        counted.len() / 2,
        end - start,
        worst * 100.0
    );
}

/// Compares what VMS says that cables carry with what the kernel of the host at each end counts as
/// sent there in the same time. Alpha is not asked: what it sends is what the others receive.
fn assert_cables(bed: &Testbed, serving: &Serving) {
    let cables = serving.cables();
    let directions: BTreeMap<_, _> = cables
        .iter()
        .flat_map(|link| {
            [("aToB", "a"), ("bToA", "b")].map(|(direction, from)| {
                let from = (text(&link[from]["host"]), text(&link[from]["interface"]));
                ((text(&link["id"]), direction), from)
            })
        })
        .collect();
    // In bits a second, as long as it is known.
    let told = || -> BTreeMap<(String, &str), f64> {
        let load = serving.told("load");
        let links = list(&load["links"]).iter();
        let flows = links.flat_map(|link| {
            ["aToB", "bToA"].map(|direction| {
                let rate = link[direction]["bitsPerSecond"].as_f64();
                Some(((text(&link["link"]), direction), rate?))
            })
        });
        let flows = flows.flatten();
        flows
            .filter(|(key, _)| directions.contains_key(key))
            .collect()
    };
    let sent = || -> BTreeMap<_, _> {
        let ends = directions.values().map(|(host, nic)| {
            let ip = ["-s", "-j", "link", "show", "dev", nic];
            let answer = bed.host(host).machine().run("ip", &ip).unwrap();
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let bytes = answer[0]["stats64"]["tx"]["bytes"].as_u64().unwrap();
            ((host, nic), (Instant::now(), bytes))
        });
        ends.collect()
    };
    until("all cables to be counted", SOON, || {
        Ok((told().len() == directions.len()).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}: {}", serving.vms.log()));

    let before = sent();
    let start = Instant::now();
    let mut told_often = Vec::new();
    while start.elapsed() < CARRIED {
        sleep(Duration::from_millis(500));
        told_often.push(told());
    }
    let after = sent();
    let (mut worst, mut busy, mut idle) = (0.0_f64, 0, 0);
    for (key, (host, nic)) in &directions {
        let ((begun, first), (ended, last)) = (before[&(host, nic)], after[&(host, nic)]);
        let counted = (last - first) as f64 * 8.0 / (ended - begun).as_secs_f64();
        let known = told_often.iter().filter_map(|told| told.get(key));
        let known: Vec<f64> = known.copied().collect();
        // A login may take longer than that on a loaded machine, but not every time.
        assert!(2 * known.len() > told_often.len(), "{host} {nic}");
        let told = known.iter().sum::<f64>() / known.len() as f64;
        println!("from {host} {nic}: {told:.0} bit/s, counted {counted:.0}");
        // A frame that says who its sender is, more or less, is all that is on an idle cable.
        let off = (told - counted).abs();
        assert!(off < 0.05 * counted + 1000.0, "{host} {nic}");
        if counted > 100_000.0 {
            busy += 1;
            worst = worst.max(off / counted);
        } else if counted < 10_000.0 {
            idle += 1;
        }
    }
    assert!(busy > 0 && idle > 0, "{busy} busy, {idle} idle");
    println!(
        "{busy} directions of cables: at most {:.2} % off; {idle} are idle",
        worst * 100.0
    );
}

/// What a router has received and sent by itself, in bytes a second.
#[derive(Clone, Copy)]
struct Rates {
    received: f64,
    sent: f64,
}

/// The bytes a second through each NIC on a bridge, by its MAC address and metric, from what the
/// routers have sent and received by themselves. A router with one NIC says it for
/// that. Through a router with several go the flows between their networks, too: each enters by
/// the NIC in its sender's network and leaves by the one in its receiver's.
fn counted(plan: &Plan, own: &BTreeMap<String, Rates>) -> BTreeMap<String, f64> {
    let flows: Vec<_> = plan
        .routers()
        .map(|(_, from)| {
            let address = from.sends.unwrap().to;
            (from, plan.owner(address).unwrap().1, address)
        })
        .collect();
    let mut rates = BTreeMap::new();
    for (_, router) in plan.routers() {
        let Rates { received, sent } = own[&router.name];
        for nic in router.nics.iter().filter(|nic| nic.bridge().is_some()) {
            let is_near = |address: Ipv4Addr| {
                let network = |address| u32::from(address) >> (32 - nic.prefix);
                network(address) == network(nic.address)
            };
            let sends_near = |from: &RouterPlan| from.nics.iter().any(|of| is_near(of.address));
            let [received, sent] = if router.nics.len() == 1 {
                [received, sent]
            } else {
                let others = flows.iter().filter(|(from, ..)| from.name != router.name);
                let entering = others.filter(|(from, to, address)| {
                    sends_near(from) && (to.name == router.name || !is_near(*address))
                });
                let others = flows.iter().filter(|(_, to, _)| to.name != router.name);
                let leaving = others.filter(|(from, _, address)| {
                    is_near(*address) && (from.name == router.name || !sends_near(from))
                });
                [
                    entering.map(|(from, ..)| own[&from.name].sent).sum(),
                    leaving.map(|(_, to, _)| own[&to.name].received).sum(),
                ]
            };
            rates.insert(format!("{} receivedBytes", nic.mac), received);
            rates.insert(format!("{} transmittedBytes", nic.mac), sent);
        }
    }
    rates
}

/// Sleeps until the time is a multiple of so many seconds, and returns it.
fn next_multiple(seconds: u64) -> u64 {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let next = (now().as_secs() / seconds + 1) * seconds;
    sleep(Duration::from_secs(next).saturating_sub(now()));
    next
}

/// The testbed's hosts and cables, without routers.
fn bare() -> Plan {
    let mut plan = Plan::testbed();
    for host in &mut plan.hosts {
        host.routers.clear();
    }
    plan
}

#[test]
fn a_pulled_cable_is_down_then_forgotten_and_back_when_plugged() {
    let bed = Testbed::up(&bare()).unwrap();
    let serving = Serving::start(&bed, &bed.config(), |_| {});
    let cable = &bed.plan().cables[0];

    let start = Instant::now();
    let pulled = bed.pull(&cable.a.host, &cable.a.nic).unwrap();
    let nics_are_down = |topology: &Value| {
        [&cable.a, &cable.b].iter().all(|port| {
            let mut hosts = list(&topology["hosts"]).iter();
            let host = hosts.find(|host| host["id"] == *port.host).unwrap();
            let mut interfaces = list(&host["interfaces"]).iter();
            let nic = interfaces.find(|nic| nic["name"] == *port.nic).unwrap();
            nic["state"] == "down"
        })
    };
    let down = until("the link to be down", SOON, || {
        let link = serving.cable(cable);
        // Forgotten already is no worse.
        let is_up = link.is_some_and(|link| link["state"] != "down");
        let down = !is_up && nics_are_down(&serving.topology());
        Ok(down.then(|| start.elapsed()))
    });
    let down = down.unwrap();
    let gone = until("LLDP to forget the link", SOON, || {
        Ok(serving.cable(cable).is_none().then(|| start.elapsed()))
    });
    let gone = gone.unwrap();
    println!("down after {down:.1?}, gone after {gone:.1?}");
    assert!(down <= DOWN, "{down:.1?}");
    // The rest is for asking and for a loaded machine.
    assert!(gone <= HOLD + Duration::from_secs(4), "{gone:.1?}");
    assert!(nics_are_down(&serving.topology()));
    assert_eq!(serving.cables().len(), bed.plan().cables.len() - 1);

    pulled.undo().unwrap();
    let start = Instant::now();
    until("the link to be back", SOON, || {
        let link = serving.cable(cable);
        let back = link.is_some_and(|link| link["state"] == "up" && heard_by(&link).len() == 2);
        Ok(back.then_some(()))
    })
    .unwrap();
    println!("back after {:.1?}", start.elapsed());
}

#[test]
fn an_lldpd_that_hangs_holds_up_no_other_and_what_it_heard_grows_old() {
    let bed = Testbed::up(&bare()).unwrap();
    let mut serving = Serving::start(&bed, &bed.config(), |_| {});
    // When each host was asked last whom it hears.
    let told = |serving: &Serving| -> BTreeMap<String, String> {
        let links = serving.cables();
        let sources = links.iter().flat_map(|link| list(&link["sources"]));
        let told = sources.map(|source| (text(&source["host"]), text(&source["asOf"])));
        told.collect()
    };
    let frozen = bed.host("gamma").freeze_lldp().unwrap();
    // A question that was answered just now may be told still.
    sleep(Duration::from_secs(1));
    let before = told(&serving);
    sleep(Duration::from_secs(2));
    let after = told(&serving);
    assert_eq!(after["gamma"], before["gamma"]);
    assert!(after["beta"] > before["beta"], "{before:?} {after:?}");

    // Nobody hears gamma any more, and when its answer is late, nor does it hear anybody.
    let of_gamma = |link: &Value| ends(link).iter().any(|(host, _)| host == "gamma");
    until("gamma's links to be gone", 2 * SOON, || {
        Ok((!serving.cables().iter().any(of_gamma)).then_some(()))
    })
    .unwrap();
    let left = serving.cables();
    assert!(
        left.iter().all(|link| heard_by(link).len() == 2),
        "{left:?}"
    );
    assert_eq!(left.len(), 2);
    // One question is under way at most, however often it was asked.
    let parent = serving.vms.pid().unwrap();
    sleep(Duration::from_secs(3));
    let asking = fs::read_dir(format!("/proc/{parent}/task"))
        .unwrap()
        .flat_map(|thread| {
            let children = thread.unwrap().path().join("children");
            let children = fs::read_to_string(children).unwrap_or_default();
            children
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
    let asking: Vec<_> = asking.collect();
    assert!(asking.len() <= bed.hosts().len(), "{asking:?}");

    frozen.undo().unwrap();
    until("gamma to be back", 2 * SOON, || {
        Ok((serving.cables().len() == bed.plan().cables.len()).then_some(()))
    })
    .unwrap();
}

#[test]
fn hosts_are_asked_by_ssh_and_what_contradicts_them_is_shown() {
    let bed = Testbed::up(&bare()).unwrap();
    let doors: Vec<_> = bed
        .hosts()
        .iter()
        .map(|host| SshServer::start(host).unwrap())
        .collect();
    // Alpha by SSH; and somebody was wrong about its first cable.
    let socket = bed.host("alpha").lldp_socket();
    let ssh = format!("ssh://root@{}\"\nkey = \"bed", bed.host("alpha").address());
    let (a, b) = (&bed.plan().cables[0].a, &bed.plan().cables[1].a);
    let wrong = format!(
        "[[link]]\na = \"{}:{}\"\nb = \"{}:{}\"\n",
        a.host, a.nic, b.host, b.nic
    );
    let config = bed
        .config()
        .replace(&format!("unix:{}", socket.display()), &ssh);
    assert!(config.contains("ssh://"), "{config}");
    let serving = Serving::start(&bed, &(config + &wrong), |data| {
        fs::create_dir_all(data.join("keys")).unwrap();
        fs::create_dir_all(data.join("ssh")).unwrap();
        fs::copy(doors[0].key(), data.join("keys/bed")).unwrap();
        fs::copy(doors[0].known_hosts(), data.join("ssh/known_hosts")).unwrap();
    });
    let cables = serving.cables();
    assert_eq!(cables.len(), bed.plan().cables.len() + 1);
    let conflicts: BTreeSet<_> = cables
        .iter()
        .filter_map(|link| link["conflict"].as_str())
        .collect();
    let expected = [
        "By LLDP, alpha eth0 leads to beta eth0. By LLDP, beta eth1 leads to gamma eth0.",
        "By declaration, alpha eth0 leads to beta eth1.",
        "By declaration, beta eth1 leads to alpha eth0.",
    ];
    assert_eq!(conflicts, expected.into());

    // Nobody who passes for alpha is believed: what it said is kept for its time, and then gone.
    drop(doors);
    until("what alpha heard to be forgotten", SOON, || {
        let cables = serving.cables();
        let by_alpha = cables.iter().any(|link| heard_by(link).contains("alpha"));
        Ok((!by_alpha).then_some(()))
    })
    .unwrap();
    // The others hear alpha still.
    let cables = serving.cables();
    let heard = cables.iter().filter(|link| !heard_by(link).is_empty());
    assert_eq!(heard.count(), bed.plan().cables.len());
    let log = serving.vms.log();
    let said = log.matches("whom it hears is not known").count();
    assert_eq!(said, 1, "{log}");
}
