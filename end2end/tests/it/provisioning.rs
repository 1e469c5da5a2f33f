//! Routers are made on real hosts, from an image that a pilot uploads, and linked; and everything is
//! gone again afterwards.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    net::Ipv4Addr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use end2end::{
    Scratch, VmsProcess, client,
    testbed::{GuestImage, Host, Plan, PoolPlan, Testbed},
    until,
};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_mins(1);

/// Hosts without routers, and a VMS over them.
struct Makes {
    vms: VmsProcess,
    bed: Testbed,
    files: Scratch,
}

/// What libvirt has on each host: domains, networks, pools, volumes.
type Listing = BTreeMap<String, Vec<String>>;

impl Makes {
    fn up(settings: &str) -> Self {
        Self::over(&Plan::empty(), settings)
    }

    fn over(plan: &Plan, settings: &str) -> Self {
        let bed = Testbed::up(plan).unwrap();
        let files = Scratch::new().unwrap();
        let file = files.path().join("vms.toml");
        let hosts = bed.config();
        // Stock kernels hang in nested KVM.
        let text = format!("sample_interval = \"2s\"\nuse_kvm = \"no\"\n{settings}\n{hosts}");
        fs::write(&file, text).unwrap();
        let vms = VmsProcess::serve(&file, &files.path().join("data")).unwrap();
        let makes = Self { vms, bed, files };
        until("the hosts to be online", SOON, || {
            let hosts = makes.call("StatusService", "ListHosts", &json!({}));
            let hosts = hosts["hosts"].as_array().cloned().unwrap_or_default();
            Ok(hosts
                .iter()
                .all(|host| host["state"] == "online")
                .then_some(()))
        })
        .unwrap();
        makes
    }

    /// One call over SOAP.
    fn call(&self, service: &str, operation: &str, request: &Value) -> Value {
        let (url, request) = (self.vms.url(""), request.to_string());
        client::python("call.py", &[&url, service, operation, &request]).unwrap()
    }

    fn provisioning(&self, operation: &str, request: &Value) -> Value {
        self.call("ProvisioningService", operation, request)
    }

    /// Calls that are made at once.
    fn many(&self, calls: &[(&str, Value)]) -> Vec<Value> {
        let calls: Vec<_> = calls
            .iter()
            .map(|(operation, request)| json!(["ProvisioningService", operation, request]))
            .collect();
        let url = self.vms.url("");
        let found = client::python("call.py", &[&url, "many", &json!(calls).to_string()]);
        found.unwrap().as_array().cloned().unwrap()
    }

    /// Uploads the testbed's guest as an image, in parts, and gives the image's id.
    fn upload(&self) -> String {
        let uploaded = self.bring("upload");
        let id = uploaded["upload"]["image"].as_str();
        id.unwrap_or_else(|| panic!("{uploaded:#}")).to_owned()
    }

    /// The same, attached to one message.
    fn attach(&self) -> String {
        let uploaded = self.bring("attach");
        let id = uploaded["image"]["id"].as_str();
        id.unwrap_or_else(|| panic!("{uploaded:#}")).to_owned()
    }

    fn bring(&self, how: &str) -> Value {
        let image = GuestImage::prepare().unwrap();
        let request = json!({
            "kind": "kernel",
            "description": {
                "name": "router",
                "version": "1",
                "description": "The testbed's guest: BusyBox that forwards.",
                "architecture": "x86_64",
                "memoryBytes": 128 << 20,
                "kernelArguments": "console=ttyS0 quiet no_timer_check vms.shell=1",
                "guestAgent": true,
            },
            "files": [{"role": "kernel"}, {"role": "initialFileSystem"}],
        });
        let url = self.vms.url("");
        let files = image.files.map(|path| path.to_str().unwrap().to_owned());
        let arguments = [&url, how, &request.to_string(), &files[0], &files[1]];
        client::python("call.py", &arguments).unwrap()
    }

