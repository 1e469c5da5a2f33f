//! What `vms.toml`, the environment and flags say, and how a wrong one is refused.

use control::{KernelSettings, LldpSettings, SshAddress};
use server::config::{Config, Data, Flags};
use std::{ffi::OsString, path::Path, time::Duration};

const HOST: &str = "[[host]]\nid = \"alpha\"\nuri = \"qemu+tcp://10.199.0.1/system\"\n";

fn nothing(_: &str) -> Option<OsString> {
    None
}

fn read(text: &str) -> Result<Config, String> {
    Config::serve_text(&Flags::default(), Path::new("vms.toml"), text, &nothing)
        .map_err(|error| error.to_string())
}

#[test]
fn three_lines_are_enough() {
    let config = read(HOST).unwrap();
    assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.sample_interval, Duration::from_secs(10));
    assert_eq!(config.hosts.len(), 1);
    assert_eq!(config.hosts[0].id.as_str(), "alpha");
    assert_eq!(config.hosts[0].name, None);
    assert!(config.links.is_empty());
}

#[test]
fn what_the_readme_shows_is_read() {
    let readme = include_str!("../../../README.md");
    let blocks = readme.split("```toml\n").skip(1);
    let text: String = blocks
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect();
    let config = read(&text).unwrap();
    assert_eq!((config.hosts.len(), config.links.len()), (2, 1));
}

#[test]
fn everything_can_be_said() {
    let config = read(
        r#"
        listen = "[::1]:9090"
        data = "/srv/vms"
        sample_interval = "1m"
        lldp_interval = "5s"
        [[host]]
        id = "alpha"
        uri = "qemu+tcp://10.199.0.1/system"
        name = "Alpha"
        site = "Rio"
        lldp = "unix:/run/lldpd.socket"
        vxlan = "here"
        traffic = "here"
        [[host]]
        id = "beta"
        uri = "qemu+ssh://root@beta/system"
        key = "rio"
        lldp = "ssh"
        vxlan = "ssh"
        traffic = "ssh"
        [[host]]
        id = "gamma"
        uri = "qemu+tls://gamma/system"
        key = "rio"
        vxlan = "ssh://root@[2001:db8::1]:2222"
        [[host]]
        id = "delta"
        uri = "qemu+tls://delta/system"
        key = "rio"
        traffic = "ssh://root@[2001:db8::1]:2222"
        [[link]]
        a = "alpha:eth0"
        b = "beta:eth1"
        capacity = "2.5G"
        latency = "40us"
        [[link]]
        a = "alpha:eth2"
        b = "beta:eth2"
        "#,
    )
    .unwrap();
    assert_eq!(config.listen, "[::1]:9090".parse().unwrap());
    assert_eq!(config.data, Data::Directory("/srv/vms".into()));
    assert_eq!(config.sample_interval, Duration::from_mins(1));
    assert_eq!(config.hosts[0].name.as_deref(), Some("Alpha"));
    assert_eq!(config.hosts[0].site.as_deref(), Some("Rio"));
    assert_eq!(config.lldp_interval, Duration::from_secs(5));
    let socket = LldpSettings::Socket("/run/lldpd.socket".into());
    let ssh = |uri: &str| {
        let address = SshAddress::of(&uri.parse().unwrap()).unwrap();
        address.with_key(Some("rio".parse().unwrap()))
    };
    assert_eq!(config.hosts[0].lldp, Some(socket));
    assert_eq!(config.hosts[0].vxlan, Some(KernelSettings::Here));
    assert_eq!(config.hosts[0].traffic, Some(KernelSettings::Here));
    let beta = ssh("qemu+ssh://root@beta/system");
    assert_eq!(config.hosts[1].lldp, Some(LldpSettings::Ssh(beta.clone())));
    let beta = Some(KernelSettings::Ssh(beta));
    assert_eq!(config.hosts[1].vxlan, beta);
    assert_eq!(config.hosts[1].traffic, beta);
    let gamma = ssh("qemu+ssh://root@[2001:db8::1]:2222/system");
    assert_eq!(config.hosts[2].lldp, None);
    let gamma = Some(KernelSettings::Ssh(gamma));
    assert_eq!(config.hosts[2].vxlan, gamma);
    assert_eq!(config.hosts[2].traffic, None);
    assert_eq!(config.hosts[3].vxlan, None);
    assert_eq!(config.hosts[3].traffic, gamma);
    assert_eq!(config.hosts[2].endpoints[0].key, None);
    assert_eq!(config.links.len(), 2);
    assert_eq!(config.links[0].b.0.as_str(), "beta");
    assert_eq!(config.links[0].b.1, "eth1");
    assert_eq!(
        config.links[0].capacity_bits_per_second,
        Some(2_500_000_000)
    );
    assert_eq!(config.links[0].latency, Some(Duration::from_micros(40)));
    assert_eq!(config.links[1].capacity_bits_per_second, None);
    assert_eq!(config.links[1].latency, None);
}

