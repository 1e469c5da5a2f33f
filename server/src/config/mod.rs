//! What the server is told: flags, environment, `vms.toml` and defaults, in this order.
//!
//! | setting | flag | environment | key in `vms.toml` | default |
//! |---|---|---|---|---|
//! | where to listen | `--listen` | `VMS_LISTEN` | `listen` | `127.0.0.1:8080` |
//! | data directory | `--data` | `VMS_DATA` | `data` | see [`default_data`]; `vms demo`: a temporary one |
//! | sampling | `--sample-interval` | `VMS_SAMPLE_INTERVAL` | `sample_interval` | `10s` |
//! | facts without events | `--facts-interval` | `VMS_FACTS_INTERVAL` | `facts_interval` | `2s` |
//! | full listings | `--relist-interval` | `VMS_RELIST_INTERVAL` | `relist_interval` | `1m` |
//! | LLDP | `--lldp-interval` | `VMS_LLDP_INTERVAL` | `lldp_interval` | `10s`; hosts whose `[[host]]` has `lldp` or `traffic` |
//! | jobs a host at once | `--migrations-per-host` | `VMS_MIGRATIONS_PER_HOST` | `migrations_per_host` | `2` |
//! | migrations that move nothing | `--migration-stall` | `VMS_MIGRATION_STALL` | `migration_stall` | `1m`, then they are ended |
//! | memory of routers | `--memory-overcommit` | `VMS_MEMORY_OVERCOMMIT` | `memory_overcommit` | `1` times that of the host they move to |
//! | their processors | `--vcpu-overcommit` | `VMS_VCPU_OVERCOMMIT` | `vcpu_overcommit` | `8` times those of the host |
//! | image store | `--image-directory` | `VMS_IMAGE_DIRECTORY` | `image_directory` | `images` in the data directory |
//! | files to import | `--import-directory` | `VMS_IMPORT_DIRECTORY` | `import_directory` | none: nothing can be imported |
//! | pool on hosts | `--pool-directory` | `VMS_POOL_DIRECTORY` | `pool_directory` | `/var/lib/libvirt/images/vms` |
//! | abandoned uploads | `--upload-expiry` | `VMS_UPLOAD_EXPIRY` | `upload_expiry` | `24h` after the last part |
//! | what carries links between hosts | `--link-transports` | `VMS_LINK_TRANSPORTS` | `link_transports` | `bridge,multicast,udp`: the first that both hosts can |
//! | bridges prepared for links | `--link-bridges` | `VMS_LINK_BRIDGES` | `link_bridges` | none: one link each |
//! | multicast groups of links | `--link-groups` | `VMS_LINK_GROUPS` | `link_groups` | `239.192.0.0/16` |
//! | UDP ports of tunnels | `--link-ports` | `VMS_LINK_PORTS` | `link_ports` | `20000-29999` |
//! | IPv4 addresses of links | `--link-ipv4` | `VMS_LINK_IPV4` | `link_ipv4` | `100.64.0.0/16` |
//! | IPv6 addresses of links | `--link-ipv6` | `VMS_LINK_IPV6` | `link_ipv6` | `fd76:6d73:1::/48` |
//! | KVM for new routers | `--use-kvm` | `VMS_USE_KVM` | `use_kvm` | `yes`, where a host has it |
//! | the file | `--config` | `VMS_CONFIG` | | `vms.toml` |
//! | hosts | | | `[[host]]` | none; more can be registered while the server runs |
//! | declared links | | | `[[link]]` | none |
//!
//! A wrong setting stops the start: a [`ConfigError`] says where it stands and what was expected.
//! Nothing here touches the network or the data directory.

mod error;
mod file;
mod values;

pub use error::{ConfigError, Place};
pub use values::{capacity, duration, latency, link_end, listen};

