//! Statistics in bulk, without the leak of `virt`'s own: the list is freed by libvirt's function for
//! it, once, after the records were visited in place; and of the host, which `virt` does not have.

use std::ffi::CStr;
use std::os::raw::{c_char, c_int, c_uint};
use std::{ptr, slice};

use uuid::Uuid;
use virt::connect::Connect;
use virt::domain::Domain;
use virt::error::Error;
use virt_sys as sys;

/// The value of one statistic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Signed(i64),
    Unsigned(u64),
    Double(f64),
    Text(&'a CStr),
}

/// A domain's statistics: names, without their zero bytes, and values.
pub(crate) type Fields<'a> = dyn Iterator<Item = (&'a [u8], Value<'a>)> + 'a;

impl Value<'_> {
    /// The value as a counter; a negative one is libvirt's way to say "not known".
    pub(crate) fn counter(self) -> Option<u64> {
        match self {
            Self::Signed(value) => u64::try_from(value).ok(),
            Self::Unsigned(value) => Some(value),
            Self::Double(_) | Self::Text(_) => None,
        }
    }
}

/// The list as libvirt allocated it.
struct Records {
    list: *mut sys::virDomainStatsRecordPtr,
    count: usize,
}

impl Drop for Records {
    fn drop(&mut self) {
        // SAFETY: the list came from libvirt and is freed once, here.
        unsafe { sys::virDomainStatsRecordListFree(self.list) }
    }
}

impl Records {
    /// Calls `visit` with every domain's UUID and statistics.
    fn visit(&self, mut visit: impl for<'a> FnMut(Uuid, &mut Fields<'a>)) {
        for index in 0..self.count {
            // SAFETY: the list has `count` pointers to records, alive until `self` is dropped.
            let record = unsafe { &**self.list.add(index) };
            // SAFETY: the record holds a reference to its domain.
            let Some(uuid) = (unsafe { super::callbacks::uuid_of(record.dom) }) else {
                continue;
            };
            let parameters = if record.params.is_null() {
                &[]
            } else {
                // SAFETY: the record has `nparams` parameters, alive until `self` is dropped.
                unsafe { slice::from_raw_parts(record.params, record.nparams.max(0) as usize) }
            };
            visit(uuid, &mut parameters.iter().filter_map(field));
        }
    }
}

/// Calls `visit` with every domain's UUID and statistics: `groups` of `virDomainStatsTypes`, the
/// domains that `flags` of `virConnectGetAllDomainStatsFlags` select.
pub(crate) fn all_domain_stats(
    connection: &Connect,
    groups: u32,
    flags: u32,
    visit: impl for<'a> FnMut(Uuid, &mut Fields<'a>),
) -> Result<(), Error> {
    let mut list = ptr::null_mut();
    // SAFETY: the connection is open while it is borrowed; libvirt allocates the list.
    let count = unsafe {
        sys::virConnectGetAllDomainStats(
            connection.as_ptr(),
            groups as c_uint,
            &raw mut list,
            flags as c_uint,
        )
    };
    let count = usize::try_from(count).map_err(|_| Error::last_error())?;
    Records { list, count }.visit(visit);
    Ok(())
}

/// The same of these domains only, all of one connection. Those that are gone are left out.
pub(crate) fn domain_stats_of(
    domains: &[Domain],
    groups: u32,
    flags: u32,
    visit: impl for<'a> FnMut(Uuid, &mut Fields<'a>),
) -> Result<(), Error> {
    // libvirt refuses an empty list.
    if domains.is_empty() {
        return Ok(());
    }
    // SAFETY: the pointers are used below only, where the domains are still borrowed.
    let pointers = domains.iter().map(|domain| unsafe { domain.as_ptr() });
    let mut pointers: Vec<_> = pointers.collect();
    pointers.push(ptr::null_mut());
    let mut list = ptr::null_mut();
    // SAFETY: the domains are valid while they are borrowed, their list ends in a null pointer, and
    // libvirt only reads it; libvirt allocates the other list.
    let count = unsafe {
        sys::virDomainListGetStats(
            pointers.as_mut_ptr(),
            groups as c_uint,
            &raw mut list,
            flags as c_uint,
        )
    };
    let count = usize::try_from(count).map_err(|_| Error::last_error())?;
    Records { list, count }.visit(visit);
    Ok(())
}