#[test]
fn flags_come_before_the_environment_before_the_file() {
    let text =
        format!("listen = \"127.0.0.1:1001\"\ndata = \"/file\"\nsample_interval = \"1s\"\n{HOST}");
    let environment = |name: &str| {
        match name {
            "VMS_LISTEN" => Some("127.0.0.1:1002"),
            "VMS_DATA" => Some("/environment"),
            _ => None,
        }
        .map(OsString::from)
    };
    let flags = Flags {
        listen: Some("127.0.0.1:1003".into()),
        ..Flags::default()
    };
    let config = Config::serve_text(&flags, Path::new("vms.toml"), &text, &environment).unwrap();
    assert_eq!(config.listen.port(), 1003);
    assert_eq!(config.data, Data::Directory("/environment".into()));
    assert_eq!(config.sample_interval, Duration::from_secs(1));

    let demo = Config::demo(&flags, &nothing).unwrap();
    assert_eq!((demo.listen.port(), demo.data), (1003, Data::Temporary));
    let demo = Config::demo(&flags, &environment).unwrap();
    assert_eq!(demo.data, Data::Directory("/environment".into()));
}

#[test]
fn a_wrong_flag_or_variable_is_named() {
    let flags = Flags {
        sample_interval: Some("often".into()),
        ..Flags::default()
    };
    assert_eq!(
        Config::demo(&flags, &nothing).unwrap_err().to_string(),
        "--sample-interval: \"often\" is not a duration: 10s, 500ms, 1m or 2h, for example, was expected"
    );
    let environment = |name: &str| (name == "VMS_LISTEN").then(|| OsString::from("here"));
    assert_eq!(
        Config::demo(&Flags::default(), &environment)
            .unwrap_err()
            .to_string(),
        "VMS_LISTEN: \"here\" is not an address and port: 127.0.0.1:8080, for example, was expected"
    );
}

#[test]
fn data_has_a_place_by_default() {
    use server::config::default_data;
    let home = |name: &str| (name == "HOME").then(|| OsString::from("/home/ana"));
    let both = |name: &str| {
        Some(OsString::from(if name == "HOME" {
            "/home/ana"
        } else {
            "/state"
        }))
    };
    let relative = |_: &str| Some(OsString::from("here"));
    assert_eq!(
        default_data(&both, true).unwrap(),
        Path::new("/var/lib/vms")
    );
    assert_eq!(
        default_data(&home, false).unwrap(),
        Path::new("/home/ana/.local/state/vms")
    );
    assert_eq!(default_data(&both, false).unwrap(), Path::new("/state/vms"));
    for environment in [&nothing as &dyn Fn(&str) -> Option<OsString>, &relative] {
        let error = default_data(environment, false).unwrap_err().to_string();
        assert!(
            error.starts_with("--data: no home directory is known"),
            "{error}"
        );
    }
}

