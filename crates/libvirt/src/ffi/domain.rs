//! Calls on one domain that `virt` lacks or gets wrong.

use std::ffi::{CStr, CString};
use std::os::raw::c_int;
use std::ptr;

use virt::domain::Domain;
use virt::error::Error;
use virt_sys as sys;

use super::guest::free;

/// Sizes of a disk, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockInfo {
    pub(crate) capacity: u64,
    pub(crate) allocation: u64,
    pub(crate) physical: u64,
}

/// `virDomainState` of a domain (`virt`'s own drops the error).
pub(crate) fn state(domain: &Domain) -> Result<u32, Error> {
    let mut state: c_int = 0;
    // SAFETY: the domain is valid while it is borrowed; the reason may be null.
    let result =
        unsafe { sys::virDomainGetState(domain.as_ptr(), &raw mut state, ptr::null_mut(), 0) };
    if result < 0 {
        Err(Error::last_error())
    } else {
        Ok(state as u32)
    }
}

/// Sizes of a disk (`virt`'s own returns uninitialised memory when the call fails).
pub(crate) fn block_info(domain: &Domain, disk: &str) -> Result<BlockInfo, Error> {
    let disk = CString::new(disk)?;
    let mut info = sys::virDomainBlockInfo {
        capacity: 0,
        allocation: 0,
        physical: 0,
    };
    // SAFETY: the domain is valid while it is borrowed, the name ends in a zero byte and `info` is
    // the structure that libvirt fills.
    let result =
        unsafe { sys::virDomainGetBlockInfo(domain.as_ptr(), disk.as_ptr(), &raw mut info, 0) };
    if result < 0 {
        return Err(Error::last_error());
    }
    Ok(BlockInfo {
        capacity: info.capacity,
        allocation: info.allocation,
        physical: info.physical,
    })
}

/// The definition that a domain goes on with whose memory is saved.
pub(crate) fn saved_definition(domain: &Domain) -> Result<String, Error> {
    // SAFETY: the domain is valid while it is borrowed.
    let text = unsafe {
        sys::virDomainManagedSaveGetXMLDesc(domain.as_ptr(), sys::VIR_DOMAIN_SAVE_IMAGE_XML_SECURE)
    };
    if text.is_null() {
        return Err(Error::last_error());
    }
    // SAFETY: a text of libvirt's that ends in a zero byte, and is ours to free with the allocator
    // that made it.
    unsafe {
        let owned = CStr::from_ptr(text).to_string_lossy().into_owned();
        free(text.cast());
        Ok(owned)
    }
}

/// Lets a domain whose memory is saved go on with another definition.
pub(crate) fn define_saved(domain: &Domain, xml: &str) -> Result<(), Error> {
    let xml = CString::new(xml)?;
    // SAFETY: the domain is valid while it is borrowed, and the text ends in a zero byte.
    let result = unsafe { sys::virDomainManagedSaveDefineXML(domain.as_ptr(), xml.as_ptr(), 0) };
    if result < 0 {
        Err(Error::last_error())
    } else {
        Ok(())
    }
}
