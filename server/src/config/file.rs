//! `vms.toml`, read with the place of every key and value, so that an error can point at it.

use super::{ConfigError, Place, link_end, values};
use api::HostId;
use control::{
    DeclaredLink, EndpointSettings, HostAddresses, HostSettings, KernelSettings, KeyName,
    LldpSettings, SshAddress, Transport, Uri,
};
use std::{collections::HashMap, ops::Range, path::Path};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

const SETTINGS: &[&str] = &[
    "listen",
    "data",
    "sample_interval",
    "facts_interval",
    "relist_interval",
    "lldp_interval",
    "migrations_per_host",
    "migration_stall",
    "memory_overcommit",
    "vcpu_overcommit",
    "image_directory",
    "import_directory",
    "pool_directory",
    "upload_expiry",
    "link_transports",
    "link_bridges",
    "link_groups",
    "link_ports",
    "link_ipv4",
    "link_ipv6",
    "use_kvm",
    "host",
    "link",
];
const HOST: &[&str] = &[
    "id",
    "uri",
    "uris",
    "key",
    "lldp",
    "vxlan",
    "traffic",
    "name",
    "site",
    "migration",
    "transport",
];
const LINK: &[&str] = &["a", "b", "capacity", "latency"];

/// A parsed file.
pub(super) struct Document<'a> {
    file: File<'a>,
    root: DeTable<'a>,
}

impl<'a> Document<'a> {
    /// Parses `text`, which stands in the file at `path`; unknown settings are refused.
    pub(super) fn parse(path: &'a Path, text: &'a str) -> Result<Self, ConfigError> {
        let file = File { path, text };
        let root = DeTable::parse(text)
            .map_err(|error| {
                let span = error.span().unwrap_or(text.len()..text.len());
                let message = error.message();
                file.error(&span, format!("this is not TOML: {message}"))
            })?
            .into_inner();
        file.refuse_unknown(&root, SETTINGS, "a setting")?;
        Ok(Self { file, root })
    }

    /// A setting that is a text, with its place.
    pub(super) fn text(&self, key: &str) -> Result<Option<(Place, String)>, ConfigError> {
        Ok(self
            .file
            .text(&self.root, key)?
            .map(|found| (self.file.place(&found.span), found.text.to_owned())))
    }

    /// The hosts, in the order of the file.
    pub(super) fn hosts(&self) -> Result<Vec<HostSettings>, ConfigError> {
        let tables = self.file.tables(&self.root, "host")?;
        let mut hosts = Vec::with_capacity(tables.len());
        let mut lines = HashMap::new();
        for table in tables {
            self.file
                .refuse_unknown(table.get_ref(), HOST, "a setting of a host")?;
            let id = self.file.required(&table, "id", "[[host]]", "\"alpha\"")?;
            let id: HostId = id.read(&self.file, str::parse)?;
            let place = self.file.required(&table, "id", "[[host]]", "")?.span;
            let (line, _) = self.file.position(place.start);
            if let Some(before) = lines.insert(id.clone(), line) {
                return Err(self.file.error(
                    &place,
                    format!(
                        "the id {:?} is given already, in line {before}: another was expected",
                        id.as_str()
                    ),
                ));
            }
            let key = self.file.text(table.get_ref(), "key")?;
            let name = key.as_ref().map(|key| key.read(&self.file, str::parse));
            let name: Option<KeyName> = name.transpose()?;
            let endpoints = self.endpoints(&table, name.as_ref())?;
            let lldp = self.way(
                &table,
                "lldp",
                &endpoints,
                LldpSettings::Ssh,
                LldpSettings::parse,
            )?;
            let lldp = lldp.map(|way| way.with_key(name.as_ref()));
            let of_kernel = |key| -> Result<Option<KernelSettings>, ConfigError> {
                let (by_ssh, parse) = (KernelSettings::Ssh, KernelSettings::parse);
                let way = self.way(&table, key, &endpoints, by_ssh, parse)?;
                Ok(way.map(|way| way.with_key(name.as_ref())))
            };
            let (vxlan, traffic) = (of_kernel("vxlan")?, of_kernel("traffic")?);
            let by_ssh = |way: &KernelSettings| matches!(way, KernelSettings::Ssh(_));
            let is_used = matches!(lldp, Some(LldpSettings::Ssh(_)))
                || [&vxlan, &traffic].into_iter().flatten().any(by_ssh)
                || endpoints.iter().any(|endpoint| endpoint.key.is_some());
            if let Some(key) = key
                && !is_used
            {
                return Err(self.file.error(
                    &key.span,
                    "a key is used by the ssh transport only, and no URI of this host has it",
                ));
            }
            let text = |key| {
                let found = self.file.text(table.get_ref(), key)?;
                found
                    .map(|found| {
                        if found.text.trim().is_empty() {
                            return Err(self.file.error(
                                &found.span,
                                format!("{key} is empty: a text was expected"),
                            ));
                        }
                        Ok(found.text.to_owned())
                    })
                    .transpose()
            };
            let transport = self.file.text(table.get_ref(), "transport")?;
            let transport = transport.map(|found| {
                found.read(&self.file, |text| {
                    let address = text.parse();
                    address.map_err(|_| {
                        format!("{text:?} is not an IP address: \"10.0.0.1\" was expected")
                    })
                })
            });
            let migration = self.file.text(table.get_ref(), "migration")?;
            let migration = migration.map(|found| found.read(&self.file, values::host_name));
            let addresses = HostAddresses {
                migration: migration.transpose()?,
                transport: transport.transpose()?,
            };
            hosts.push(HostSettings {
                name: text("name")?,
                site: text("site")?,
                id,
                endpoints,
                lldp,
                vxlan,
                traffic,
                addresses,
            });
        }
        Ok(hosts)
    }

