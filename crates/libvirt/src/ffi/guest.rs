//! What a guest's agent, the leases and the ARP table say: `virt` lacks it or leaks it.
//!
//! libvirt gives lists of pointers: each item is freed by its own function, the list by `free`.

use std::os::raw::{c_int, c_uint, c_void};
use std::{ptr, slice};

use virt::domain::Domain;
use virt::error::Error;
use virt::network::Network;
use virt_sys as sys;

use super::callbacks::text;
use super::stats::{Value, field};

unsafe extern "C" {
    /// C's own, for what libvirt allocated: Rust's allocator may be another.
    pub(super) fn free(memory: *mut c_void);
}

/// A list of pointers as libvirt allocated it.
struct List<T> {
    items: *mut *mut T,
    count: usize,
    free_item: unsafe extern "C" fn(*mut T),
}

impl<T> List<T> {
    /// What a call gives that returns the number of items, or a negative number.
    fn of(
        free_item: unsafe extern "C" fn(*mut T),
        call: impl FnOnce(*mut *mut *mut T) -> c_int,
    ) -> Result<Self, Error> {
        let mut items = ptr::null_mut();
        let count = call(&raw mut items);
        let count = usize::try_from(count).map_err(|_| Error::last_error())?;
        Ok(Self {
            items,
            count,
            free_item,
        })
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        let items: &[*mut T] = if self.items.is_null() {
            &[]
        } else {
            // SAFETY: libvirt wrote `count` pointers, alive until `self` is dropped.
            unsafe { slice::from_raw_parts(self.items, self.count) }
        };
        // SAFETY: each is null or points to an item that is alive until `self` is dropped.
        items.iter().filter_map(|&item| unsafe { item.as_ref() })
    }
}

impl<T> Drop for List<T> {
    fn drop(&mut self) {
        if self.items.is_null() {
            return;
        }
        for index in 0..self.count {
            // SAFETY: the list has `count` items; each is freed once, here.
            unsafe { (self.free_item)(*self.items.add(index)) }
        }
        // SAFETY: libvirt allocated the list with `malloc`; it is freed once, here.
        unsafe { free(self.items.cast()) }
    }
}

/// An interface of a guest.
pub(crate) struct Interface {
    pub(crate) name: Option<String>,
    pub(crate) mac: Option<String>,
    /// Addresses and lengths of their prefixes.
    pub(crate) addresses: Vec<(String, u32)>,
}

/// `virDomainInterfaceAddresses` from one of `virDomainInterfaceAddressesSource`.
pub(crate) fn addresses(domain: &Domain, source: u32) -> Result<Vec<Interface>, Error> {
    let list = List::of(sys::virDomainInterfaceFree, |items| {
        // SAFETY: the domain is valid while it is borrowed; libvirt allocates the list.
        unsafe { sys::virDomainInterfaceAddresses(domain.as_ptr(), items, source as c_uint, 0) }
    })?;
    let interfaces = list.iter().map(|interface| {
        let addresses = if interface.addrs.is_null() {
            &[]
        } else {
            // SAFETY: the interface has `naddrs` addresses, alive until the list is dropped.
            unsafe { slice::from_raw_parts(interface.addrs, interface.naddrs as usize) }
        };
        Interface {
            // SAFETY: texts of the interface are null or C's, alive until the list is dropped.
            name: unsafe { text(interface.name) },
            // SAFETY: as above.
            mac: unsafe { text(interface.hwaddr) },
            addresses: addresses
                .iter()
                // SAFETY: as above.
                .filter_map(|of| Some((unsafe { text(of.addr) }?, of.prefix)))
                .collect(),
        }
    });
    Ok(interfaces.collect())
}

/// An address that a network gave away.
pub(crate) struct Lease {
    pub(crate) mac: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) prefix: u32,
    pub(crate) hostname: Option<String>,
    pub(crate) client_id: Option<String>,
    /// Seconds since the epoch; 0 for never.
    pub(crate) expires: i64,
}

/// `virNetworkGetDHCPLeases` of all clients.
pub(crate) fn leases(network: &Network) -> Result<Vec<Lease>, Error> {
    let list = List::of(sys::virNetworkDHCPLeaseFree, |items| {
        // SAFETY: the network is valid while it is borrowed, and a null MAC address means all;
        // libvirt allocates the list.
        unsafe { sys::virNetworkGetDHCPLeases(network.as_ptr(), ptr::null(), items, 0) }
    })?;
    let leases = list.iter().map(|lease| {
        // SAFETY: texts of the lease are null or C's, alive until the list is dropped.
        unsafe {
            Lease {
                mac: text(lease.mac),
                address: text(lease.ipaddr),
                prefix: lease.prefix,
                hostname: text(lease.hostname),
                client_id: text(lease.clientid),
                expires: lease.expirytime,
            }
        }
    });
    Ok(leases.collect())
}

/// Typed parameters as libvirt allocated them.
struct Parameters {
    list: sys::virTypedParameterPtr,
    count: c_int,
}

impl Drop for Parameters {
    fn drop(&mut self) {
        // SAFETY: the parameters came from libvirt, or are null and none; they are freed once, here.
        unsafe { sys::virTypedParamsFree(self.list, self.count) }
    }
}

/// `virDomainGetGuestInfo` of everything that the agent knows: calls `visit` with names and values.
pub(crate) fn info(
    domain: &Domain,
    mut visit: impl for<'a> FnMut(&'a [u8], Value<'a>),
) -> Result<(), Error> {
    let mut parameters = Parameters {
        list: ptr::null_mut(),
        count: 0,
    };
    let (list, count) = (&raw mut parameters.list, &raw mut parameters.count);
    // SAFETY: the domain is valid while it is borrowed; libvirt allocates the parameters. Without
    // types it leaves out what an older agent does not know, instead of failing.
    let result = unsafe { sys::virDomainGetGuestInfo(domain.as_ptr(), 0, list, count, 0) };
    if result < 0 {
        return Err(Error::last_error());
    }
    if !parameters.list.is_null() {
        // SAFETY: there are `count` parameters, alive until they are dropped.
        let list =
            unsafe { slice::from_raw_parts(parameters.list, parameters.count.max(0) as usize) };
        for (name, value) in list.iter().filter_map(field) {
            visit(name, value);
        }
    }
    Ok(())
}

/// How long libvirt waits for the agent of a domain, seconds; by default for ever.
pub(crate) fn set_patience(domain: &Domain, seconds: i32) -> Result<(), Error> {
    // SAFETY: the domain is valid while it is borrowed.
    let result = unsafe { sys::virDomainAgentSetResponseTimeout(domain.as_ptr(), seconds, 0) };
    if result < 0 {
        Err(Error::last_error())
    } else {
        Ok(())
    }
}