use control::{DeclaredLink, HostSettings, ImageSettings, LinkSettings, MigrationSettings};
use file::Document;
use std::{
    ffi::OsString,
    io::ErrorKind,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// The names of the environment variables that are read.
pub const ENVIRONMENT: [&str; 22] = [
    "VMS_LISTEN",
    "VMS_DATA",
    "VMS_SAMPLE_INTERVAL",
    "VMS_FACTS_INTERVAL",
    "VMS_RELIST_INTERVAL",
    "VMS_LLDP_INTERVAL",
    "VMS_MIGRATIONS_PER_HOST",
    "VMS_MIGRATION_STALL",
    "VMS_MEMORY_OVERCOMMIT",
    "VMS_VCPU_OVERCOMMIT",
    "VMS_IMAGE_DIRECTORY",
    "VMS_IMPORT_DIRECTORY",
    "VMS_POOL_DIRECTORY",
    "VMS_UPLOAD_EXPIRY",
    "VMS_LINK_TRANSPORTS",
    "VMS_LINK_BRIDGES",
    "VMS_LINK_GROUPS",
    "VMS_LINK_PORTS",
    "VMS_LINK_IPV4",
    "VMS_LINK_IPV6",
    "VMS_USE_KVM",
    "VMS_CONFIG",
];

const DEFAULT_LISTEN: &str = "127.0.0.1:8080";
const DEFAULT_SAMPLE_INTERVAL: &str = "10s";
const DEFAULT_FACTS_INTERVAL: &str = "2s";
const DEFAULT_RELIST_INTERVAL: &str = "1m";
const DEFAULT_LLDP_INTERVAL: &str = "10s";
const DEFAULT_FILE: &str = "vms.toml";

/// Everything that the server is told.
#[derive(Debug)]
pub struct Config {
    /// Where to listen: a loopback address. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where to keep data.
    pub data: Data,
    /// Time between two samples of a host.
    pub sample_interval: Duration,
    /// Time between two looks at what libvirt has no events for: states of hosts' interfaces.
    pub facts_interval: Duration,
    /// Time between two full listings of a host, events or not.
    pub relist_interval: Duration,
    /// Time between two questions to a host whom it hears by LLDP.
    pub lldp_interval: Duration,
    /// How routers are moved, and what their destinations are given at most.
    pub migration: MigrationSettings,
    /// Where images are kept, and come from.
    pub images: ImageSettings,
    /// What virtual links are made of.
    pub virtual_links: LinkSettings,
    /// Whether new routers are run with KVM where a host has it.
    pub use_kvm: bool,
    /// The hosts of the fleet, by id as configured; empty for the demo, which brings its own.
    pub hosts: Vec<HostSettings>,
    /// The physical links that were declared.
    pub links: Vec<DeclaredLink>,
}

/// Where data is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// In this directory, which is made where missing and kept.
    Directory(PathBuf),
    /// In a fresh private directory that goes with the server.
    Temporary,
}

/// The settings as flags, as given.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Flags {
    /// Where to listen, a loopback address [env: `VMS_LISTEN`] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<OsString>,
    /// Directory for databases, made where missing [env: `VMS_DATA`]
    #[arg(long, value_name = "DIRECTORY")]
    pub data: Option<OsString>,
    /// Time between two samples of a host [env: `VMS_SAMPLE_INTERVAL`] [default: 10s]
    #[arg(long, value_name = "DURATION")]
    pub sample_interval: Option<OsString>,
    /// Time between two looks at the states of hosts' interfaces [env: `VMS_FACTS_INTERVAL`]
    /// [default: 2s]
    #[arg(long, value_name = "DURATION")]
    pub facts_interval: Option<OsString>,
    /// Time between two full listings of a host [env: `VMS_RELIST_INTERVAL`] [default: 1m]
    #[arg(long, value_name = "DURATION")]
    pub relist_interval: Option<OsString>,
    /// Time between two questions to hosts whom they hear by LLDP [env: `VMS_LLDP_INTERVAL`]
    /// [default: 10s]
    #[arg(long, value_name = "DURATION")]
    pub lldp_interval: Option<OsString>,
    /// How many jobs may act on one host at once [env: `VMS_MIGRATIONS_PER_HOST`] [default: 2]
    #[arg(long, value_name = "NUMBER")]
    pub migrations_per_host: Option<OsString>,
    /// How long a live migration may move nothing before it is ended [env: `VMS_MIGRATION_STALL`]
    /// [default: 1m]
    #[arg(long, value_name = "DURATION")]
    pub migration_stall: Option<OsString>,
    /// Memory that running routers may have together, as a multiple of their host's
    /// [env: `VMS_MEMORY_OVERCOMMIT`] [default: 1]
    #[arg(long, value_name = "FACTOR")]
    pub memory_overcommit: Option<OsString>,
    /// Virtual processors that running routers may have together, as a multiple of their host's
    /// processors [env: `VMS_VCPU_OVERCOMMIT`] [default: 8]
    #[arg(long, value_name = "FACTOR")]
    pub vcpu_overcommit: Option<OsString>,
    /// Directory of the image store, made where missing [env: `VMS_IMAGE_DIRECTORY`]
    /// [default: `images` in the data directory]
    #[arg(long, value_name = "DIRECTORY")]
    pub image_directory: Option<OsString>,
    /// The one directory that images may be imported from; links in it are not followed
    /// [env: `VMS_IMPORT_DIRECTORY`] [default: none]
    #[arg(long, value_name = "DIRECTORY")]
    pub import_directory: Option<OsString>,
    /// Directory on hosts of the storage pool that VMS makes there when it is asked to
    /// [env: `VMS_POOL_DIRECTORY`] [default: /var/lib/libvirt/images/vms]
    #[arg(long, value_name = "DIRECTORY")]
    pub pool_directory: Option<OsString>,
    /// How long the next part of an upload is waited for [env: `VMS_UPLOAD_EXPIRY`] [default: 24h]
    #[arg(long, value_name = "DURATION")]
    pub upload_expiry: Option<OsString>,
    /// What carries virtual links between hosts, in this order: of bridge, multicast and udp
    /// [env: `VMS_LINK_TRANSPORTS`] [default: bridge,multicast,udp]
    #[arg(long, value_name = "LIST")]
    pub link_transports: Option<OsString>,
    /// Bridges of hosts that are prepared for virtual links (VXLAN, VLAN), one link each
    /// [env: `VMS_LINK_BRIDGES`] [default: none]
    #[arg(long, value_name = "LIST")]
    pub link_bridges: Option<OsString>,
    /// Multicast groups for virtual links [env: `VMS_LINK_GROUPS`] [default: 239.192.0.0/16]
    #[arg(long, value_name = "NETWORK")]
    pub link_groups: Option<OsString>,
    /// UDP ports at which virtual links end [env: `VMS_LINK_PORTS`] [default: 20000-29999]
    #[arg(long, value_name = "FIRST-LAST")]
    pub link_ports: Option<OsString>,
    /// Addresses for virtual links, a /31 each [env: `VMS_LINK_IPV4`] [default: 100.64.0.0/16]
    #[arg(long, value_name = "NETWORK")]
    pub link_ipv4: Option<OsString>,
    /// Addresses for virtual links, a /64 each [env: `VMS_LINK_IPV6`] [default: `fd76:6d73:1::/48`]
    #[arg(long, value_name = "NETWORK")]
    pub link_ipv6: Option<OsString>,
    /// Whether new routers are run with KVM where a host has it: yes or no [env: `VMS_USE_KVM`]
    /// [default: yes]
    #[arg(long, value_name = "YES|NO")]
    pub use_kvm: Option<OsString>,
}

