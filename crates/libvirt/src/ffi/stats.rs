//! `virConnectGetAllDomainStats` without the leak of `virt`'s own: the list is freed by libvirt's
//! function for it, once, after the records were visited in place.

use std::ffi::CStr;
use std::os::raw::{c_char, c_uint};
use std::{ptr, slice};

use uuid::Uuid;
use virt::connect::Connect;
use virt::error::Error;
use virt_sys as sys;

/// The value of one statistic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Signed(i64),
    Unsigned(u64),
    Double(f64),
    Text(&'a str),
}

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

/// Calls `visit` with every domain's UUID and statistics: `groups` of `virDomainStatsTypes`, the
/// domains that `flags` of `virConnectGetAllDomainStatsFlags` select.
pub(crate) fn all_domain_stats(
    connection: &Connect,
    groups: u32,
    flags: u32,
    mut visit: impl for<'a> FnMut(Uuid, &mut (dyn Iterator<Item = (&'a str, Value<'a>)> + 'a)),
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
    if count < 0 {
        return Err(Error::last_error());
    }
    let records = Records {
        list,
        count: count as usize,
    };
    for index in 0..records.count {
        // SAFETY: the list has `count` pointers to records, alive until `records` is dropped.
        let record = unsafe { &**records.list.add(index) };
        // SAFETY: the record holds a reference to its domain.
        let Some(uuid) = (unsafe { super::callbacks::uuid_of(record.dom) }) else {
            continue;
        };
        let parameters = if record.params.is_null() {
            &[]
        } else {
            // SAFETY: the record has `nparams` parameters, alive until `records` is dropped.
            unsafe { slice::from_raw_parts(record.params, record.nparams.max(0) as usize) }
        };
        visit(uuid, &mut parameters.iter().filter_map(field));
    }
    Ok(())
}

/// Name and value of a parameter; `None` for a type that is not known here.
fn field(parameter: &sys::virTypedParameter) -> Option<(&str, Value<'_>)> {
    let name = text_in(&parameter.field)?;
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
                Value::Text(CStr::from_ptr(value.s).to_str().ok()?)
            }
            _ => return None,
        }
    };
    Some((name, value))
}

/// The text in a fixed field that ends in a zero byte.
fn text_in(field: &[c_char; 80]) -> Option<&str> {
    // SAFETY: `c_char` and `u8` have the same size and alignment, and every bit pattern is valid.
    let bytes = unsafe { slice::from_raw_parts(field.as_ptr().cast::<u8>(), field.len()) };
    CStr::from_bytes_until_nul(bytes).ok()?.to_str().ok()
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
        assert_eq!((name, value), ("net.0.rx.bytes", Value::Signed(-1)));
        assert_eq!(value.counter(), None);
        parameter.type_ = 99;
        assert_eq!(field(&parameter), None);
        parameter.field = [1; 80];
        parameter.type_ = sys::VIR_TYPED_PARAM_LLONG as i32;
        assert_eq!(field(&parameter), None);
    }
}
