//! libvirt endpoints as they are written on the command line: as URIs, of which only the typed
//! fields are sent.

use api::{Driver, EndpointAddress, Transport};
use control::Uri;
use std::{fmt, str::FromStr};

/// An endpoint, given by its libvirt URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    uri: Uri,
    driver: Driver,
    transport: Transport,
}

impl Endpoint {
    /// How it is reached, and how a server is told.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Its typed fields, with a private key for SSH.
    pub fn address(&self, key: Option<&str>) -> EndpointAddress {
        EndpointAddress {
            driver: self.driver,
            transport: self.transport,
            // Brackets belong to the URI, not to the address.
            address: self.uri.host().map(|host| {
                host.trim_start_matches('[')
                    .trim_end_matches(']')
                    .to_owned()
            }),
            port: self.uri.port(),
            user: self.uri.user().map(str::to_owned),
            key: key
                .filter(|_| self.transport == Transport::Ssh)
                .map(str::to_owned),
        }
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let uri = Uri::parse(text).map_err(|error| error.to_string())?;
        // A host is registered for all of its routers: those of one user's session are not.
        if uri.path() == "session" {
            return Err(format!(
                "The path /session holds the routers of one user only; expected {}.",
                text.replace("/session", "/system")
            ));
        }
        let (driver, transport) = (uri.driver().name(), uri.transport().name());
        let driver = Driver::ALL.into_iter().find(|d| d.as_str() == driver);
        let transport = match transport {
            "" => Some(Transport::Local),
            name => Transport::ALL.into_iter().find(|t| t.as_str() == name),
        };
        let (Some(driver), Some(transport)) = (driver, transport) else {
            return Err(format!("A server cannot be told of {uri}."));
        };
        Ok(Self {
            uri,
            driver,
            transport,
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_becomes_typed_fields() {
        let read = |text: &str| text.parse::<Endpoint>().unwrap().address(Some("lab"));
        let local = EndpointAddress {
            driver: Driver::Qemu,
            transport: Transport::Local,
            address: None,
            port: None,
            user: None,
            key: None,
        };
        assert_eq!(read("qemu:///system"), local);
        assert_eq!(
            read("lxc+ssh://vms@[2001:db8::1]:2222/system"),
            EndpointAddress {
                driver: Driver::Lxc,
                transport: Transport::Ssh,
                address: Some("2001:db8::1".to_owned()),
                port: Some(2222),
                user: Some("vms".to_owned()),
                key: Some("lab".to_owned()),
            }
        );
        // Without a transport, a host means TLS; a key is for SSH.
        assert_eq!(
            read("xen://alpha/system"),
            EndpointAddress {
                driver: Driver::Xen,
                transport: Transport::Tls,
                address: Some("alpha".to_owned()),
                ..local.clone()
            }
        );
        assert_eq!(read("test:///default").driver, Driver::Test);
    }

    #[test]
    fn every_driver_and_transport_can_be_sent() {
        for driver in Driver::ALL {
            let path = if driver == Driver::Test {
                "default"
            } else {
                "system"
            };
            for transport in Transport::ALL {
                let uri = match transport {
                    Transport::Local => format!("{}:///{path}", driver.as_str()),
                    _ => format!("{}+{}://h/{path}", driver.as_str(), transport.as_str()),
                };
                let read = uri.parse::<Endpoint>().unwrap().address(None);
                assert_eq!((read.driver, read.transport), (driver, transport), "{uri}");
            }
        }
    }

    #[test]
    fn what_runs_programs_reads_files_or_is_not_a_host_is_refused() {
        for (uri, reason) in [
            ("qemu+ext:///system?command=/bin/sh", "runs a program"),
            ("qemu+ssh://alpha/system?no_verify=1", "no_verify"),
            ("qemu+ssh://alpha/system?keyfile=/root/key", "keyfile"),
            ("test:///etc/passwd", "test:///default"),
            (
                "qemu+ssh://vms@alpha/session",
                "qemu+ssh://vms@alpha/system",
            ),
            ("alpha", "qemu+ssh://"),
        ] {
            let error = uri.parse::<Endpoint>().unwrap_err();
            assert!(error.contains(reason), "{uri}: {error}");
        }
    }
}