/// `virNodeGetCPUStats` of all processors together: calls `visit` with names and ns.
pub(crate) fn node_cpu_stats(
    connection: &Connect,
    mut visit: impl FnMut(&[u8], u64),
) -> Result<(), Error> {
    let empty = sys::virNodeCPUStats {
        field: [0; 80],
        value: 0,
    };
    let all = sys::VIR_NODE_CPU_STATS_ALL_CPUS;
    let values = counted(empty, |values, count| {
        // SAFETY: the connection is open while it is borrowed; `values` has room for `count`, or is
        // null and `count` is 0.
        unsafe { sys::virNodeGetCPUStats(connection.as_ptr(), all, values, count, 0) }
    })?;
    for value in &values {
        if let Some(name) = bytes_in(&value.field) {
            visit(name, value.value);
        }
    }
    Ok(())
}

/// `virNodeGetMemoryStats` of all NUMA nodes together: calls `visit` with names and KiB.
pub(crate) fn node_memory_stats(
    connection: &Connect,
    mut visit: impl FnMut(&[u8], u64),
) -> Result<(), Error> {
    let empty = sys::virNodeMemoryStats {
        field: [0; 80],
        value: 0,
    };
    let all = sys::VIR_NODE_MEMORY_STATS_ALL_CELLS;
    let values = counted(empty, |values, count| {
        // SAFETY: as for the processors.
        unsafe { sys::virNodeGetMemoryStats(connection.as_ptr(), all, values, count, 0) }
    })?;
    for value in &values {
        if let Some(name) = bytes_in(&value.field) {
            visit(name, value.value);
        }
    }
    Ok(())
}

/// What a call gives that must be asked twice: how many values there are, and for exactly as many.
fn counted<T: Copy>(
    empty: T,
    mut call: impl FnMut(*mut T, *mut c_int) -> c_int,
) -> Result<Vec<T>, Error> {
    let mut count = 0;
    if call(ptr::null_mut(), &raw mut count) < 0 {
        return Err(Error::last_error());
    }
    let mut values = vec![empty; count.max(0) as usize];
    if !values.is_empty() && call(values.as_mut_ptr(), &raw mut count) < 0 {
        return Err(Error::last_error());
    }
    values.truncate(count.max(0) as usize);
    Ok(values)
}

/// Name and value of a parameter; `None` for a type that is not known here.
pub(super) fn field(parameter: &sys::virTypedParameter) -> Option<(&[u8], Value<'_>)> {
    let name = bytes_in(&parameter.field)?;
    let value = &parameter.value;
    let kind = parameter.type_ as u32;
    // SAFETY: the type says which member of the union libvirt has set; a string is a C string that
    // the parameter owns, so it lives as long as the borrow.
    let value = unsafe {
        match kind {
            sys::VIR_TYPED_PARAM_INT => Value::Signed(value.i.into()),
            sys::VIR_TYPED_PARAM_UINT => Value::Unsigned(value.ui.into()),
            sys::VIR_TYPED_PARAM_LLONG => Value::Signed(value.l),
            sys::VIR_TYPED_PARAM_ULLONG => Value::Unsigned(value.ul),
            sys::VIR_TYPED_PARAM_DOUBLE => Value::Double(value.d),
            sys::VIR_TYPED_PARAM_BOOLEAN => Value::Unsigned(u64::from(value.b != 0)),
            sys::VIR_TYPED_PARAM_STRING if !value.s.is_null() => {
                Value::Text(CStr::from_ptr(value.s))
            }
            _ => return None,
        }
    };
    Some((name, value))
}

/// What a fixed field holds before its zero byte.
fn bytes_in(field: &[c_char; 80]) -> Option<&[u8]> {
    // SAFETY: `c_char` and `u8` have the same size and alignment, and every bit pattern is valid.
    let bytes = unsafe { slice::from_raw_parts(field.as_ptr().cast::<u8>(), field.len()) };
    let end = bytes.iter().position(|&byte| byte == 0)?;
    Some(&bytes[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_by_its_type() {
        let mut parameter = sys::virTypedParameter {
            field: [0; 80],
            type_: sys::VIR_TYPED_PARAM_LLONG as i32,
            value: sys::_virTypedParameterValue { l: -1 },
        };
        for (to, from) in parameter.field.iter_mut().zip(b"net.0.rx.bytes") {
            *to = *from as c_char;
        }
        let (name, value) = field(&parameter).unwrap();
        assert_eq!(
            (name, value),
            (b"net.0.rx.bytes".as_slice(), Value::Signed(-1))
        );
        assert_eq!(value.counter(), None);
        parameter.type_ = 99;
        assert_eq!(field(&parameter), None);
        parameter.field = [1; 80];
        parameter.type_ = sys::VIR_TYPED_PARAM_LLONG as i32;
        assert_eq!(field(&parameter), None);
    }
}
