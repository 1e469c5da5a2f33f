//! Calls on a host that `virt` lacks.

use std::ffi::CString;
use std::os::raw::{c_char, c_int};
use std::ptr;

use virt::connect::Connect;
use virt::error::Error;
use virt_sys as sys;

/// `virCPUCompareResult` of the processors that a hypervisor can give and those of `xml`. It is
/// known by its program, architecture, machine and kind.
pub(crate) fn compare_hypervisor_cpu(
    connection: &Connect,
    hypervisor: [Option<&str>; 4],
    xml: &str,
) -> Result<c_int, Error> {
    let mut texts: [Option<CString>; 4] = [const { None }; 4];
    for (text, given) in texts.iter_mut().zip(hypervisor) {
        *text = given.map(CString::new).transpose()?;
    }
    let [emulator, arch, machine, kind] = texts.each_ref().map(|text| pointer(text.as_ref()));
    let xml = CString::new(xml)?;
    // SAFETY: the connection is valid while it is borrowed; the texts end in zero bytes and live
    // until the end of this function; all but the processors may be null.
    let result = unsafe {
        sys::virConnectCompareHypervisorCPU(
            connection.as_ptr(),
            emulator,
            arch,
            machine,
            kind,
            xml.as_ptr(),
            0,
        )
    };
    if result < 0 {
        Err(Error::last_error())
    } else {
        Ok(result)
    }
}

fn pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(ptr::null(), |text| text.as_ptr())
}