    /// How a host is reached: by one URI, or by several of different drivers.
    fn endpoints(
        &self,
        table: &Spanned<&DeTable>,
        key: Option<&KeyName>,
    ) -> Result<Vec<EndpointSettings>, ConfigError> {
        const EXAMPLE: &str = "\"qemu+ssh://alpha/system\"";
        let several = self.file.texts(table.get_ref(), "uris")?;
        let found = match several {
            None => vec![self.file.required(table, "uri", "[[host]]", EXAMPLE)?],
            Some(several) => {
                if self.file.text(table.get_ref(), "uri")?.is_some() {
                    return Err(self.file.error(
                        &table.span(),
                        "this [[host]] has both uri and uris: one of them was expected",
                    ));
                }
                several
            }
        };
        if found.is_empty() {
            return Err(self.file.error(
                &table.span(),
                format!("uris is empty: uris = [{EXAMPLE}], for example, was expected"),
            ));
        }
        let mut endpoints: Vec<EndpointSettings> = Vec::with_capacity(found.len());
        for text in &found {
            let uri = text.read(&self.file, Uri::parse)?;
            let driver = uri.driver();
            if endpoints.iter().any(|known| known.uri.driver() == driver) {
                return Err(self.file.error(
                    &text.span,
                    format!(
                        "a second URI of the driver {driver}: one for each driver was expected"
                    ),
                ));
            }
            let is_ssh = uri.transport() == Transport::Ssh;
            endpoints.push(EndpointSettings {
                uri,
                key: key.filter(|_| is_ssh).cloned(),
            });
        }
        Ok(endpoints)
    }

    /// How a host is asked for what libvirt does not know, if it is: `ssh` is the way of its ssh
    /// URI.
    fn way<T>(
        &self,
        table: &Spanned<&DeTable>,
        key: &str,
        endpoints: &[EndpointSettings],
        by_ssh: impl FnOnce(SshAddress) -> T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(found) = self.file.text(table.get_ref(), key)? else {
            return Ok(None);
        };
        if found.text != "ssh" {
            return found.read(&self.file, parse).map(Some);
        }
        let mut ways = endpoints.iter().filter_map(|of| SshAddress::of(&of.uri));
        let way = ways.next().ok_or_else(|| {
            self.file.error(
                &found.span,
                format!(
                    "{key} is \"ssh\", the way of the host's ssh URI, and no URI of this host has \
                     that transport: \"ssh://root@alpha\", for example, was expected"
                ),
            )
        })?;
        Ok(Some(by_ssh(way)))
    }

    /// The declared links, each between two of `hosts`.
    pub(super) fn links(&self, hosts: &[HostSettings]) -> Result<Vec<DeclaredLink>, ConfigError> {
        let tables = self.file.tables(&self.root, "link")?;
        let mut links = Vec::with_capacity(tables.len());
        for table in tables {
            self.file
                .refuse_unknown(table.get_ref(), LINK, "a setting of a link")?;
            let end = |key| {
                self.file
                    .required(&table, key, "[[link]]", "\"alpha:eth0\"")?
                    .read(&self.file, |text| {
                        let (host, interface) = link_end(text)?;
                        hosts
                            .iter()
                            .find(|known| known.id.as_str() == host)
                            .map(|known| (known.id.clone(), interface.to_owned()))
                            .ok_or_else(|| {
                                let ids = hosts.iter().map(|host| host.id.as_str());
                                format!(
                                    "{host:?} is not a configured host: {} was expected",
                                    one_of(ids)
                                )
                            })
                    })
            };
            let (a, b) = (end("a")?, end("b")?);
            if a.0 == b.0 {
                return Err(self.file.error(
                    &table.span(),
                    format!(
                        "this [[link]] has both ends at {}: two hosts were expected",
                        a.0
                    ),
                ));
            }
            let capacity = self.file.text(table.get_ref(), "capacity")?;
            let latency = self.file.text(table.get_ref(), "latency")?;
            links.push(DeclaredLink {
                a,
                b,
                capacity_bits_per_second: capacity
                    .map(|found| found.read(&self.file, super::capacity))
                    .transpose()?,
                latency: latency
                    .map(|found| found.read(&self.file, super::latency))
                    .transpose()?,
            });
        }
        Ok(links)
    }
}

