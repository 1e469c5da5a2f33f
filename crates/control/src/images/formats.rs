//! What a file is, by its first bytes and its header, and whether it may be what somebody says.
//!
//! No program is run on a file that somebody brought, and nothing that it names is opened: an image
//! that leads to another file (a base, a data file) would let whoever brings it read the files of a
//! host. What is looked at are the first 68 KiB, the last 512 bytes, and numbers in them; every
//! number is checked before it is used.

use api::{ImageFileRole, ImageKind};
use std::{fs::File, io, os::unix::fs::FileExt as _};

/// So much of a file is looked at: the superblock of btrfs lies farthest in.
const HEAD: usize = 0x1_1000;

/// The largest disk of a router: beyond is no image but a mistake, or an attack on what reads it.
const LARGEST: u64 = 64 << 40;

/// What a file looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Qcow2,
    /// A disk or archive of another program: its name, and what to do about it.
    Foreign(&'static str),
    Ext,
    Xfs,
    Btrfs,
    Squashfs,
    /// A kernel for x86 that a boot loader starts.
    BzImage,
    Elf,
    /// A kernel for ARM or RISC-V, not compressed.
    FlatKernel,
    /// Compressed: the program that does it.
    Packed(&'static str),
    Cpio,
    /// Nothing that is known: a disk has no mark that it must have.
    Raw,
}

/// A file's beginning and end.
struct Look {
    head: Vec<u8>,
    tail: Vec<u8>,
    size: u64,
}

impl Look {
    fn at(file: &File, size: u64) -> io::Result<Self> {
        let read = |from: u64, length: usize| {
            let mut bytes = vec![0; length];
            file.read_exact_at(&mut bytes, from).map(|()| bytes)
        };
        let tail = size.min(512);
        Ok(Self {
            head: read(0, size.min(HEAD as u64) as usize)?,
            tail: read(size - tail, tail as usize)?,
            size,
        })
    }

    fn bytes<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.head.get(at..at.checked_add(N)?)?.try_into().ok()
    }

    fn be32(&self, at: usize) -> Option<u32> {
        self.bytes(at).map(u32::from_be_bytes)
    }

    fn be64(&self, at: usize) -> Option<u64> {
        self.bytes(at).map(u64::from_be_bytes)
    }

    fn le32(&self, at: usize) -> Option<u32> {
        self.bytes(at).map(u32::from_le_bytes)
    }

    fn le64(&self, at: usize) -> Option<u64> {
        self.bytes(at).map(u64::from_le_bytes)
    }

    fn is(&self, at: usize, mark: &[u8]) -> bool {
        self.head
            .get(at..)
            .is_some_and(|rest| rest.starts_with(mark))
    }

    fn format(&self) -> Format {
        const FOREIGN: [(usize, &[u8], &str); 14] = [
            (0, b"QED\0", "QED"),
            (0, b"KDMV", "VMDK"),
            (0, b"COWD", "VMDK"),
            (0, b"# Disk DescriptorFile", "VMDK"),
            (0x40, b"\x7f\x10\xda\xbe", "VDI"),
            (0, b"vhdxfile", "VHDX"),
            (0, b"conectix", "VHD"),
            (0, b"LUKS\xba\xbe", "LUKS"),
            (0, b"WithoutFreeSpace", "Parallels"),
            (0, b"WithouFreSpacExt", "Parallels"),
            (0, b"PK\x03\x04", "zip"),
            (0, b"7z\xbc\xaf\x27\x1c", "7z"),
            (257, b"ustar", "tar"),
            (0, b"!<arch>\n", "ar"),
        ];
        const PACKED: [(&[u8], &str); 8] = [
            (b"\x1f\x8b", "gzip"),
            (b"\xfd7zXZ\0", "xz"),
            (b"\x28\xb5\x2f\xfd", "zstd"),
            (b"BZh", "bzip2"),
            (b"\x02\x21\x4c\x18", "lz4"),
            (b"\x04\x22\x4d\x18", "lz4"),
            (b"\x89LZO\0", "lzop"),
            (b"\x5d\0\0", "lzma"),
        ];
        if self.is(0, b"QFI\xfb") {
            return if self.be32(4) == Some(1) {
                Format::Foreign("qcow (version 1)")
            } else {
                Format::Qcow2
            };
        }
        let foreign = FOREIGN.iter().find(|(at, mark, _)| self.is(*at, mark));
        if let Some((_, _, name)) = foreign {
            return Format::Foreign(name);
        }
        // A VHD of fixed size has nothing but a footer.
        if self.tail.starts_with(b"conectix") {
            return Format::Foreign("VHD");
        }
        if let Some((_, name)) = PACKED.iter().find(|(mark, _)| self.is(0, mark)) {
            return Format::Packed(name);
        }
        if self.is(0, b"07070") || self.is(0, b"\xc7\x71") {
            return Format::Cpio;
        }
        if self.is(0x438, b"\x53\xef") {
            return Format::Ext;
        }
        if self.is(0, b"XFSB") {
            return Format::Xfs;
        }
        if self.is(0x1_0040, b"_BHRfS_M") {
            return Format::Btrfs;
        }
        if self.is(0, b"hsqs") {
            return Format::Squashfs;
        }
        if self.is(0x202, b"HdrS") && self.is(0x1fe, b"\x55\xaa") {
            return Format::BzImage;
        }
        if self.is(0, b"\x7fELF") {
            return Format::Elf;
        }
        if self.is(0x38, b"ARM\x64") || self.is(0x38, b"RSC\x05") {
            return Format::FlatKernel;
        }
        Format::Raw
    }
}

