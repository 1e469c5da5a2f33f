//! What a form says of an endpoint, before it is sent. Pure: the server and the browser must say
//! the same.

use api::{Driver, EndpointAddress, Transport};

/// What a form begins with.
pub const BLANK: EndpointAddress = EndpointAddress {
    driver: Driver::Qemu,
    transport: Transport::Ssh,
    address: None,
    port: None,
    user: None,
    key: None,
};

/// The endpoint without what its transport has no use for.
///
/// A form hides such fields; what was typed into them before is still there.
#[must_use]
pub fn fitting(endpoint: EndpointAddress) -> EndpointAddress {
    let EndpointAddress {
        driver,
        transport,
        address,
        port,
        user,
        key,
    } = endpoint;
    let remote = transport != Transport::Local;
    let ssh = transport == Transport::Ssh;
    EndpointAddress {
        driver,
        transport,
        address: address.filter(|_| remote),
        port: port.filter(|_| remote),
        user: user.filter(|_| ssh),
        key: key.filter(|_| ssh),
    }
}

/// The libvirt URI that the server will make of it, with an ellipsis for an address that is
/// missing.
pub fn uri(endpoint: &EndpointAddress) -> String {
    let EndpointAddress {
        driver,
        transport,
        address,
        port,
        user,
        key: _,
    } = fitting(endpoint.clone());
    let path = match driver {
        Driver::Test => "default",
        Driver::Qemu | Driver::Xen | Driver::Lxc => "system",
    };
    let driver = driver.as_str();
    if transport == Transport::Local {
        return format!("{driver}:///{path}");
    }
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let address = match address {
        None => "…".to_owned(),
        Some(address) if address.contains(':') && !address.starts_with('[') => {
            format!("[{address}]")
        }
        Some(address) => address,
    };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    format!(
        "{driver}+{}://{user}{address}{port}/{path}",
        transport.as_str()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(transport: Transport) -> EndpointAddress {
        EndpointAddress {
            driver: Driver::Lxc,
            transport,
            address: Some("2001:db8::1".to_owned()),
            port: Some(2222),
            user: Some("vms".to_owned()),
            key: Some("lab".to_owned()),
        }
    }

    #[test]
    fn only_what_fits_the_transport_is_told() {
        assert_eq!(fitting(full(Transport::Ssh)), full(Transport::Ssh));
        for transport in [Transport::Tls, Transport::Tcp] {
            let fits = fitting(full(transport));
            assert_eq!((fits.user.clone(), fits.key.clone()), (None, None));
            assert_eq!(fits.port, Some(2222));
        }
        let local = EndpointAddress {
            driver: Driver::Lxc,
            transport: Transport::Local,
            ..BLANK
        };
        assert_eq!(fitting(full(Transport::Local)), local);
    }

    #[test]
    fn the_uri_is_shown_while_it_is_typed() {
        assert_eq!(uri(&BLANK), "qemu+ssh://…/system");
        assert_eq!(
            uri(&full(Transport::Ssh)),
            "lxc+ssh://vms@[2001:db8::1]:2222/system"
        );
        assert_eq!(
            uri(&full(Transport::Tcp)),
            "lxc+tcp://[2001:db8::1]:2222/system"
        );
        assert_eq!(uri(&full(Transport::Local)), "lxc:///system");
    }
}