/// The text of a file and where it comes from.
struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

/// A text of the file and where it stands.
struct Found<'a> {
    text: &'a str,
    span: Range<usize>,
}

impl Found<'_> {
    fn read<T, E: ToString>(
        &self,
        file: &File,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ConfigError> {
        read(self.text).map_err(|error| file.error(&self.span, error.to_string()))
    }
}

impl File<'_> {
    /// Line and column of a byte, both from 1.
    fn position(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (
            before.matches('\n').count() + 1,
            before[start..].chars().count() + 1,
        )
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let (line, column) = self.position(span.start);
        Place::File {
            path: self.path.to_owned(),
            line,
            column,
        }
    }

    fn error(&self, span: &Range<usize>, message: impl Into<String>) -> ConfigError {
        ConfigError::new(self.place(span), message)
    }

    /// The first unknown key in order of the file is refused, with the known one that is nearest.
    fn refuse_unknown(
        &self,
        table: &DeTable,
        known: &[&str],
        what: &str,
    ) -> Result<(), ConfigError> {
        let unknown = table
            .keys()
            .filter(|key| !known.contains(&key.get_ref().as_ref()))
            .min_by_key(|key| key.span().start);
        let Some(key) = unknown else { return Ok(()) };
        let name = key.get_ref();
        let nearest = known
            .iter()
            .map(|known| {
                (
                    strsim::damerau_levenshtein(known, &name.to_lowercase()),
                    known,
                )
            })
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, known)| *distance <= 1 + known.len() / 4);
        let expected = match nearest {
            Some((_, nearest)) => format!("did you mean {nearest:?}?"),
            None => format!("{} was expected", one_of(known.iter().copied())),
        };
        Err(self.error(&key.span(), format!("{name:?} is not {what}: {expected}")))
    }

    fn text<'t>(&self, table: &'t DeTable, key: &str) -> Result<Option<Found<'t>>, ConfigError> {
        let Some(value) = table.get(key) else {
            return Ok(None);
        };
        match value.get_ref() {
            DeValue::String(text) => Ok(Some(Found {
                text,
                span: value.span(),
            })),
            other => Err(self.error(
                &value.span(),
                format!("{key} is {}: a text in quotes was expected", kind(other)),
            )),
        }
    }

    /// The texts of a list.
    fn texts<'t>(
        &self,
        table: &'t DeTable,
        key: &str,
    ) -> Result<Option<Vec<Found<'t>>>, ConfigError> {
        let Some(value) = table.get(key) else {
            return Ok(None);
        };
        let wrong = |value: &Spanned<DeValue>| {
            self.error(
                &value.span(),
                format!(
                    "{key} has {}: a list of texts in quotes was expected",
                    kind(value.get_ref())
                ),
            )
        };
        let DeValue::Array(array) = value.get_ref() else {
            return Err(wrong(value));
        };
        let text = |entry: &'t Spanned<DeValue>| match entry.get_ref() {
            DeValue::String(text) => Ok(Found {
                text,
                span: entry.span(),
            }),
            _ => Err(wrong(entry)),
        };
        array.iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    fn required<'t>(
        &self,
        table: &'t Spanned<&'t DeTable<'t>>,
        key: &str,
        of: &str,
        example: &str,
    ) -> Result<Found<'t>, ConfigError> {
        self.text(table.get_ref(), key)?.ok_or_else(|| {
            self.error(
                &table.span(),
                format!("this {of} has no {key}: {key} = {example}, for example, was expected"),
            )
        })
    }

    /// The tables of `[[key]]`.
    fn tables<'t>(
        &self,
        root: &'t DeTable<'t>,
        key: &str,
    ) -> Result<Vec<Spanned<&'t DeTable<'t>>>, ConfigError> {
        let Some(value) = root.get(key) else {
            return Ok(Vec::new());
        };
        let wrong = |value: &Spanned<DeValue>| {
            self.error(
                &value.span(),
                format!(
                    "{key} is {}: one [[{key}]], with double brackets, for each {key} was expected",
                    kind(value.get_ref())
                ),
            )
        };
        let DeValue::Array(array) = value.get_ref() else {
            return Err(wrong(value));
        };
        array
            .iter()
            .map(|entry| match entry.get_ref() {
                DeValue::Table(table) => Ok(Spanned::new(entry.span(), table)),
                _ => Err(wrong(entry)),
            })
            .collect()
    }
}

fn kind(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// Joins words: `a, b or c`.
fn one_of<'t>(words: impl Iterator<Item = &'t str>) -> String {
    let words: Vec<_> = words.collect();
    match words.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}
