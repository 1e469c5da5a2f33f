//! Seeds for cloud-init's `NoCloud` source: a small disk with a file system and three files.
//!
//! <https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html>. All three are YAML, of
//! which JSON is a part: what VMS writes is JSON, and needs no quoting of its own.

use super::{nics::NewNic, routers::volume_prefix};
use api::CloudInit;
use bytes::Bytes;
use fatfs::{FileSystem, FormatVolumeOptions, FsOptions};
use libvirt::{Capability, Chunk, Connection, DiskXml, DomainXml, Span};
use model::RouterId;
use serde_json::{Value, json};
use std::io::{self, Cursor, Write as _};

/// The size of the disk: the least that a FAT of 12 bits fits well.
const SIZE: usize = 1 << 20;

/// The file that tells of interfaces.
const NETWORK: &str = "network-config";

/// The most that somebody's `user-data` may be.
pub(crate) const MOST: usize = 512 << 10;

/// The most that keys may be: with all else they fit the disk.
pub(crate) const MOST_KEYS: usize = 128 << 10;

/// The disk.
pub(crate) fn disk(
    router: RouterId,
    name: &str,
    seed: &CloudInit,
    nics: &[NewNic],
) -> io::Result<Vec<u8>> {
    let of_new = nics
        .iter()
        .map(|nic| (nic.mac.to_string(), nic.addresses.clone()));
    let mut bytes = vec![0; SIZE];
    let label = *b"CIDATA     ";
    let options = FormatVolumeOptions::new().volume_label(label);
    fatfs::format_volume(Cursor::new(&mut bytes), options)?;
    {
        let system = FileSystem::new(Cursor::new(&mut bytes), FsOptions::new())?;
        let root = system.root_dir();
        let user_data = seed.user_data.as_deref().unwrap_or("#cloud-config\n{}\n");
        for (file, content) in [
            ("meta-data", meta_data(router, name, seed).to_string()),
            ("user-data", user_data.to_owned()),
            (NETWORK, network(of_new).to_string()),
        ] {
            root.create_file(file)?.write_all(content.as_bytes())?;
        }
    }
    Ok(bytes)
}

fn meta_data(router: RouterId, name: &str, seed: &CloudInit) -> Value {
    json!({
        "instance-id": router.0,
        "local-hostname": seed.host_name.as_deref().unwrap_or(name),
        "public-keys": seed.ssh_keys,
    })
}

/// <https://docs.cloud-init.io/en/latest/reference/network-config-format-v2.html>
fn network(nics: impl Iterator<Item = (String, Vec<String>)>) -> Value {
    let interfaces = nics.enumerate().map(|(number, (mac, addresses))| {
        let mut interface = json!({ "match": { "macaddress": mac } });
        if addresses.is_empty() {
            interface["dhcp4"] = json!(true);
            // Nobody waits at the start for an interface that may have no server.
            interface["optional"] = json!(true);
        } else {
            interface["addresses"] = json!(addresses);
        }
        (format!("nic{number}"), interface)
    });
    let interfaces: serde_json::Map<_, _> = interfaces.collect();
    json!({ "version": 2, "ethernets": interfaces })
}

/// The name of a router's seed.
pub(crate) fn volume(router: RouterId) -> String {
    format!("{}-seed.img", volume_prefix(router))
}

