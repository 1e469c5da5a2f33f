//! What the name of a file says about an image. Pure.

use api::{ImageFileRole, ImageKind};

/// What a file is, by its name.
pub fn kind(file: &str) -> (ImageKind, ImageFileRole) {
    let name = file.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if has(&["initrd", "initramfs"]) || ends(&[".cpio", ".cpio.gz"]) {
        (ImageKind::Kernel, ImageFileRole::InitialFileSystem)
    } else if has(&["vmlinu", "bzimage", "kernel"]) {
        (ImageKind::Kernel, ImageFileRole::Kernel)
    } else if has(&["rootfs"]) || ends(&[".ext4", ".ext2", ".squashfs"]) {
        (ImageKind::RootFileSystem, ImageFileRole::Disk)
    } else if ends(&[".raw", ".img"]) {
        (ImageKind::Raw, ImageFileRole::Disk)
    } else {
        (ImageKind::Qcow2, ImageFileRole::Disk)
    }
}

/// Name and version, as `debian-12-generic-amd64.qcow2` has them: `debian` and `12-generic`.
pub fn title(file: &str) -> (String, String) {
    const ENDS: [&str; 12] = [
        ".qcow2",
        ".raw",
        ".img",
        ".ext4",
        ".ext2",
        ".squashfs",
        ".gz",
        ".xz",
        ".cpio",
        ".bin",
        ".amd64",
        ".x86_64",
    ];
    let mut stem = file.rsplit(['/', '\\']).next().unwrap_or(file);
    while let Some(shorter) = ENDS.iter().find_map(|end| stem.strip_suffix(end)) {
        stem = shorter;
    }
    let parts = stem.split(['-', '_', ' ']).filter(|part| {
        !matches!(
            *part,
            "" | "amd64" | "x86" | "64" | "x86_64" | "arm64" | "aarch64"
        )
    });
    let is_version = |part: &&str| part.chars().any(|letter| letter.is_ascii_digit());
    let parts: Vec<_> = parts.collect();
    let at = parts
        .iter()
        .skip(1)
        .position(is_version)
        .map_or(parts.len(), |at| at + 1);
    let fit = |parts: &[&str]| -> String {
        let text = parts.join("-");
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "._-+".contains(letter);
        let text: String = text
            .chars()
            .filter(|letter| fits(*letter))
            .take(64)
            .collect();
        text.trim_start_matches(|letter: char| !letter.is_ascii_alphanumeric())
            .to_owned()
    };
    let version = fit(&parts[at..]);
    (
        fit(&parts[..at]),
        if version.is_empty() {
            "1".to_owned()
        } else {
            version
        },
    )
}

/// The processor architecture that the name speaks of.
pub fn architecture(file: &str) -> &'static str {
    let name = file.to_lowercase();
    if name.contains("arm64") || name.contains("aarch64") {
        "aarch64"
    } else {
        "x86_64"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_speak_of_what_is_in_files() {
        use ImageFileRole::{Disk, InitialFileSystem, Kernel};
        for (file, expected) in [
            ("a.qcow2", (ImageKind::Qcow2, Disk)),
            ("A.IMG", (ImageKind::Raw, Disk)),
            ("vmlinuz-6.1", (ImageKind::Kernel, Kernel)),
            ("initrd.img", (ImageKind::Kernel, InitialFileSystem)),
            ("rootfs.img", (ImageKind::RootFileSystem, Disk)),
            ("unknown", (ImageKind::Qcow2, Disk)),
        ] {
            assert_eq!(kind(file), expected, "{file}");
        }
        for (file, name, version) in [
            ("debian-12-generic-amd64.qcow2", "debian", "12-generic"),
            ("alpine-3.20.raw", "alpine", "3.20"),
            ("router.img", "router", "1"),
            ("/images/vyos-1.5_rolling.qcow2", "vyos", "1.5-rolling"),
            ("ä.raw", "", "1"),
        ] {
            assert_eq!(title(file), (name.to_owned(), version.to_owned()), "{file}");
        }
        assert_eq!(architecture("debian-arm64.qcow2"), "aarch64");
    }
}