    /// The job of a reply, once it is over; it must have ended so.
    fn done(&self, reply: &Value, state: &str) -> Value {
        let id = reply["job"]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{reply:#}"));
        let since = Instant::now();
        while since.elapsed() < Duration::from_mins(4) {
            let request = json!({"job": id, "waitSeconds": 20});
            let job = self.call("MigrationService", "GetJob", &request)["job"].clone();
            if !matches!(
                job["state"].as_str(),
                Some("queued" | "running" | "cleanupPending")
            ) {
                assert_eq!(job["state"], state, "{job:#}");
                return job;
            }
        }
        panic!("{id} does not end");
    }

    /// The id of a router.
    fn id(&self, name: &str) -> String {
        let routers = self.call("StatusService", "ListRouters", &json!({}));
        let mut routers = routers["routers"].as_array().into_iter().flatten();
        let router = routers.find(|router| router["name"] == name);
        let id = router.and_then(|router| router["id"].as_str());
        id.unwrap_or_else(|| panic!("no {name}")).to_owned()
    }

    fn state(&self, name: &str) -> String {
        let request = json!({"router": self.id(name)});
        let status = self.call("StatusService", "GetRouterStatus", &request);
        status["router"]["state"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    fn host(&self, id: &str) -> &Host {
        self.bed.host(id)
    }

    /// The state of a router as its host has it.
    fn domain_state(&self, host: &str, router: &str) -> String {
        let state = self.host(host).virsh(&["domstate", router]).unwrap();
        state.trim().to_owned()
    }

    /// What a host has defined of a router.
    fn definition(&self, host: &str, router: &str) -> String {
        let xml = ["dumpxml", "--inactive", router];
        self.host(host).virsh(&xml).unwrap()
    }

    fn links(&self) -> Vec<Value> {
        let links = self.provisioning("ListVirtualLinks", &json!({}));
        links["links"].as_array().cloned().unwrap_or_default()
    }

    /// Everything that VMS could leave behind.
    fn listing(&self) -> Listing {
        let hosts = self.bed.hosts().iter();
        hosts
            .map(|host| {
                let mut all = Vec::new();
                for (kind, arguments) in [
                    ("domain", &["list", "--all", "--name"][..]),
                    ("network", &["net-list", "--all", "--name"]),
                    ("pool", &["pool-list", "--all", "--name"]),
                ] {
                    let names = host.virsh(arguments).unwrap();
                    let names = names.lines().map(str::trim).filter(|name| !name.is_empty());
                    all.extend(names.map(|name| format!("{kind} {name}")));
                }
                let pools: Vec<_> = all
                    .iter()
                    .filter_map(|name| name.strip_prefix("pool ").map(str::to_owned))
                    .collect();
                for pool in pools {
                    let volumes = volumes(host, &pool).into_iter();
                    all.extend(volumes.map(|name| format!("volume {pool}/{name}")));
                }
                all.sort();
                (host.plan().id.clone(), all)
            })
            .collect()
    }

    /// What a router says at its console when this is typed.
    fn at_console(&self, router: &str) -> Typing {
        Typing::begin(&self.vms.url(""), router)
    }

    /// Whether one router reaches an address.
    fn assert_pings(&self, router: &str, to: Ipv4Addr) {
        let mut console = self.at_console(router);
        let since = Instant::now();
        loop {
            console.line(&format!("ping -c 2 -W 1 {to}; echo said-$((1+1))"));
            let said = console.until("said-2", Duration::from_secs(30));
            if said.contains(" 0% packet loss") {
                return;
            }
            assert!(
                since.elapsed() < SOON,
                "{router} does not reach {to}: {said}"
            );
        }
    }

    /// Every router reaches the other end of each of its links.
    fn assert_links_ping(&self) {
        let links = self.links();
        assert_eq!(links.len(), 3, "{links:#?}");
        for link in &links {
            self.assert_link_pings(link);
        }
    }
}

/// A router's console, over the command line.
struct Typing {
    child: Child,
    heard: mpsc::Receiver<Vec<u8>>,
    said: String,
}

impl Typing {
    fn begin(url: &str, router: &str) -> Self {
        let mut child = Command::new(end2end::vms_process::binary().unwrap())
            .args(["router", "console", router, "--server", url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, heard) = mpsc::channel();
        let mut output = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                if tell.send(buffer[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            heard,
            said: String::new(),
        }
    }

    fn line(&mut self, text: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(format!("{text}\n").as_bytes()).unwrap();
        input.flush().unwrap();
    }

    /// What is said until this comes, that included.
    fn until(&mut self, text: &str, limit: Duration) -> String {
        let since = Instant::now();
        while since.elapsed() < limit {
            if let Some(at) = self.said.find(text) {
                let rest = self.said.split_off(at + text.len());
                return std::mem::replace(&mut self.said, rest);
            }
            if let Ok(bytes) = self.heard.recv_timeout(Duration::from_millis(200)) {
                self.said += &String::from_utf8_lossy(&bytes);
            }
        }
        panic!("{text:?} did not come in {limit:?}: {:?}", self.said);
    }
}

impl Drop for Typing {
    fn drop(&mut self) {
        // Only this one of ours.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The whole of it, as the issue of a pilot's day: upload, create, link, ping, migrate, resize, suspend,
/// resume, shut down, delete.
#[test]
fn a_triangle_of_routers_over_three_hosts_comes_and_goes() {
    let makes = Makes::up("");
    let before = makes.listing();
    let image = makes.attach();
    let hosts = ["alpha", "beta", "gamma"];

    let create = |name: &str, host: &str| {
        json!({
            "name": name, "image": image, "host": host, "interfaces": [], "tags": ["edge"],
            "virtualNetwork": "triangle", "start": false, "createPool": true,
        })
    };
    let calls: Vec<_> = ["t1", "t2", "t3"]
        .iter()
        .zip(hosts)
        .map(|(name, host)| ("CreateRouter", create(name, host)))
        .collect();
    for made in makes.many(&calls) {
        makes.done(&made, "succeeded");
    }
    let ids = ["t1", "t2", "t3"].map(|name| makes.id(name));
    for (a, b) in [(0, 1), (1, 2), (2, 0)] {
        let request = json!({"a": ids[a], "b": ids[b], "addressing": "ipv4"});
        let made = makes.provisioning("CreateVirtualLink", &request);
        assert_eq!(made["link"]["transport"], "multicast", "{made:#}");
        makes.done(&made, "succeeded");
    }
    for id in &ids {
        let started = makes.provisioning("StartRouter", &json!({"router": id}));
        assert_eq!(started["router"]["state"], "running", "{started:#}");
    }
    makes.assert_links_ping();

    // The image is on every host: whoever moves finds what it boots there.
    let request = json!({"router": ids[0], "destination": "beta", "mode": "live"});
    let moved = makes.call("MigrationService", "MigrateRouter", &request);
    makes.done(&moved, "succeeded");
    assert_eq!(makes.domain_state("beta", "t1"), "running");
    makes.assert_links_ping();

    let resized = makes.provisioning(
        "ResizeRouter",
        &json!({"router": ids[1], "memoryBytes": 160 << 20}),
    );
    assert_eq!(resized["effective"], "nextStart", "{resized:#}");
    let xml = makes.definition("beta", "t2");
    assert!(xml.contains(">163840</memory>"), "{xml}");
    for (operation, state) in [("SuspendRouter", "suspended"), ("ResumeRouter", "running")] {
        let done = makes.provisioning(operation, &json!({"router": ids[1]}));
        assert_eq!(done["router"]["state"], state, "{done:#}");
    }
    // By its agent it hears that it is to shut down.
    let request = json!({"router": ids[1], "deadlineSeconds": 30});
    let shut = makes.provisioning("ShutdownRouter", &request);
    makes.done(&shut, "succeeded");
    assert_eq!(makes.state("t2"), "shutOff");

    let running = makes.provisioning("DeleteRouter", &json!({"router": ids[0]}));
    assert_eq!(running["fault"], "Conflict", "{running:#}");
    let calls = ids
        .clone()
        .map(|id| ("DeleteRouter", json!({"router": id, "force": true})));
    for (name, call) in ["t1", "t2", "t3"].iter().zip(&calls) {
        let deleted = makes.provisioning(call.0, &call.1);
        makes.done(&deleted, "succeeded");
        eprintln!("{name} is gone");
    }
    let links = makes.links();
    assert!(links.is_empty(), "{links:#?}");
    let deleted = makes.call("ImageService", "DeleteImage", &json!({"image": image}));
    makes.done(&deleted, "succeeded");
    assert_eq!(makes.listing(), before);
    drop(makes.files);
}

/// The same by hand, in the page; by virsh and at the consoles it is seen what came of it.
#[test]
fn a_person_makes_a_triangle_in_the_page() {
    let makes = Makes::up("");
    let before = makes.listing();
    let [kernel, initrd] = GuestImage::prepare().unwrap().files;
    // `VMS_SHOTS` says where to keep the pictures; those of the documentation were made so.
    let kept = std::env::var_os("VMS_SHOTS").map(PathBuf::from);
    let shots = kept.unwrap_or_else(|| makes.files.path().join("shots"));
    let page = |step: &[&str]| {
        let since = Instant::now();
        let url = makes.vms.url("");
        let files = [&kernel, &initrd, &shots].map(|path| path.to_str().unwrap());
        let arguments = [&[url.as_str()], &files[..], step].concat();
        let found = client::browser("triangle.mjs", &arguments).unwrap();
        assert_eq!(found["complaints"], json!([]), "{step:?}");
        println!("{step:?}: {:.1} s", since.elapsed().as_secs_f64());
    };
    let all = |state: &str| {
        for (router, host) in [("t1", "alpha"), ("t2", "beta"), ("t3", "gamma")] {
            assert_eq!(makes.domain_state(host, router), state, "{router}");
        }
    };

    page(&["upload"]);
    page(&["create"]);
    all("shut off");
    page(&["link"]);
    page(&["start"]);
    all("running");
    makes.assert_links_ping();
    page(&["look"]);
    let links = makes.links();
    let end = &links[0]["b"];
    let address = end["address"].as_str().unwrap().split('/').next().unwrap();
    page(&[
        "ping",
        links[0]["a"]["routerName"].as_str().unwrap(),
        address,
    ]);

    page(&["move", "t1", "beta"]);
    assert_eq!(makes.domain_state("beta", "t1"), "running");
    let domains = makes.host("alpha").virsh(&["list", "--all", "--name"]);
    assert_eq!(domains.unwrap().trim(), "", "it is there no more");
    makes.assert_links_ping();

    page(&["resize", "t2", "160"]);
    let xml = makes.definition("beta", "t2");
    assert!(xml.contains(">163840</memory>"), "{xml}");
    for (step, state) in [
        ("suspend", "paused"),
        ("resume", "running"),
        ("shutdown", "shut off"),
    ] {
        page(&[step, "t2"]);
        assert_eq!(makes.domain_state("beta", "t2"), state);
    }

    page(&["delete"]);
    let links = makes.links();
    assert!(links.is_empty(), "{links:#?}");
    page(&["forget"]);
    assert_eq!(makes.listing(), before);
}

/// The volumes of a pool, after it was looked at anew.
fn volumes(host: &Host, pool: &str) -> Vec<String> {
    host.virsh(&["pool-refresh", pool]).unwrap();
    let volumes = host.virsh(&["vol-list", pool]).unwrap();
    let names = (volumes.lines()).filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}

impl Makes {
    /// An image of a disk with so many MiB of data, which nothing boots from.
    fn disk_image(&self, name: &str, mebibytes: usize) -> String {
        let path = self.files.path().join(format!("{name}.raw"));
        let mut file = fs::File::create(&path).unwrap();
        // Not to be compressed, and no holes.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut block = vec![0; 1 << 20];
        for _ in 0..mebibytes {
            for word in block.chunks_exact_mut(8) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                word.copy_from_slice(&state.to_le_bytes());
            }
            file.write_all(&block).unwrap();
        }
        drop(file);
        let request = json!({
            "kind": "raw",
            "description": {
                "name": name, "version": "1", "architecture": "x86_64", "memoryBytes": 64 << 20,
            },
            "files": [{"role": "disk"}],
        });
        let (url, path) = (self.vms.url(""), path.to_str().unwrap().to_owned());
        let arguments = [&url, "upload", &request.to_string(), &path];
        let uploaded = client::python("call.py", &arguments).unwrap();
        fs::remove_file(&path).unwrap();
        let id = uploaded["upload"]["image"].as_str();
        id.unwrap_or_else(|| panic!("{uploaded:#}")).to_owned()
    }

    fn distribute(&self, image: &str, hosts: &[&str]) -> Vec<Value> {
        let request = json!({"image": image, "hosts": hosts, "createPool": true});
        let reply = self.call("ImageService", "DistributeImage", &request);
        let jobs = reply["jobs"].as_array().cloned();
        let jobs = jobs.unwrap_or_else(|| panic!("{reply:#}"));
        jobs.into_iter().map(|job| json!({"job": job})).collect()
    }
}

impl Makes {
    /// Makes a router that runs and is ready.
    fn create(&self, name: &str, image: &str, host: &str) -> String {
        let request = json!({
            "name": name, "image": image, "host": host, "interfaces": [], "tags": [],
            "createPool": true,
        });
        let made = self.provisioning("CreateRouter", &request);
        let job = self.done(&made, "succeeded");
        let said = job["message"].as_str().unwrap();
        assert!(said.contains("was ready after"), "{said}");
        self.id(name)
    }

    /// Sets an end of a link up in a guest that runs, which nobody told of it.
    fn set_up(&self, end: &Value) {
        let (mac, address) = (
            end["mac"].as_str().unwrap(),
            end["address"].as_str().unwrap(),
        );
        let mut console = self.at_console(end["routerName"].as_str().unwrap());
        let find = format!("n=$(basename $(dirname $(grep -l {mac} /sys/class/net/*/address)))");
        let since = Instant::now();
        loop {
            console.line(&format!("{find}; ip addr add {address} dev $n; ip link set $n up; ip addr; echo said-$((1+1))"));
            let said = console.until("said-2", Duration::from_secs(30));
            if said.contains(address.split('/').next().unwrap()) && said.contains(mac) {
                return;
            }
            assert!(since.elapsed() < SOON, "{mac} is not there: {said}");
        }
    }

    /// Both ends of a link reach each other.
    fn assert_link_pings(&self, link: &Value) {
        for (from, to) in [("a", "b"), ("b", "a")] {
            let address = link[to]["address"].as_str().unwrap();
            let address = address.split('/').next().unwrap().parse().unwrap();
            self.assert_pings(link[from]["routerName"].as_str().unwrap(), address);
        }
    }
}

/// What can be plugged is plugged into routers that run, and what cannot be is refused before anything
/// is touched, or takes a restart if that is asked for.
#[test]
fn links_of_every_kind_between_routers_that_run() {
    let makes = Makes::up("");
    let image = makes.upload();
    let hosts = [("p1", "alpha"), ("p2", "alpha"), ("p3", "beta")];
    let [p1, p2, p3] = hosts.map(|(name, host)| makes.create(name, &image, host));
    let before = makes.listing();
    let definitions = hosts.map(|(name, host)| makes.definition(host, name));

    // One host: a network of its own.
    let request = json!({"a": p1, "b": p2, "addressing": "ipv4", "mtu": 1400});
    let made = makes.provisioning("CreateVirtualLink", &request);
    assert_eq!(made["link"]["transport"], "network", "{made:#}");
    makes.done(&made, "succeeded");
    let network = made["link"].clone();
    makes.set_up(&network["a"]);
    makes.set_up(&network["b"]);
    makes.assert_link_pings(&network);
    // Between hosts, by a bridge that both have.
    let request = json!({"a": p1, "b": p3, "addressing": "ipv4", "bridge": "br-phys"});
    let made = makes.provisioning("CreateVirtualLink", &request);
    assert_eq!(made["link"]["transport"], "bridge", "{made:#}");
    makes.done(&made, "succeeded");
    let bridge = made["link"].clone();
    makes.set_up(&bridge["a"]);
    makes.set_up(&bridge["b"]);
    makes.assert_link_pings(&bridge);

    // libvirt plugs no tunnel.
    let mut request = json!({"a": p1, "b": p3, "addressing": "ipv4", "transport": "udp"});
    let refused = makes.provisioning("CreateVirtualLink", &request);
    assert_eq!(refused["fault"], "NotSupported", "{refused:#}");
    request["whenRunning"] = json!("restart");
    let made = makes.provisioning("CreateVirtualLink", &request);
    assert_eq!(made["link"]["transport"], "udp", "{made:#}");
    makes.done(&made, "succeeded");
    // Told by their kernels' arguments, they set up all their links.
    for link in [&made["link"], &bridge] {
        makes.assert_link_pings(link);
    }
    // The topology has all three.
    let seen = until("the topology to show the links", SOON, || {
        let topology = makes.call(
            "TopologyService",
            "GetTopology",
            &json!({"view": "virtual"}),
        );
        let links = topology["links"].as_array().cloned().unwrap_or_default();
        let is_between = |link: &Value, a: &str, b: &str| {
            let ends = [&link["a"]["router"], &link["b"]["router"]];
            ends.contains(&&json!(a)) && ends.contains(&&json!(b))
        };
        let of = |a, b| links.iter().filter(|link| is_between(link, a, b)).count();
        Ok((of(&p1, &p2) == 1 && of(&p1, &p3) >= 1).then_some(()))
    });
    seen.unwrap();

    for link in [&network, &bridge, &made["link"]] {
        let deleted = makes.provisioning("DeleteVirtualLink", &json!({"link": link["id"]}));
        makes.done(&deleted, "succeeded");
    }
    assert_eq!(makes.listing(), before);
    assert_eq!(
        hosts.map(|(name, host)| makes.definition(host, name)),
        definitions
    );
}

/// A container is made from a root file system, of which each gets a copy.
#[test]
fn containers_are_made_from_a_root_file_system() {
    let makes = Makes::over(&Plan::empty_of_containers(), "");
    let before = makes.listing();
    let file = makes.files.path().join("root.ext4");
    GuestImage::prepare()
        .unwrap()
        .root_file_system(&file)
        .unwrap();
    let request = json!({
        "kind": "rootFileSystem",
        "description": {
            "name": "busybox", "version": "1", "architecture": "x86_64", "memoryBytes": 32 << 20,
            "init": "/init", "readyText": "VMS-UP",
        },
        "files": [{"role": "disk"}],
    });
    let (url, file) = (makes.vms.url(""), file.to_str().unwrap().to_owned());
    let arguments = [&url, "upload", &request.to_string(), &file];
    let uploaded = client::python("call.py", &arguments).unwrap();
    let image = uploaded["upload"]["image"].as_str();
    let image = image.unwrap_or_else(|| panic!("{uploaded:#}")).to_owned();
    let [c1, c2] = ["c1", "c2"].map(|name| makes.create(name, &image, "alpha"));
    let request = json!({"a": c1, "b": c2, "addressing": "ipv4", "whenRunning": "nextStart"});
    let made = makes.provisioning("CreateVirtualLink", &request);
    makes.done(&made, "succeeded");
    for id in [&c1, &c2] {
        for (operation, state) in [("DestroyRouter", "shutOff"), ("StartRouter", "running")] {
            let done = makes.provisioning(operation, &json!({"router": id}));
            assert_eq!(done["router"]["state"], state, "{done:#}");
        }
    }
    makes.set_up(&made["link"]["a"]);
    makes.set_up(&made["link"]["b"]);
    makes.assert_link_pings(&made["link"]);
    for id in [&c1, &c2] {
        let request = json!({"router": id, "force": true});
        makes.done(&makes.provisioning("DeleteRouter", &request), "succeeded");
    }
    let deleted = makes.call("ImageService", "DeleteImage", &json!({"image": image}));
    makes.done(&deleted, "succeeded");
    assert_eq!(makes.listing(), before);
}

/// Whenever the server dies while a router is made, there is all of it afterwards, or nothing.
#[test]
fn killed_at_any_moment_there_is_the_whole_of_a_router_or_nothing() {
    let mut makes = Makes::up("");
    let image = makes.disk_image("disk", 8);
    for shipped in makes.distribute(&image, &["alpha"]) {
        makes.done(&shipped, "succeeded");
    }
    let before = makes.listing();
    let full = {
        let since = Instant::now();
        let request = json!({
            "name": "k", "image": image, "host": "alpha", "interfaces": [], "tags": [],
            "diskBytes": 64 << 20, "readyWithinSeconds": 0,
        });
        let made = makes.provisioning("CreateRouter", &request);
        makes.done(&made, "succeeded");
        let full = since.elapsed();
        let request = json!({"router": makes.id("k"), "force": true});
        makes.done(&makes.provisioning("DeleteRouter", &request), "succeeded");
        assert_eq!(makes.listing(), before);
        full
    };
    let (mut whole, mut nothing) = (0, 0);
    for round in 0..8_u32 {
        let name = format!("k{round}");
        let request = json!({
            "name": name, "image": image, "host": "alpha", "interfaces": [], "tags": [],
            "diskBytes": 64 << 20, "readyWithinSeconds": 0, "requestId": name,
        });
        let made = makes.provisioning("CreateRouter", &request);
        assert!(made["job"]["id"].is_string(), "{made:#}");
        // The whole of it takes less than both calls from outside did together.
        std::thread::sleep(full * round / 7);
        makes.vms.kill();
        makes.vms.start().unwrap();
        let limit = Duration::from_mins(1);
        let job = until("the job to be over", limit, || {
            let request = json!({"job": made["job"]["id"], "waitSeconds": 5});
            let job = makes.call("MigrationService", "GetJob", &request)["job"].clone();
            let is_over = !matches!(
                job["state"].as_str(),
                Some("queued" | "running" | "cleanupPending")
            );
            Ok(is_over.then_some(job))
        });
        let job = job.unwrap();
        // The same request id is the same job, also after a death.
        let again = makes.provisioning("CreateRouter", &request);
        assert_eq!(again["job"]["id"], made["job"]["id"], "{again:#}");
        if job["state"] == "succeeded" {
            whole += 1;
            let alpha = makes.host("alpha");
            assert_eq!(alpha.virsh(&["domstate", &name]).unwrap().trim(), "running");
            let disks = alpha.virsh(&["domblklist", &name]).unwrap();
            assert!(disks.contains("/router-"), "{disks}");
            let request = json!({"router": makes.id(&name), "force": true});
            let deleted = makes.provisioning("DeleteRouter", &request);
            makes.done(&deleted, "succeeded");
        } else {
            nothing += 1;
            assert_eq!(job["state"], "interrupted", "{job:#}");
        }
        assert_eq!(makes.listing(), before, "round {round}: {job:#}");
    }
    println!("killed eight times: {whole} times the whole, {nothing} times nothing");
    assert!(
        whole > 0 && nothing > 0,
        "{whole} and {nothing}: the moments are not spread"
    );
}

/// A host that is lost while an image is shipped to it gets nothing, keeps nothing, and holds up no
/// other.
#[test]
fn a_host_that_is_lost_while_an_image_comes_keeps_nothing_of_it() {
    let makes = Makes::up("");
    let before = makes.listing();
    let image = makes.disk_image("disk", 24);
    let slow = makes.bed.throttle("beta", "mgmt", 16_000).unwrap();
    let jobs = makes.distribute(&image, &["alpha", "beta", "gamma"]);
    let under_way = || {
        let request = json!({"job": jobs[1]["job"]["id"]});
        let job = makes.call("MigrationService", "GetJob", &request)["job"].clone();
        let done = job["progress"]["doneBytes"].as_u64().unwrap_or(0);
        Ok((job["phase"] == "transferring" && done > 1 << 20).then_some(()))
    };
    until("beta to get some of it", SOON, under_way).unwrap();
    let lost = makes.host("beta").kill_daemon().unwrap();
    makes.done(&jobs[0], "succeeded");
    makes.done(&jobs[2], "succeeded");
    drop(slow);
    let request = json!({"job": jobs[1]["job"]["id"]});
    let pending = until("the job to wait for beta", SOON, || {
        let job = makes.call("MigrationService", "GetJob", &request)["job"].clone();
        Ok((job["state"] == "cleanupPending").then_some(job))
    });
    let pending = pending.unwrap();
    assert!(
        pending["pending"][0].as_str().unwrap().contains("beta"),
        "{pending:#}"
    );
    lost.undo().unwrap();
    let failed = makes.done(&jobs[1], "failed");
    assert!(failed["error"]["advice"].is_string(), "{failed:#}");
    let now = makes.listing();
    assert_eq!(now["beta"], before["beta"]);
    let listed = makes.call("ImageService", "ListImages", &json!({}));
    let copies = listed["images"][0]["copies"].as_array().unwrap();
    let copies: Vec<_> = copies
        .iter()
        .map(|copy| copy["host"].as_str().unwrap())
        .collect();
    assert_eq!(copies, ["alpha", "gamma"]);

    // Once more, now that it is back; and a pool that has no room is said to have none.
    for shipped in makes.distribute(&image, &["beta"]) {
        makes.done(&shipped, "succeeded");
    }
    let deleted = makes.call("ImageService", "DeleteImage", &json!({"image": image}));
    makes.done(&deleted, "succeeded");
    assert_eq!(makes.listing(), before);
}

/// A pool that has no room is said to have none; one that runs full while an image comes keeps nothing of
/// it, and its host is as before.
#[test]
fn a_pool_that_is_full_or_runs_full_keeps_nothing() {
    let mut plan = Plan::empty();
    let mebibytes = 48;
    plan.hosts[2].pools.push(PoolPlan {
        name: "vms".into(),
        mebibytes,
    });
    let makes = Makes::over(&plan, "");
    let before = makes.listing();
    let image = makes.disk_image("disk", 24);
    let slow = makes.bed.throttle("gamma", "mgmt", 16_000).unwrap();
    let job = makes.distribute(&image, &["gamma"]).remove(0);
    until("gamma to get some of it", SOON, || {
        let request = json!({"job": job["job"]["id"]});
        let job = makes.call("MigrationService", "GetJob", &request)["job"].clone();
        let done = job["progress"]["doneBytes"].as_u64().unwrap_or(0);
        Ok((job["phase"] == "transferring" && done > 1 << 20).then_some(()))
    })
    .unwrap();
    let full = makes.host("gamma").fill_pool("vms").unwrap();
    drop(slow);
    let failed = makes.done(&job, "failed");
    let said = failed["error"]["message"].as_str().unwrap();
    assert!(said.contains("gamma"), "{said}");

    // From the first: nothing is begun.
    let job = makes.distribute(&image, &["gamma"]).remove(0);
    let failed = makes.done(&job, "failed");
    let said = failed["error"]["message"].as_str().unwrap();
    assert!(said.contains("MiB"), "{said}");
    let request = json!({
        "name": "f1", "image": image, "host": "gamma", "interfaces": [], "tags": [],
    });
    let refused = makes.provisioning("CreateRouter", &request);
    assert_eq!(refused["fault"], "Conflict", "{refused:#}");
    full.undo().unwrap();
    assert_eq!(makes.listing(), before);
    for shipped in makes.distribute(&image, &["gamma"]) {
        makes.done(&shipped, "succeeded");
    }
    // The pool is the host's own: it stays when all that VMS put there has gone.
    let deleted = makes.call("ImageService", "DeleteImage", &json!({"image": image}));
    makes.done(&deleted, "succeeded");
    assert_eq!(makes.listing(), before);
}

/// `VMS_IMAGE_MIB` says how large it is; `make bench-images` takes 4 GiB.
#[test]
fn a_large_image_takes_little_of_the_servers_memory() {
    let size = std::env::var("VMS_IMAGE_MIB").ok();
    let size: usize = size.map_or(192, |size| size.parse().unwrap());
    let mut makes = Makes::up("");
    let pid = makes.vms.pid().unwrap();
    let memory = |what: &str| -> u64 {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with(what)).unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
            / 1024
    };
    let rest = memory("VmRSS");
    let since = Instant::now();
    let image = makes.disk_image("large", size);
    let uploaded = since.elapsed();
    let jobs = makes.distribute(&image, &["alpha", "beta", "gamma"]);
    for job in &jobs {
        makes.done(job, "succeeded");
    }
    let shipped = since.elapsed().saturating_sub(uploaded);
    let most = memory("VmHWM");
    println!(
        "{size} MiB: made and uploaded in {:.1} s, at three hosts and verified after {:.1} s; memory at \
         rest {rest} MiB, at most {most} MiB",
        uploaded.as_secs_f64(),
        shipped.as_secs_f64()
    );
    assert!(
        most.saturating_sub(rest) < 200,
        "{rest} MiB at rest, {most} MiB at most"
    );
}

/// This measures.
mod alone {
    use super::*;

    /// `VMS_MAKES` says how many rounds; `make bench-creation` does five.
    #[test]
    fn routers_by_vms_beside_routers_by_a_script() {
        let rounds = std::env::var("VMS_MAKES").ok();
        let rounds: usize = rounds.map_or(1, |rounds| rounds.parse().unwrap());
        let makes = Makes::up("");
        let image = makes.disk_image("disk", 16);
        let hosts = ["alpha", "beta", "gamma"];
        for shipped in makes.distribute(&image, &hosts) {
            makes.done(&shipped, "succeeded");
        }
        let base = volumes(makes.host("alpha"), "vms").remove(0);
        let base = format!("/var/lib/libvirt/images/vms/{base}");

        let by_vms = |round: usize, hosts: [&str; 3]| -> f64 {
            let calls = hosts.iter().enumerate().map(|(number, host)| {
            let request = json!({
                "name": format!("v{round}{number}"), "image": image, "host": host, "interfaces": [],
                "tags": [], "readyWithinSeconds": 0,
            });
            json!(["ProvisioningService", "CreateRouter", request])
        });
            let calls: Vec<_> = calls.collect();
            let url = makes.vms.url("");
            let timed =
                client::python("call.py", &[&url, "time", &json!(calls).to_string()]).unwrap();
            for job in timed["jobs"].as_array().unwrap() {
                assert_eq!(job["state"], "succeeded", "{job:#}");
            }
            for number in 0..3 {
                let request =
                    json!({"router": makes.id(&format!("v{round}{number}")), "force": true});
                let deleted = makes.provisioning("DeleteRouter", &request);
                makes.done(&deleted, "succeeded");
            }
            timed["seconds"].as_f64().unwrap()
        };
        // What somebody would write who has no VMS: one router after the other.
        let by_script = |round: usize, hosts: [&str; 3]| -> f64 {
            let mut seconds = 0.0;
            for (number, host) in hosts.into_iter().enumerate() {
                let (host, name) = (makes.host(host), format!("s{round}{number}"));
                let xml = makes.files.path().join(format!("{name}.xml"));
                let disk = format!("/var/lib/libvirt/images/vms/{name}.qcow2");
                fs::write(&xml, script_domain(&name, &disk)).unwrap();
                let xml = xml.to_str().unwrap();
                let since = Instant::now();
                let how = [
                    "create", "-q", "-f", "qcow2", "-F", "raw", "-b", &base, &disk,
                ];
                host.machine().run("qemu-img", &how).unwrap();
                host.virsh(&["define", xml]).unwrap();
                host.virsh(&["start", &name]).unwrap();
                seconds += since.elapsed().as_secs_f64();
                host.virsh(&["destroy", &name]).unwrap();
                host.virsh(&["undefine", &name]).unwrap();
                host.machine().run("rm", &[&disk]).unwrap();
            }
            seconds
        };
        let mut sums = [[0.0; 2]; 2];
        for round in 0..rounds {
            for (row, hosts) in [["alpha"; 3], hosts].into_iter().enumerate() {
                let times = [
                    by_vms(round * 2 + row, hosts),
                    by_script(round * 2 + row, hosts),
                ];
                for (sum, time) in sums[row].iter_mut().zip(times) {
                    *sum += time;
                }
            }
        }
        if std::env::var_os("VMS_LOG").is_some() {
            println!("{}", makes.vms.log());
        }
        for (what, [ours, theirs]) in ["one host", "three hosts"].into_iter().zip(sums) {
            println!(
                "three routers on {what}, {rounds} times: VMS {ours:.2} s, script {theirs:.2} s, ratio {:.2}",
                ours / theirs
            );
        }
    }

    /// What VMS would define, written by hand.
    fn script_domain(name: &str, disk: &str) -> String {
        format!(
            "<domain type='qemu'><name>{name}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>\
         <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os>\
         <features><acpi/><apic/></features><devices>\
         <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{disk}'/>\
         <target dev='vda' bus='virtio'/></disk><serial type='pty'/>\
         <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>\
         <memballoon model='virtio'><stats period='5'/></memballoon></devices></domain>"
        )
    }
}