impl Format {
    /// The words for people.
    fn name(self) -> &'static str {
        match self {
            Self::Qcow2 => "qcow2",
            Self::Foreign(name) | Self::Packed(name) => name,
            Self::Ext => "ext2, ext3 or ext4",
            Self::Xfs => "XFS",
            Self::Btrfs => "btrfs",
            Self::Squashfs => "squashfs",
            Self::BzImage | Self::FlatKernel => "kernel",
            Self::Elf => "ELF",
            Self::Cpio => "cpio",
            Self::Raw => "raw",
        }
    }
}

/// What a file in the import directory looks like: `qcow2`, `raw`, a file system, …, or the name of
/// what is refused.
pub(super) fn name(file: &File, size: u64) -> io::Result<&'static str> {
    if size == 0 {
        return Ok("empty");
    }
    Ok(Look::at(file, size)?.format().name())
}

/// Checks that a file is what an image of this kind needs for this role. Answers the size of the disk
/// that a router sees; nothing of a kernel. The inner error is a sentence without a full stop.
pub(super) fn check(
    file: &File,
    size: u64,
    kind: ImageKind,
    role: ImageFileRole,
) -> io::Result<Result<Option<u64>, String>> {
    if size == 0 {
        return Ok(Err("the file is empty".to_owned()));
    }
    let look = Look::at(file, size)?;
    Ok(match (role, kind) {
        (ImageFileRole::Kernel, _) => kernel(&look).map(|()| None),
        (ImageFileRole::InitialFileSystem, _) => initial_file_system(&look).map(|()| None),
        (ImageFileRole::Disk, ImageKind::Qcow2) => qcow2(&look).map(Some),
        (ImageFileRole::Disk, ImageKind::RootFileSystem) => root(&look).map(|()| Some(size)),
        (ImageFileRole::Disk, ImageKind::Raw | ImageKind::Kernel) => {
            raw(&look).map(|()| Some(size))
        }
    })
}