/// Looks up an environment variable; [`std::env::var_os`] outside of tests.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

impl Config {
    /// What `vms demo` is told: flags and environment. It reads no file.
    pub fn demo(flags: &Flags, environment: Environment) -> Result<Self, ConfigError> {
        let mut source = Source {
            flags,
            environment,
            document: None,
        };
        source.config(|_, _| Ok(Data::Temporary))
    }

    /// What `vms serve` is told: flags, environment and `vms.toml`.
    pub fn serve(
        flags: &Flags,
        file: Option<&Path>,
        environment: Environment,
    ) -> Result<Self, ConfigError> {
        let named = file
            .map(Path::to_owned)
            .or_else(|| environment("VMS_CONFIG").map(PathBuf::from));
        let path = named.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
        let text = match std::fs::read(&path) {
            // Nobody named it: hosts can be registered while the server runs.
            Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => Vec::new(),
            text => text.map_err(|error| {
                ConfigError::new(
                    Place::Whole(path.clone()),
                    format!("cannot be read ({error}): a file of settings was expected"),
                )
            })?,
        };
        let text = String::from_utf8(text)
            .map_err(|_| ConfigError::new(Place::Whole(path.clone()), "is not text in UTF-8"))?;
        Self::serve_text(flags, &path, &text, environment)
    }

    /// [`Config::serve`] for a file that was read already.
    pub fn serve_text(
        flags: &Flags,
        path: &Path,
        text: &str,
        environment: Environment,
    ) -> Result<Self, ConfigError> {
        let document = Document::parse(path, text)?;
        let hosts = document.hosts()?;
        let links = document.links(&hosts)?;
        let mut source = Source {
            flags,
            environment,
            document: Some(document),
        };
        let mut config = source
            .config(|environment, root| default_data(environment, root).map(Data::Directory))?;
        config.hosts = hosts;
        config.links = links;
        Ok(config)
    }
}

