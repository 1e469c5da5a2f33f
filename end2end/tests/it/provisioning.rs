//! Routers are made on real hosts, from an image that a pilot uploads, and linked; and everything is
//! gone again afterwards.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    net::Ipv4Addr,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use end2end::{
    Scratch, VmsProcess, client,
    testbed::{GuestImage, Host, Plan, Testbed},
    until,
};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);

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
        let bed = Testbed::up(&Plan::empty()).unwrap();
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

    /// Uploads the testbed's guest as an image, and gives the image's id.
    fn upload(&self) -> String {
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
        let arguments = [&url, "upload", &request.to_string(), &files[0], &files[1]];
        let uploaded = client::python("call.py", &arguments).unwrap();
        let id = uploaded["upload"]["image"].as_str();
        id.unwrap_or_else(|| panic!("{uploaded:#}")).to_owned()
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
                    host.virsh(&["pool-refresh", &pool]).unwrap();
                    let volumes = host.virsh(&["vol-list", &pool]).unwrap();
                    let volumes = volumes.lines().skip(2);
                    let names = volumes.filter_map(|line| line.split_whitespace().next());
                    all.extend(names.map(|name| format!("volume {pool}/{name}")));
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
        let links = self.provisioning("ListVirtualLinks", &json!({}));
        let links = links["links"].as_array().unwrap();
        assert_eq!(links.len(), 3, "{links:#?}");
        for link in links {
            for (from, to) in [("a", "b"), ("b", "a")] {
                let address = link[to]["address"].as_str().unwrap();
                let address = address.split('/').next().unwrap().parse().unwrap();
                self.assert_pings(link[from]["routerName"].as_str().unwrap(), address);
            }
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
            .stderr(Stdio::piped())
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
    let image = makes.upload();
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
    let at_beta = makes.host("beta").virsh(&["domstate", "t1"]).unwrap();
    assert_eq!(at_beta.trim(), "running");
    makes.assert_links_ping();

    let resized = makes.provisioning(
        "ResizeRouter",
        &json!({"router": ids[1], "memoryBytes": 160 << 20}),
    );
    assert_eq!(resized["effective"], "nextStart", "{resized:#}");
    let xml = makes
        .host("beta")
        .virsh(&["dumpxml", "--inactive", "t2"])
        .unwrap();
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
    let links = makes.provisioning("ListVirtualLinks", &json!({}));
    assert!(
        links["links"].as_array().is_none_or(Vec::is_empty),
        "{links:#}"
    );
    let deleted = makes.call("ImageService", "DeleteImage", &json!({"image": image}));
    makes.done(&deleted, "succeeded");
    assert_eq!(makes.listing(), before);
    drop(makes.files);
}