fn raw(look: &Look) -> Result<(), String> {
    match look.format() {
        Format::Qcow2 => Err(
            "this is a qcow2 disk, and a raw one was announced: give the kind \
                              qcow2, for a router that took it for a raw disk could write a header \
                              that leads to files of its host"
                .to_owned(),
        ),
        Format::Foreign("LUKS") => {
            Err("this disk is encrypted (LUKS), and VMS has no key for it: \
                                        bring it decrypted"
                .to_owned())
        }
        Format::Foreign(name) => Err(format!(
            "this is {name} and no raw disk: convert it with `qemu-img convert -O qcow2`, or unpack \
             it"
        )),
        Format::Packed(name) => Err(format!(
            "this is compressed ({name}): unpack it first, or convert it with `qemu-img convert -c \
             -O qcow2`"
        )),
        _ if look.size > LARGEST => Err(too_large(look.size)),
        _ => Ok(()),
    }
}

fn root(look: &Look) -> Result<(), String> {
    let size = match look.format() {
        Format::Ext => {
            let blocks = u64::from(look.le32(0x404).unwrap_or_default());
            let shift = look.le32(0x418).unwrap_or_default();
            (shift <= 6).then(|| blocks.saturating_mul(1024 << shift))
        }
        Format::Xfs => {
            let block = u64::from(look.be32(4).unwrap_or_default());
            let blocks = look.be64(8).unwrap_or_default();
            block
                .is_power_of_two()
                .then(|| blocks.saturating_mul(block))
        }
        Format::Btrfs => look.le64(0x1_0070),
        Format::Squashfs => look.le64(40),
        other => {
            return Err(format!(
                "this looks like {} and holds no file system that is known: a raw file with ext2, \
                 ext3, ext4, XFS, btrfs or squashfs, and without partitions, was expected",
                other.name()
            ));
        }
    };
    match size {
        None | Some(0) => Err("the superblock of its file system makes no sense".to_owned()),
        Some(size) if size > look.size => Err(format!(
            "its file system has {size} bytes and the file only {}: it was cut off",
            look.size
        )),
        Some(_) if look.size > LARGEST => Err(too_large(look.size)),
        Some(_) => Ok(()),
    }
}

fn kernel(look: &Look) -> Result<(), String> {
    match look.format() {
        Format::BzImage | Format::Elf | Format::FlatKernel => Ok(()),
        other => Err(format!(
            "this looks like {} and not like a Linux kernel: a bzImage, an ELF file or an Image of \
             ARM or RISC-V was expected",
            other.name()
        )),
    }
}

fn initial_file_system(look: &Look) -> Result<(), String> {
    match look.format() {
        Format::Packed(_) | Format::Cpio => Ok(()),
        other => Err(format!(
            "this looks like {} and not like an initial file system: a cpio archive, as it is or \
             compressed by gzip, xz, zstd, bzip2, lz4, lzma or lzop, was expected",
            other.name()
        )),
    }
}

fn too_large(size: u64) -> String {
    format!(
        "a disk of {size} bytes is larger than any that VMS makes: {} TiB at most were expected",
        LARGEST >> 40
    )
}