/// Text, and the whole sentence that refuses it.
#[test]
fn what_is_wrong_is_told_with_line_column_and_what_was_expected() {
    let cases = [
        (
            "listn = \"127.0.0.1:80\"\n",
            "vms.toml:1:1: \"listn\" is not a setting: did you mean \"listen\"?",
        ),
        (
            "  colour = \"red\"\n",
            "vms.toml:1:3: \"colour\" is not a setting: listen, data, sample_interval, facts_interval, relist_interval, lldp_interval, migrations_per_host, migration_stall, memory_overcommit, vcpu_overcommit, image_directory, import_directory, pool_directory, upload_expiry, link_transports, link_bridges, link_groups, link_ports, link_ipv4, link_ipv6, use_kvm, host or link was expected",
        ),
        (
            "[[host]]\nid = \"a\"\nurl = \"qemu:///system\"\n",
            "vms.toml:3:1: \"url\" is not a setting of a host: did you mean \"uri\"?",
        ),
        (
            "[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\n[[link]]\na = \"a:1\"\nbandwidth = 1\n",
            "vms.toml:6:1: \"bandwidth\" is not a setting of a link: a, b, capacity or latency was expected",
        ),
        (
            "listen = 8080\n[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\n",
            "vms.toml:1:10: listen is a number: a text in quotes was expected",
        ),
        (
            "listen = \"0.0.0.0:80\"\n[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\n",
            "vms.toml:1:10: 0.0.0.0:80 can be reached from other machines, and VMS has no authentication yet: \
             127.0.0.1:80 or [::1]:80 was expected; to use it from elsewhere, forward the port \
             (ssh -L 80:127.0.0.1:80 THIS-MACHINE) or run a reverse proxy that authenticates on this machine",
        ),
        (
            "sample_interval = \"0s\"\n[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\n",
            "vms.toml:1:19: \"0s\" is not between 1s and 1h in whole seconds: 10s, for example, was expected",
        ),
        (
            "data = \"\"\n[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\n",
            "vms.toml:1:8: it is empty: a directory was expected",
        ),
        (
            "[host]\nid = \"a\"\n",
            "vms.toml:1:1: host is a table: one [[host]], with double brackets, for each host was expected",
        ),
        (
            "host = [1]\n",
            "vms.toml:1:9: host is a number: one [[host]], with double brackets, for each host was expected",
        ),
        (
            "[[host]]\nuri = \"qemu:///system\"\n",
            "vms.toml:1:1: this [[host]] has no id: id = \"alpha\", for example, was expected",
        ),
        (
            "[[host]]\nid = \"a\"\n",
            "vms.toml:1:1: this [[host]] has no uri: uri = \"qemu+ssh://alpha/system\", for example, was expected",
        ),
        (
            "[[host]]\nid = \"a b\"\nuri = \"qemu:///system\"\n",
            "vms.toml:2:6: \"a b\" is not a host's id: 1 to 256 characters without blanks were expected",
        ),
        (
            "[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\n# ünïcode\n[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\n",
            "vms.toml:6:6: the id \"a\" is given already, in line 2: another was expected",
        ),
        (
            "[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\nname = \" \"\n",
            "vms.toml:4:8: name is empty: a text was expected",
        ),
        (
            "[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\n[[link]]\na = \"a:eth0\"\nb = \"c:eth0\"\n",
            "vms.toml:6:5: \"c\" is not a configured host: a was expected",
        ),
        (
            "[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\n[[link]]\na = \"a\"\nb = \"a:eth0\"\n",
            "vms.toml:5:5: \"a\" is not an end of a link: a host's id and its interface, alpha:eth0 for example, were expected",
        ),
        (
            "[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\n[[link]]\na = \"a:eth0\"\nb = \"a:eth1\"\n",
            "vms.toml:4:1: this [[link]] has both ends at a: two hosts were expected",
        ),
        (
            "[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\n[[host]]\nid = \"b\"\nuri = \"qemu:///system\"\n\
             [[link]]\na = \"a:eth0\"\nb = \"b:eth0\"\ncapacity = \"fast\"\n",
            "vms.toml:10:12: \"fast\" is not a capacity: bits a second such as 10G, 2.5G or 100M were expected",
        ),
        (
            "[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\nlldp = \"ssh\"\n",
            "vms.toml:4:8: lldp is \"ssh\", the way of the host's ssh URI, and no URI of this host has \
             that transport: \"ssh://root@alpha\", for example, was expected",
        ),
        (
            "[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\nvxlan = \"there\"\n",
            "vms.toml:4:9: \"there\" is not a way to a host's kernel: ssh://root@alpha, here for the \
             machine of the server, or ssh for the way of the host's ssh URI, for example, was expected",
        ),
        (
            "[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\ntraffic = \"ssh\"\n",
            "vms.toml:4:11: traffic is \"ssh\", the way of the host's ssh URI, and no URI of this host \
             has that transport: \"ssh://root@alpha\", for example, was expected",
        ),
        (
            "[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\nlldp = \"unix:run/lldpd.socket\"\n",
            "vms.toml:4:8: \"unix:run/lldpd.socket\" is not a way to an lldpd: ssh://root@alpha, \
             unix:/run/lldpd.socket, or ssh for the way of the host's ssh URI, for example, was expected",
        ),
        (
            "[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\nkey = \"rio\"\nlldp = \"unix:/run/lldpd.socket\"\n",
            "vms.toml:4:7: a key is used by the ssh transport only, and no URI of this host has it",
        ),
        (
            "lldp_interval = \"1ms\"\n",
            "vms.toml:1:17: \"1ms\" is not between 1s and 1h: 10s, for example, was expected",
        ),
        (
            "facts_interval = \"1ms\"\n",
            "vms.toml:1:18: \"1ms\" is not between 100ms and 1h: 2s, for example, was expected",
        ),
        (
            "[[host]]\nid = \"a\"\nuri = \"qemu:///system\"\nuris = [\"lxc:///system\"]\n",
            "vms.toml:1:1: this [[host]] has both uri and uris: one of them was expected",
        ),
        (
            "[[host]]\nid = \"a\"\nuris = []\n",
            "vms.toml:1:1: uris is empty: uris = [\"qemu+ssh://alpha/system\"], for example, was expected",
        ),
        (
            "[[host]]\nid = \"a\"\nuris = [\"qemu:///system\", 7]\n",
            "vms.toml:3:27: uris has a number: a list of texts in quotes was expected",
        ),
        (
            "[[host]]\nid = \"a\"\nuris = [\"qemu+ssh://b/system\", \"qemu+ssh://c/system\"]\n",
            "vms.toml:3:32: a second URI of the driver qemu: one for each driver was expected",
        ),
        (
            "[[host]]\nid = \"a\"\nuri = \"qemu+tls://b/system\"\nkey = \"rio\"\n",
            "vms.toml:4:7: a key is used by the ssh transport only, and no URI of this host has it",
        ),
        (
            "[[host]]\nid = \"a\"\nuri = \"qemu+ssh://b/system\"\nkey = \"../id\"\n",
            "vms.toml:4:7: \"../id\" is not the name of a key: the name of a file in the directory keys of \
             the data directory was expected, of letters, digits, '.', '_' and '-'",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text).unwrap_err(), expected, "for:\n{text}");
    }
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    for (text, place) in [
        ("listen = \n", "vms.toml:1:"),
        ("[[host]]\nid = \"a\nuri = \"b\"\n", "vms.toml:2:"),
        ("[[host]]\nid = \"a\"\nid = \"b\"\n", "vms.toml:3:"),
    ] {
        let error = read(text).unwrap_err();
        assert!(
            error.starts_with(place) && error.contains("not TOML"),
            "{error}"
        );
    }
}