/// Lets a router's seed, if it has one, tell of the interfaces that its definition has by now. A guest
/// reads it at its first start; what it makes of changes later is cloud-init's.
pub(crate) async fn retell(
    connection: &Connection,
    router: RouterId,
    definition: &DomainXml,
) -> Result<(), libvirt::Error> {
    let name = volume(router);
    let is_seed = |disk: &&DiskXml| disk.source.as_ref().is_some_and(|of| of.ends_with(&name));
    let Some(path) = definition
        .disks
        .iter()
        .find(is_seed)
        .and_then(|disk| disk.source.as_ref())
    else {
        return Ok(());
    };
    if !connection
        .uri()
        .driver()
        .supports(Capability::VolumeTransfer)
    {
        // The test driver's volumes hold nothing.
        return Ok(());
    }
    let Some(volume) = connection.volume_by_path(path).await? else {
        return Ok(());
    };
    let mut bytes = Vec::new();
    let mut download = connection
        .download(&volume.pool, &volume.name, Span::default())
        .await?;
    while let Some(chunk) = download.next().await? {
        match chunk {
            Chunk::Data(data) => bytes.extend_from_slice(&data),
            Chunk::Hole(length) => bytes.resize(bytes.len() + length as usize, 0),
        }
        if bytes.len() > SIZE {
            tracing::warn!(
                path,
                "this seed is larger than those that VMS makes: it is left alone"
            );
            return Ok(());
        }
    }
    bytes.resize(SIZE, 0);
    let metadata = definition.metadata.as_ref();
    let told = definition.interfaces.iter().filter_map(|nic| {
        let mac = nic.mac.clone()?;
        let of_it = metadata
            .into_iter()
            .flat_map(|metadata| &metadata.addresses);
        let of_it = of_it.filter(|(of, _)| of.eq_ignore_ascii_case(&mac));
        let addresses = of_it.map(|(_, address)| address.clone()).collect();
        Some((mac, addresses))
    });
    if let Err(error) = put(&mut bytes, &network(told)) {
        tracing::warn!(path, %error, "this seed is none that VMS can change: it is left alone");
        return Ok(());
    }
    let mut upload = connection
        .upload(&volume.pool, &volume.name, Span::default())
        .await?;
    upload.send(Bytes::from(bytes)).await?;
    upload.finish().await
}

/// Puts the network's part into a seed instead of the one that it has.
fn put(bytes: &mut [u8], network: &Value) -> io::Result<()> {
    let system = FileSystem::new(Cursor::new(bytes), FsOptions::new())?;
    let root = system.root_dir();
    root.remove(NETWORK)?;
    root.create_file(NETWORK)?
        .write_all(network.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{super::nics::Plug, *};
    use model::Mac;
    use std::io::Read as _;
    use uuid::Uuid;

    #[test]
    fn a_seed_is_a_disk_with_the_three_files() {
        let mac = Mac([0x52, 0x54, 0, 0, 0, 1]);
        let plug = Plug::Bridge("br0".to_owned());
        let nics = [NewNic::new(mac, plug, vec!["10.0.0.1/24".to_owned()])];
        let seed = CloudInit {
            ssh_keys: vec!["ssh-ed25519 AAAA \"quoted\"".to_owned()],
            ..CloudInit::default()
        };
        let mut bytes = disk(RouterId(Uuid::from_u128(7)), "r1", &seed, &nics).unwrap();
        let system = FileSystem::new(Cursor::new(&mut bytes), FsOptions::new()).unwrap();
        assert_eq!(system.volume_label(), "CIDATA");
        let read = |name: &str| {
            let mut text = String::new();
            let mut file = system.root_dir().open_file(name).unwrap();
            file.read_to_string(&mut text).unwrap();
            text
        };
        let meta: Value = serde_json::from_str(&read("meta-data")).unwrap();
        assert_eq!(meta["local-hostname"], "r1");
        assert_eq!(meta["public-keys"][0], seed.ssh_keys[0]);
        let told: Value = serde_json::from_str(&read("network-config")).unwrap();
        assert_eq!(told["ethernets"]["nic0"]["addresses"][0], "10.0.0.1/24");
        assert!(read("user-data").starts_with("#cloud-config"));
        // What is told of interfaces can be changed, and nothing else is.
        drop(system);
        let nics = [("52:54:00:00:00:02".to_owned(), Vec::new())];
        put(&mut bytes, &network(nics.into_iter())).unwrap();
        let system = FileSystem::new(Cursor::new(&mut bytes), FsOptions::new()).unwrap();
        let root = system.root_dir();
        let mut names: Vec<_> = root
            .iter()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["meta-data", "network-config", "user-data"]);
        let mut text = String::new();
        let mut file = root.open_file(NETWORK).unwrap();
        file.read_to_string(&mut text).unwrap();
        assert!(
            text.contains("52:54:00:00:00:02") && !text.contains("10.0.0.1"),
            "{text}"
        );
    }
}
