//! What is to be known of an image, checked: it ends up in names, in definitions of routers, and on
//! pages.

use super::{Stored, excerpt};
use crate::service::translate;
use api::{Driver, Error, ImageDescription, ImageKind};

/// The longest texts, in bytes.
const NAME: usize = 64;
const DESCRIPTION: usize = 4096;
const ARGUMENTS: usize = 2000;
const PATH: usize = 255;
const READY: usize = 200;

/// The least and the most that a router is given.
const MEMORY: std::ops::RangeInclusive<u64> = (1 << 20)..=(64 << 40);
const VCPUS: std::ops::RangeInclusive<u32> = 1..=1024;
const INTERFACES: std::ops::RangeInclusive<u32> = 0..=64;

/// Checks a description of an image of this kind.
pub(crate) fn check(kind: ImageKind, of: &ImageDescription) -> Result<(), Error> {
    check_name("description/name", &of.name, "debian")?;
    check_name("description/version", &of.version, "12.7")?;
    let architecture = &of.architecture;
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !(1..=32).contains(&architecture.len()) || !architecture.chars().all(is_plain) {
        return Err(Error::invalid(
            "description/architecture",
            format!(
                "{:?} is no architecture as libvirt names them: x86_64, aarch64 or riscv64, for \
                 example, was expected",
                excerpt(architecture)
            ),
        ));
    }
    check_text("description", of.description.as_deref(), DESCRIPTION, true)?;
    check_text(
        "kernelArguments",
        of.kernel_arguments.as_deref(),
        ARGUMENTS,
        false,
    )?;
    check_text("init", of.init.as_deref(), PATH, false)?;
    check_text("readyText", of.ready_text.as_deref(), READY, false)?;
    for driver in &of.drivers {
        if !suits(kind, *driver) {
            return Err(Error::invalid(
                "description/drivers",
                format!(
                    "the driver {} makes no routers from a {}: {} was expected",
                    driver.as_str(),
                    kind.describe(),
                    drivers(kind)
                ),
            ));
        }
    }
    let only = |element: &str, given: bool, kinds: &[ImageKind], what: &str| {
        if given && !kinds.contains(&kind) {
            return Err(Error::invalid(
                &format!("description/{element}"),
                format!(
                    "only {what} has it, and this is a {}: leave it out",
                    kind.describe()
                ),
            ));
        }
        Ok(())
    };
    let arguments = of.kernel_arguments.is_some();
    only(
        "kernelArguments",
        arguments,
        &[ImageKind::Kernel],
        "a kernel",
    )?;
    let roots = [ImageKind::RootFileSystem];
    only(
        "init",
        of.init.is_some(),
        &roots,
        "a root file system for containers",
    )?;
    if let Some(init) = &of.init
        && !init.starts_with('/')
    {
        return Err(Error::invalid(
            "description/init",
            format!(
                "{:?} is no absolute path: /sbin/init, for example, was expected",
                excerpt(init)
            ),
        ));
    }
    let disks = [ImageKind::Qcow2, ImageKind::Raw];
    let seed = of.cloud_init == Some(true);
    only("cloudInit", seed, &disks, "a disk with an operating system")?;
    let ranges = [
        (
            "vcpus",
            of.vcpus.is_some_and(|it| !VCPUS.contains(&it)),
            format!("{} to {} was expected", VCPUS.start(), VCPUS.end()),
        ),
        (
            "memoryBytes",
            of.memory_bytes.is_some_and(|it| !MEMORY.contains(&it)),
            "from 1 MiB to 64 TiB, in bytes, was expected".to_owned(),
        ),
        (
            "interfaces",
            of.interfaces.is_some_and(|it| !INTERFACES.contains(&it)),
            format!(
                "{} to {} was expected",
                INTERFACES.start(),
                INTERFACES.end()
            ),
        ),
    ];
    for (element, is_outside, expected) in ranges {
        if is_outside {
            return Err(Error::invalid(&format!("description/{element}"), expected));
        }
    }
    Ok(())
}

/// Whether a driver can make routers from images of a kind.
pub(crate) fn suits(kind: ImageKind, driver: Driver) -> bool {
    match driver {
        // It makes up whatever it is told.
        Driver::Test => true,
        Driver::Qemu | Driver::Xen => kind != ImageKind::RootFileSystem,
        Driver::Lxc => kind == ImageKind::RootFileSystem,
    }
}