/// The data directory of `vms serve` where none is named: `/var/lib/vms` for root, otherwise
/// `$XDG_STATE_HOME/vms` or `~/.local/state/vms`.
pub fn default_data(environment: Environment, root: bool) -> Result<PathBuf, ConfigError> {
    if root {
        return Ok(PathBuf::from("/var/lib/vms"));
    }
    let absolute = |name: &str| {
        environment(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .map(|state| state.join("vms"))
        .ok_or_else(|| {
            ConfigError::new(
                Place::Flag("--data"),
                "no home directory is known, as HOME is not set: a directory was expected",
            )
        })
}

/// Where settings come from, in order of precedence.
struct Source<'a> {
    flags: &'a Flags,
    environment: Environment<'a>,
    document: Option<Document<'a>>,
}

impl Source<'_> {
    fn config(
        &mut self,
        default_data: impl FnOnce(Environment, bool) -> Result<Data, ConfigError>,
    ) -> Result<Config, ConfigError> {
        let listen = match self.find("--listen", "VMS_LISTEN", "listen")? {
            Some(found) => found.read(listen)?,
            None => Found::default(DEFAULT_LISTEN).read(listen)?,
        };
        let sample_interval = match self.find(
            "--sample-interval",
            "VMS_SAMPLE_INTERVAL",
            "sample_interval",
        )? {
            Some(found) => found.read(values::sample_interval)?,
            None => Found::default(DEFAULT_SAMPLE_INTERVAL).read(values::sample_interval)?,
        };
        let facts_interval =
            match self.find("--facts-interval", "VMS_FACTS_INTERVAL", "facts_interval")? {
                Some(found) => found.read(values::facts_interval)?,
                None => Found::default(DEFAULT_FACTS_INTERVAL).read(values::facts_interval)?,
            };
        let relist_interval = match self.find(
            "--relist-interval",
            "VMS_RELIST_INTERVAL",
            "relist_interval",
        )? {
            Some(found) => found.read(values::relist_interval)?,
            None => Found::default(DEFAULT_RELIST_INTERVAL).read(values::relist_interval)?,
        };
        let lldp_interval =
            match self.find("--lldp-interval", "VMS_LLDP_INTERVAL", "lldp_interval")? {
                Some(found) => found.read(values::lldp_interval)?,
                None => Found::default(DEFAULT_LLDP_INTERVAL).read(values::lldp_interval)?,
            };
        let migration = self.migration()?;
        let images = self.images()?;
        let virtual_links = self.virtual_links()?;
        let use_kvm = match self.find("--use-kvm", "VMS_USE_KVM", "use_kvm")? {
            Some(found) => found.read(values::yes)?,
            None => true,
        };
        let data = match self.find("--data", "VMS_DATA", "data")? {
            Some(found) => Data::Directory(found.directory()?),
            None => default_data(self.environment, is_root())?,
        };
        Ok(Config {
            listen,
            data,
            sample_interval,
            facts_interval,
            relist_interval,
            lldp_interval,
            migration,
            images,
            virtual_links,
            use_kvm,
            hosts: Vec::new(),
            links: Vec::new(),
        })
    }

    fn migration(&self) -> Result<MigrationSettings, ConfigError> {
        let mut migration = MigrationSettings::default();
        let per_host = ("--migrations-per-host", "VMS_MIGRATIONS_PER_HOST");
        if let Some(found) = self.find(per_host.0, per_host.1, "migrations_per_host")? {
            migration.per_host = found.read(values::per_host)?;
        }
        let stall = ("--migration-stall", "VMS_MIGRATION_STALL");
        if let Some(found) = self.find(stall.0, stall.1, "migration_stall")? {
            migration.stall = found.read(values::stall)?;
        }
        let memory = ("--memory-overcommit", "VMS_MEMORY_OVERCOMMIT");
        if let Some(found) = self.find(memory.0, memory.1, "memory_overcommit")? {
            migration.memory_overcommit = found.read(values::overcommit)?;
        }
        let vcpus = ("--vcpu-overcommit", "VMS_VCPU_OVERCOMMIT");
        if let Some(found) = self.find(vcpus.0, vcpus.1, "vcpu_overcommit")? {
            migration.vcpu_overcommit = found.read(values::overcommit)?;
        }
        Ok(migration)
    }

    fn images(&self) -> Result<ImageSettings, ConfigError> {
        let mut images = ImageSettings::default();
        let store = ("--image-directory", "VMS_IMAGE_DIRECTORY");
        if let Some(found) = self.find(store.0, store.1, "image_directory")? {
            images.directory = Some(found.directory()?);
        }
        let import = ("--import-directory", "VMS_IMPORT_DIRECTORY");
        if let Some(found) = self.find(import.0, import.1, "import_directory")? {
            images.import = Some(found.directory()?);
        }
        let pool = ("--pool-directory", "VMS_POOL_DIRECTORY");
        if let Some(found) = self.find(pool.0, pool.1, "pool_directory")? {
            images.pool = found.read(values::directory_on_hosts)?;
        }
        let expiry = ("--upload-expiry", "VMS_UPLOAD_EXPIRY");
        if let Some(found) = self.find(expiry.0, expiry.1, "upload_expiry")? {
            images.upload_expiry = found.read(values::upload_expiry)?;
        }
        Ok(images)
    }

    fn virtual_links(&self) -> Result<LinkSettings, ConfigError> {
        let mut links = LinkSettings::default();
        let transports = ("--link-transports", "VMS_LINK_TRANSPORTS");
        if let Some(found) = self.find(transports.0, transports.1, "link_transports")? {
            links.transports = found.read(values::transports)?;
        }
        let bridges = ("--link-bridges", "VMS_LINK_BRIDGES");
        if let Some(found) = self.find(bridges.0, bridges.1, "link_bridges")? {
            links.bridges = found.read(values::bridges)?;
        }
        let groups = ("--link-groups", "VMS_LINK_GROUPS");
        if let Some(found) = self.find(groups.0, groups.1, "link_groups")? {
            links.groups = found.read(values::groups)?;
        }
        let ports = ("--link-ports", "VMS_LINK_PORTS");
        if let Some(found) = self.find(ports.0, ports.1, "link_ports")? {
            links.udp_ports = found.read(values::ports)?;
        }
        let ipv4 = ("--link-ipv4", "VMS_LINK_IPV4");
        if let Some(found) = self.find(ipv4.0, ipv4.1, "link_ipv4")? {
            links.ipv4 = found.read(values::ipv4)?;
        }
        let ipv6 = ("--link-ipv6", "VMS_LINK_IPV6");
        if let Some(found) = self.find(ipv6.0, ipv6.1, "link_ipv6")? {
            links.ipv6 = found.read(values::ipv6)?;
        }
        Ok(links)
    }

    fn find(
        &self,
        flag: &'static str,
        variable: &'static str,
        key: &str,
    ) -> Result<Option<Found>, ConfigError> {
        let given = match flag {
            "--listen" => &self.flags.listen,
            "--data" => &self.flags.data,
            "--facts-interval" => &self.flags.facts_interval,
            "--relist-interval" => &self.flags.relist_interval,
            "--lldp-interval" => &self.flags.lldp_interval,
            "--migrations-per-host" => &self.flags.migrations_per_host,
            "--migration-stall" => &self.flags.migration_stall,
            "--memory-overcommit" => &self.flags.memory_overcommit,
            "--vcpu-overcommit" => &self.flags.vcpu_overcommit,
            "--image-directory" => &self.flags.image_directory,
            "--import-directory" => &self.flags.import_directory,
            "--pool-directory" => &self.flags.pool_directory,
            "--upload-expiry" => &self.flags.upload_expiry,
            "--link-transports" => &self.flags.link_transports,
            "--link-bridges" => &self.flags.link_bridges,
            "--link-groups" => &self.flags.link_groups,
            "--link-ports" => &self.flags.link_ports,
            "--link-ipv4" => &self.flags.link_ipv4,
            "--link-ipv6" => &self.flags.link_ipv6,
            "--use-kvm" => &self.flags.use_kvm,
            _ => &self.flags.sample_interval,
        };
        if let Some(value) = given {
            return Ok(Some(Found {
                place: Place::Flag(flag),
                value: value.clone(),
            }));
        }
        if let Some(value) = (self.environment)(variable) {
            return Ok(Some(Found {
                place: Place::Variable(variable),
                value,
            }));
        }
        let Some(document) = &self.document else {
            return Ok(None);
        };
        Ok(document.text(key)?.map(|(place, text)| Found {
            place,
            value: text.into(),
        }))
    }
}

/// A setting where it was found.
struct Found {
    place: Place,
    value: OsString,
}

impl Found {
    fn default(value: &str) -> Self {
        Self {
            place: Place::Default,
            value: value.into(),
        }
    }

    fn read<T>(self, read: impl FnOnce(&str) -> Result<T, String>) -> Result<T, ConfigError> {
        let text = self
            .value
            .to_str()
            .ok_or_else(|| ConfigError::new(self.place.clone(), "text in UTF-8 was expected"))?;
        read(text).map_err(|message| ConfigError::new(self.place.clone(), message))
    }

    fn directory(self) -> Result<PathBuf, ConfigError> {
        if self.value.is_empty() {
            return Err(ConfigError::new(
                self.place,
                "it is empty: a directory was expected",
            ));
        }
        Ok(PathBuf::from(self.value))
    }
}

/// Whether this process runs as root, by the owner of its entry in `/proc`.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}