/// Reads a qcow2 header: <https://www.qemu.org/docs/master/interop/qcow2.html>.
fn qcow2(look: &Look) -> Result<u64, String> {
    const DIRTY: u64 = 1 << 0;
    const CORRUPT: u64 = 1 << 1;
    const DATA_FILE: u64 = 1 << 2;
    const COMPRESSION: u64 = 1 << 3;
    const EXTENDED: u64 = 1 << 4;
    const EXTERNAL_DATA: u32 = 0x4441_5441;
    const ENCRYPTION: u32 = 0x0537_be77;

    let format = look.format();
    if format != Format::Qcow2 {
        return Err(format!(
            "this looks like {} and not like a qcow2 disk: give the kind that it is, or convert it \
             with `qemu-img convert -O qcow2`",
            format.name()
        ));
    }
    let short = || "its qcow2 header is cut off".to_owned();
    let wrong = |what: &str| Err(format!("its qcow2 header makes no sense: {what}"));
    let version = look.be32(4).ok_or_else(short)?;
    if !matches!(version, 2 | 3) {
        return Err(format!(
            "it is qcow2 of version {version}, and 2 or 3 was expected: convert it with `qemu-img \
             convert -O qcow2`"
        ));
    }
    let word = |at| look.be32(at).ok_or_else(short);
    let long = |at| look.be64(at).ok_or_else(short);
    if long(8)? != 0 || word(16)? != 0 {
        return Err(
            "it is made on another file (a backing file), which is not part of it: put both \
             together with `qemu-img convert -O qcow2`"
                .to_owned(),
        );
    }
    let cluster_bits = word(20)?;
    if !(9..=21).contains(&cluster_bits) {
        return wrong("its clusters have no lawful size");
    }
    let size = long(24)?;
    if size == 0 {
        return Err("its disk has a size of 0".to_owned());
    }
    if size > LARGEST {
        return Err(too_large(size));
    }
    let encrypted = "it is encrypted, and VMS has no key for it: bring it decrypted";
    if word(32)? != 0 {
        return Err(encrypted.to_owned());
    }
    let mut is_extended = false;
    let mut header_length = 72;
    if version == 3 {
        let incompatible = long(72)?;
        if incompatible & DATA_FILE != 0 {
            return Err(
                "its data is in another file, which is not part of it: put both together \
                        with `qemu-img convert -O qcow2`"
                    .to_owned(),
            );
        }
        if incompatible & CORRUPT != 0 {
            return Err("it is marked as damaged: mend it with `qemu-img check -r all`".to_owned());
        }
        if incompatible & DIRTY != 0 {
            return Err(
                "it was not closed, so its counts may be wrong: mend it with `qemu-img \
                        check -r all`"
                    .to_owned(),
            );
        }
        let unknown = incompatible & !(COMPRESSION | EXTENDED);
        if unknown != 0 {
            return Err(format!(
                "it needs features of qcow2 that are not known (bits {unknown:#x}): convert it with \
                 `qemu-img convert -O qcow2`"
            ));
        }
        if word(96)? > 6 {
            return wrong("its counts have no lawful size");
        }
        header_length = word(100)? as usize;
        if !(104..=1 << cluster_bits).contains(&header_length) || header_length % 8 != 0 {
            return wrong("it has no lawful length");
        }
        is_extended = incompatible & EXTENDED != 0;
        let compression = (header_length > 104).then(|| look.head.get(104).copied());
        let compression = compression.flatten().unwrap_or_default();
        if compression > 1 || (compression != 0) != (incompatible & COMPRESSION != 0) {
            return wrong("its way of compression is not known");
        }
    }
    // Names of files hide in extensions, too.
    let mut at = header_length;
    let first_cluster = (1_usize << cluster_bits).min(look.head.len());
    while at + 8 <= first_cluster {
        let (kind, length) = (word(at)?, word(at + 4)? as usize);
        match kind {
            0 => break,
            EXTERNAL_DATA => {
                return Err(
                    "it names another file for its data: put both together with `qemu-img \
                            convert -O qcow2`"
                        .to_owned(),
                );
            }
            ENCRYPTION => return Err(encrypted.to_owned()),
            _ => {}
        }
        let next = length.checked_next_multiple_of(8);
        match next.and_then(|length| (at + 8).checked_add(length)) {
            Some(next) if next <= 1 << cluster_bits => at = next,
            _ => return wrong("an extension of it is longer than it"),
        }
    }
    // The first table, which must be there for the whole disk.
    let entry_bytes = if is_extended { 16 } else { 8 };
    let per_table = (1_u64 << cluster_bits) / entry_bytes;
    let needed = size.div_ceil(per_table << cluster_bits);
    let (entries, table) = (u64::from(word(36)?), long(40)?);
    let table_end = entries.checked_mul(8).and_then(|it| it.checked_add(table));
    if entries < needed || table % (1 << cluster_bits) != 0 || table == 0 {
        return wrong("its table of clusters does not fit the size of its disk");
    }
    let counts = long(48)?;
    if table_end.is_none_or(|end| end > look.size) || counts >= look.size || counts == 0 {
        return Err("its tables lie behind its end: it was cut off".to_owned());
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    /// A qcow2 header of version 3 over an empty disk, as `qemu-img create` writes it.
    pub(crate) fn header() -> Vec<u8> {
        let mut bytes = vec![0; 4 << 16];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, b"QFI\xfb");
        put(4, &3_u32.to_be_bytes());
        put(20, &16_u32.to_be_bytes());
        put(24, &(1_u64 << 30).to_be_bytes());
        put(36, &2_u32.to_be_bytes());
        put(40, &(3_u64 << 16).to_be_bytes());
        put(48, &(1_u64 << 16).to_be_bytes());
        put(56, &1_u32.to_be_bytes());
        put(96, &4_u32.to_be_bytes());
        put(100, &112_u32.to_be_bytes());
        bytes
    }

    fn look(bytes: &[u8], kind: ImageKind, role: ImageFileRole) -> Result<Option<u64>, String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        check(&file, bytes.len() as u64, kind, role).unwrap()
    }

    fn disk(bytes: &[u8], kind: ImageKind) -> Result<Option<u64>, String> {
        look(bytes, kind, ImageFileRole::Disk)
    }

    fn changed(at: usize, value: &[u8]) -> Vec<u8> {
        let mut bytes = header();
        bytes[at..at + value.len()].copy_from_slice(value);
        bytes
    }

    #[test]
    fn a_whole_qcow2_disk_is_taken_and_tells_its_size() {
        assert_eq!(disk(&header(), ImageKind::Qcow2), Ok(Some(1 << 30)));
        // Version 2 has a shorter header, and names no features.
        let old = changed(4, &2_u32.to_be_bytes());
        assert_eq!(disk(&old, ImageKind::Qcow2), Ok(Some(1 << 30)));
    }

    #[test]
    fn a_qcow2_disk_that_leads_elsewhere_or_makes_no_sense_is_refused() {
        let u32be = |value: u32| value.to_be_bytes().to_vec();
        let u64be = |value: u64| value.to_be_bytes().to_vec();
        let extension = |kind: u32, length: u32| [u32be(kind), u32be(length)].concat();
        for (at, value, why) in [
            (8, u64be(200), "backing file"),
            (16, u32be(11), "backing file"),
            (4, u32be(9), "version 9"),
            (20, u32be(40), "clusters"),
            (20, u32be(0), "clusters"),
            (24, u64be(0), "size of 0"),
            (24, u64be(u64::MAX), "64 TiB"),
            (24, u64be(1 << 45), "table of clusters"),
            (32, u32be(2), "encrypted"),
            (72, u64be(1), "was not closed"),
            (72, u64be(2), "damaged"),
            (72, u64be(4), "data is in another file"),
            (72, u64be(1 << 40), "not known"),
            (96, u32be(60), "counts"),
            (100, u32be(3), "length"),
            (100, u32be(u32::MAX), "length"),
            (104, vec![7], "compression"),
            (112, extension(0x4441_5441, 8), "names another file"),
            (112, extension(0x0537_be77, 16), "encrypted"),
            (112, extension(7, u32::MAX), "longer than it"),
            (36, u32be(u32::MAX), "cut off"),
            (40, u64be(1 << 50), "cut off"),
            (40, u64be(12), "table of clusters"),
            (48, u64be(u64::MAX), "cut off"),
        ] {
            let refused = disk(&changed(at, &value), ImageKind::Qcow2).unwrap_err();
            assert!(refused.contains(why), "{at} {value:?}: {refused}");
        }
        for length in [1, 4, 8, 30, 71, 100, 111] {
            let refused = disk(&header()[..length], ImageKind::Qcow2);
            assert!(refused.is_err(), "{length}: {refused:?}");
        }
    }

    #[test]
    fn nothing_in_a_header_makes_the_reader_fail() {
        for at in 0..120 {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let _ = disk(&changed(at, &[value]), ImageKind::Qcow2);
                let _ = disk(&changed(at, &[value; 8]), ImageKind::Qcow2);
            }
        }
    }

    #[test]
    fn a_raw_disk_is_none_that_looks_like_something_else() {
        assert_eq!(disk(&[0; 1024], ImageKind::Raw), Ok(Some(1024)));
        let mut footer = vec![0; 4096];
        footer[4096 - 512..4096 - 504].copy_from_slice(b"conectix");
        let mut vdi = vec![0; 4096];
        vdi[0x40..0x44].copy_from_slice(b"\x7f\x10\xda\xbe");
        for (bytes, why) in [
            (header(), "qcow2"),
            (b"KDMV and more".to_vec(), "VMDK"),
            (b"# Disk DescriptorFile\n".to_vec(), "VMDK"),
            (b"vhdxfile".to_vec(), "VHDX"),
            (footer, "VHD"),
            (vdi, "VDI"),
            (b"LUKS\xba\xbe\0\x02".to_vec(), "LUKS"),
            (b"\x1f\x8b\x08".to_vec(), "gzip"),
            (Vec::new(), "empty"),
        ] {
            let refused = disk(&bytes, ImageKind::Raw).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn a_root_file_system_is_one_and_is_whole() {
        let mut ext = vec![0; 1 << 20];
        ext[0x438..0x43a].copy_from_slice(b"\x53\xef");
        ext[0x404..0x408].copy_from_slice(&1024_u32.to_le_bytes());
        assert_eq!(disk(&ext, ImageKind::RootFileSystem), Ok(Some(1 << 20)));
        ext[0x404..0x408].copy_from_slice(&1025_u32.to_le_bytes());
        let refused = disk(&ext, ImageKind::RootFileSystem).unwrap_err();
        assert!(refused.contains("cut off"), "{refused}");
        ext[0x418..0x41c].copy_from_slice(&99_u32.to_le_bytes());
        let refused = disk(&ext, ImageKind::RootFileSystem).unwrap_err();
        assert!(refused.contains("makes no sense"), "{refused}");
        let refused = disk(&[0; 4096], ImageKind::RootFileSystem).unwrap_err();
        assert!(refused.contains("squashfs"), "{refused}");
    }

    #[test]
    fn kernels_and_initial_file_systems_are_known_by_their_marks() {
        let mut bz = vec![0; 1024];
        bz[0x1fe..0x200].copy_from_slice(b"\x55\xaa");
        bz[0x202..0x206].copy_from_slice(b"HdrS");
        let mut arm = vec![0; 64];
        arm[0x38..0x3c].copy_from_slice(b"ARM\x64");
        for kernel in [&bz[..], &arm, b"\x7fELF\x02"] {
            let found = look(kernel, ImageKind::Kernel, ImageFileRole::Kernel);
            assert_eq!(found, Ok(None));
        }
        let found = look(b"#!/bin/sh", ImageKind::Kernel, ImageFileRole::Kernel);
        assert!(found.unwrap_err().contains("bzImage"));
        for packed in [
            &b"\x1f\x8b\x08"[..],
            b"070701",
            b"\xfd7zXZ\0",
            b"\x28\xb5\x2f\xfd",
            b"\x02\x21\x4c\x18",
        ] {
            let role = ImageFileRole::InitialFileSystem;
            assert_eq!(look(packed, ImageKind::Kernel, role), Ok(None));
        }
        let role = ImageFileRole::InitialFileSystem;
        let found = look(&bz, ImageKind::Kernel, role);
        assert!(found.unwrap_err().contains("cpio"));
    }
}