/// The drivers that make routers from an image, the best first.
pub(crate) fn suitable(image: &Stored) -> Vec<model::Driver> {
    use model::Driver::{Lxc, Qemu, Test, Xen};
    let named = &image.description.drivers;
    let fits = |driver: &model::Driver| {
        let driver = translate::driver(*driver);
        suits(image.kind, driver) && (named.is_empty() || named.contains(&driver))
    };
    [Qemu, Xen, Lxc, Test].into_iter().filter(fits).collect()
}

fn drivers(kind: ImageKind) -> String {
    let suiting = Driver::ALL
        .into_iter()
        .filter(|driver| suits(kind, *driver));
    let names: Vec<_> = suiting.map(Driver::as_str).collect();
    names.join(" or ")
}

fn check_name(element: &str, name: &str, example: &str) -> Result<(), Error> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    let starts = name
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphanumeric());
    if starts && name.len() <= NAME && name.chars().all(is_plain) {
        return Ok(());
    }
    Err(Error::invalid(
        element,
        format!(
            "{:?} cannot be used: 1 to {NAME} letters, digits, `.`, `_`, `-` and `+`, the first a \
             letter or a digit, were expected, for example {example}",
            excerpt(name)
        ),
    ))
}

fn check_text(element: &str, text: Option<&str>, longest: usize, lines: bool) -> Result<(), Error> {
    let Some(text) = text else { return Ok(()) };
    let is_fine = |c: char| !c.is_control() || (lines && matches!(c, '\n' | '\t'));
    if (1..=longest).contains(&text.len()) && text.chars().all(is_fine) {
        return Ok(());
    }
    let shape = if lines { "" } else { " in one line" };
    Err(Error::invalid(
        &format!("description/{element}"),
        format!("a text of 1 to {longest} bytes{shape}, without control characters, was expected"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description() -> ImageDescription {
        ImageDescription {
            name: "debian".to_owned(),
            version: "12.7+1".to_owned(),
            architecture: "x86_64".to_owned(),
            ..ImageDescription::default()
        }
    }

    fn refused(kind: ImageKind, change: impl FnOnce(&mut ImageDescription)) -> String {
        let mut of = description();
        change(&mut of);
        check(kind, &of).unwrap_err().to_string()
    }

    #[test]
    fn names_are_plain_and_what_is_wrong_is_named() {
        assert!(check(ImageKind::Raw, &description()).is_ok());
        for name in [
            "",
            "a/b",
            "../a",
            "<b>",
            ".hidden",
            "-x",
            "a b",
            "ä",
            "a\n",
            &"x".repeat(10_000),
        ] {
            let sentence = refused(ImageKind::Raw, |of| of.name = name.to_owned());
            assert!(sentence.starts_with("description/name: "), "{sentence}");
            assert!(sentence.len() < 400, "{} bytes", sentence.len());
        }
        let sentence = refused(ImageKind::Raw, |of| of.version = "1/2".to_owned());
        assert!(sentence.starts_with("description/version: "), "{sentence}");
    }

    #[test]
    fn what_a_kind_does_not_have_is_refused() {
        let text = || Some("/x".to_owned());
        for (kind, change, element) in [
            (
                ImageKind::Raw,
                Box::new(|of: &mut ImageDescription| of.kernel_arguments = text())
                    as Box<dyn FnOnce(&mut ImageDescription)>,
                "kernelArguments",
            ),
            (ImageKind::Kernel, Box::new(|of| of.init = text()), "init"),
            (
                ImageKind::RootFileSystem,
                Box::new(|of| of.init = Some("init".to_owned())),
                "init",
            ),
            (
                ImageKind::Kernel,
                Box::new(|of| of.cloud_init = Some(true)),
                "cloudInit",
            ),
            (
                ImageKind::Qcow2,
                Box::new(|of| of.drivers = vec![Driver::Lxc]),
                "drivers",
            ),
            (ImageKind::Raw, Box::new(|of| of.vcpus = Some(0)), "vcpus"),
            (
                ImageKind::Raw,
                Box::new(|of| of.memory_bytes = Some(64)),
                "memoryBytes",
            ),
            (
                ImageKind::Raw,
                Box::new(|of| of.ready_text = Some("a\u{7}".to_owned())),
                "readyText",
            ),
            (
                ImageKind::Raw,
                Box::new(|of| of.architecture = "x86/64".to_owned()),
                "architecture",
            ),
        ] {
            let sentence = refused(kind, change);
            let path = format!("description/{element}: ");
            assert!(sentence.starts_with(&path), "{sentence}");
        }
    }
}
