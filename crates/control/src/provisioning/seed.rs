//! Seeds for cloud-init's `NoCloud` source: a small disk with a file system and three files.
//!
//! <https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html>. All three are YAML, of
//! which JSON is a part: what VMS writes is JSON, and needs no quoting of its own.

use super::nics::NewNic;
use api::CloudInit;
use fatfs::{FileSystem, FormatVolumeOptions, FsOptions};
use model::RouterId;
use serde_json::{Value, json};
use std::io::{self, Cursor, Write as _};

/// The size of the disk: the least that a FAT of 12 bits fits well.
const SIZE: usize = 1 << 20;

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
            ("network-config", network(nics).to_string()),
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
fn network(nics: &[NewNic]) -> Value {
    let interfaces = nics.iter().enumerate().map(|(number, nic)| {
        let mut interface = json!({ "match": { "macaddress": nic.mac.to_string() } });
        if nic.addresses.is_empty() {
            interface["dhcp4"] = json!(true);
            // Nobody waits at the start for an interface that may have no server.
            interface["optional"] = json!(true);
        } else {
            interface["addresses"] = json!(nic.addresses);
        }
        (format!("nic{number}"), interface)
    });
    let interfaces: serde_json::Map<_, _> = interfaces.collect();
    json!({ "version": 2, "ethernets": interfaces })
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
        let network: Value = serde_json::from_str(&read("network-config")).unwrap();
        assert_eq!(network["ethernets"]["nic0"]["addresses"][0], "10.0.0.1/24");
        assert!(read("user-data").starts_with("#cloud-config"));
    }
}