#[test]
fn a_uri_is_refused_with_the_reason() {
    for (uri, reason) in [
        ("qemu+ext:///system?command=/bin/sh", "runs a program"),
        ("qemu+ssh://alpha/system?no_verify=1", "no_verify"),
        ("test:///etc/passwd", "test:///default"),
        ("vmware://alpha", "vmware"),
        ("alpha", "qemu+ssh://"),
    ] {
        let error = read(&format!("[[host]]\nid = \"a\"\nuri = \"{uri}\"\n")).unwrap_err();
        assert!(
            error.starts_with("vms.toml:3:7: ") && error.contains(reason),
            "{uri}: {error}"
        );
    }
}

#[test]
fn a_host_may_have_several_drivers_and_a_key() {
    let text = "[[host]]\nid = \"a\"\nuris = [\"qemu+ssh://b/system\", \"lxc+tcp://b/system\"]\nkey = \"rio\"\n";
    let config = read(text).unwrap();
    let endpoints: Vec<_> = (config.hosts[0].endpoints.iter())
        .map(|endpoint| {
            let key = endpoint.key.as_ref().map(|key| key.as_str().to_owned());
            (endpoint.uri.to_string(), key)
        })
        .collect();
    assert_eq!(
        endpoints,
        [
            ("qemu+ssh://b/system".to_owned(), Some("rio".to_owned())),
            ("lxc+tcp://b/system".to_owned(), None),
        ]
    );
    // None at all is well: hosts can be registered while the server runs.
    assert!(read("").unwrap().hosts.is_empty());
}
