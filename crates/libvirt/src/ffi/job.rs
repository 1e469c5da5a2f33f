//! Migrations and jobs, which `virt` leaks, aborts the process over, or lacks.

use std::ffi::{CStr, CString};
use std::os::raw::{c_char, c_int, c_uint};
use std::ptr;

use virt::connect::Connect;
use virt::domain::Domain;
use virt::error::Error;
use virt_sys as sys;

use super::stats::{Fields, field};

/// Parameters of a migration: names that libvirt knows, and values.
#[derive(Default)]
pub(crate) struct Parameters {
    list: Vec<sys::virTypedParameter>,
    /// What the list points to.
    texts: Vec<CString>,
}

// SAFETY: the list points only to what the value itself owns, on the heap.
unsafe impl Send for Parameters {}

impl Parameters {
    /// Adds a text; a name may occur several times.
    ///
    /// # Errors
    /// When the text holds a zero byte.
    pub(crate) fn text(&mut self, name: &CStr, value: &str) -> Result<(), Error> {
        let text = CString::new(value)?;
        let value = sys::_virTypedParameterValue {
            // libvirt reads it only.
            s: text.as_ptr().cast_mut(),
        };
        self.texts.push(text);
        self.push(name, sys::VIR_TYPED_PARAM_STRING, value);
        Ok(())
    }

    /// Adds a number.
    pub(crate) fn number(&mut self, name: &CStr, value: u64) {
        let value = sys::_virTypedParameterValue { ul: value };
        self.push(name, sys::VIR_TYPED_PARAM_ULLONG, value);
    }

    fn push(&mut self, name: &CStr, kind: u32, value: sys::_virTypedParameterValue) {
        let mut parameter = sys::virTypedParameter {
            field: [0; 80],
            type_: kind as c_int,
            value,
        };
        // The last byte stays zero, however long the name is.
        let places = parameter.field.iter_mut().take(79);
        for (place, &byte) in places.zip(name.to_bytes()) {
            *place = byte as c_char;
        }
        self.list.push(parameter);
    }

    /// What libvirt is given; valid while `self` is.
    fn as_ptr(&self) -> sys::virTypedParameterPtr {
        // libvirt reads it only.
        self.list.as_ptr().cast_mut()
    }
}

/// Has the source host move a domain to the host that it reaches as `destination`.
pub(crate) fn migrate_to_uri(
    domain: &Domain,
    destination: &str,
    parameters: &Parameters,
    flags: u32,
) -> Result<(), Error> {
    let destination = CString::new(destination)?;
    // SAFETY: the domain, the URI and the parameters are valid while they are borrowed.
    let result = unsafe {
        sys::virDomainMigrateToURI3(
            domain.as_ptr(),
            destination.as_ptr(),
            parameters.as_ptr(),
            parameters.list.len() as c_uint,
            flags as c_uint,
        )
    };
    done(result)
}

/// Moves a domain to another host, over this process' own connections to both.
pub(crate) fn migrate_to(
    domain: &Domain,
    destination: &Connect,
    parameters: &Parameters,
    flags: u32,
) -> Result<(), Error> {
    // SAFETY: the domain, the connection and the parameters are valid while they are borrowed.
    let moved = unsafe {
        sys::virDomainMigrate3(
            domain.as_ptr(),
            destination.as_ptr(),
            parameters.as_ptr(),
            parameters.list.len() as c_uint,
            flags as c_uint,
        )
    };
    if moved.is_null() {
        return Err(Error::last_error());
    }
    // SAFETY: libvirt returned a reference, which is given back with the value.
    drop(unsafe { Domain::from_ptr(moved) });
    Ok(())
}

/// Statistics of a domain's job: calls `visit` with its kind (`virDomainJobType`) and fields. A
/// domain without a job has a kind and no fields.
pub(crate) fn job_stats<T>(
    domain: &Domain,
    flags: u32,
    visit: impl FnOnce(u32, &mut Fields<'_>) -> T,
) -> Result<T, Error> {
    let mut kind: c_int = 0;
    let mut list = List {
        parameters: ptr::null_mut(),
        count: 0,
    };
    // SAFETY: the domain is valid while it is borrowed; libvirt fills the other three.
    let result = unsafe {
        sys::virDomainGetJobStats(
            domain.as_ptr(),
            &raw mut kind,
            &raw mut list.parameters,
            &raw mut list.count,
            flags as c_uint,
        )
    };
    done(result)?;
    let parameters = if list.parameters.is_null() {
        &[]
    } else {
        // SAFETY: libvirt wrote `count` parameters, alive until `list` is dropped.
        unsafe { std::slice::from_raw_parts(list.parameters, list.count.max(0) as usize) }
    };
    Ok(visit(kind as u32, &mut parameters.iter().filter_map(field)))
}

/// Parameters as libvirt allocated them.
struct List {
    parameters: sys::virTypedParameterPtr,
    count: c_int,
}

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: the list is null or came from libvirt, and is freed once, here.
        unsafe { sys::virTypedParamsFree(self.parameters, self.count) }
    }
}

/// Aborts a domain's job.
pub(crate) fn abort_job(domain: &Domain) -> Result<(), Error> {
    // SAFETY: the domain is valid while it is borrowed.
    done(unsafe { sys::virDomainAbortJob(domain.as_ptr()) })
}

/// Lets a migrating domain run at its destination before all its memory is there.
pub(crate) fn start_post_copy(domain: &Domain) -> Result<(), Error> {
    // SAFETY: the domain is valid while it is borrowed.
    done(unsafe { sys::virDomainMigrateStartPostCopy(domain.as_ptr(), 0) })
}

fn done(result: c_int) -> Result<(), Error> {
    if result < 0 {
        Err(Error::last_error())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::stats::Value;
    use super::*;

    #[test]
    fn parameters_are_read_as_they_were_given() {
        let mut parameters = Parameters::default();
        parameters
            .text(sys::VIR_MIGRATE_PARAM_DEST_NAME, "r-2")
            .unwrap();
        parameters.number(sys::VIR_MIGRATE_PARAM_BANDWIDTH, 7);
        let disks = sys::VIR_MIGRATE_PARAM_MIGRATE_DISKS;
        for disk in ["vda", "vdb"] {
            parameters.text(disks, disk).unwrap();
        }
        assert!(parameters.text(disks, "v\0c").is_err());
        let read: Vec<_> = parameters.list.iter().filter_map(field).collect();
        assert_eq!(
            read,
            [
                (&b"destination_name"[..], Value::Text(c"r-2")),
                (b"bandwidth", Value::Unsigned(7)),
                (b"migrate_disks", Value::Text(c"vda")),
                (b"migrate_disks", Value::Text(c"vdb")),
            ]
        );
    }
}
