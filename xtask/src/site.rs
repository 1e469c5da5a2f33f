//! From the front end's source to the files that the server embeds.
//!
//! ```text
//! frontend ──cargo──> frontend.wasm ──split──┬─wasm-bindgen──> target/site/pkg/vms.js, vms_bg.wasm
//!                                            └──────────────> target/site/pkg/later-…/*.wasm
//! arranger ──cargo──> arranger.wasm ───────wasm-bindgen──────> target/site/pkg/arranger.js, …_bg.wasm
//! style/main.css ───────────────────────────────────────────> target/site/pkg/vms.css
//! public/* ─────────────────────────────────────────────────> target/site/*
//! console/console.js, xterm.js ─────────────────────────────> target/site/later-console/*
//! ```
//!
//! What pages can start without (`app`, `pages/later.rs`) is split off and loaded when it is wanted,
//! and so is the layouts' worker.
//! Such parts fit no other build: the name of their directory tells the builds apart, so that a page
//! whose server was replaced finds nothing there instead of something else.
//!
//! Beside each file that compresses well lies its brotli form, `<name>.br`. A file is written
//! only when its content differs, so that an unchanged page does not rebuild the server.
//! The name `vms_bg.wasm` is what Leptos' hydration script asks for.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use end2end::client::root;

use crate::cargo::{WASM_TARGET, cargo, target};

/// What a browser may have to load until the page is alive, compressed, in bytes.
const BUDGET: usize = 500_000;
const PROFILE: &str = "wasm-release";
/// What the layouts' worker is built in.
const ARRANGER_PROFILE: &str = "wasm-layouts";
const NAME: &str = "vms";
/// The layouts' worker and its WebAssembly.
const ARRANGER: &str = "arranger";
/// The terminal of routers' consoles, which is loaded with the first one; below `console`.
const CONSOLE: [&str; 4] = [
    "console.js",
    "node_modules/@xterm/addon-fit/lib/addon-fit.mjs",
    "node_modules/@xterm/xterm/css/xterm.css",
    "node_modules/@xterm/xterm/lib/xterm.mjs",
];
const LATER_CONSOLE: &str = "later-console";
/// How the directories with what is loaded later begin.
const LATER: &str = "later-";

/// Compiles the front end, as it is shipped: so it is tested and shown, and an unoptimised bundle is
/// over ten times the size.
///
/// # Errors
/// It does not compile.
pub fn compile() -> Result<()> {
    for (package, profile) in [("frontend", PROFILE), (ARRANGER, ARRANGER_PROFILE)] {
        cargo(&[
            &["build", "-p", package, "--target", WASM_TARGET],
            &["--profile", profile],
        ])?;
    }
    Ok(())
}

/// Lays out `target/site`.
///
/// # Errors
/// Files cannot be read or written, or wasm-bindgen refuses the wasm.
pub fn lay_out() -> Result<()> {
    let site = root().join("target/site");
    let built = target().join(WASM_TARGET);
    let wasm = built.join(PROFILE).join("frontend.wasm");
    let arranger = built.join(ARRANGER_PROFILE).join("arranger.wasm");
    let mut files = vec![(PathBuf::from("pkg/vms.css"), root().join("style/main.css"))];
    let public = root().join("public");
    if public.exists() {
        for entry in fs::read_dir(public)? {
            let entry = entry?;
            files.push((entry.file_name().into(), entry.path()));
        }
    }
    files.extend(CONSOLE.map(|name| {
        let source = root().join("console").join(name);
        let name = source.file_name().unwrap_or_default();
        (Path::new(LATER_CONSOLE).join(name), source)
    }));
    files.sort();

    // What the site was made from: when that is the same, so is the site.
    let mut stamp = format!("{}\n", maker());
    for path in files
        .iter()
        .map(|(_, source)| source)
        .chain([&wasm, &arranger])
    {
        stamp.push_str(&identity(path)?);
    }
    let stamp_file = root().join("target/site.stamp");
    if site.join("pkg").join(format!("{NAME}.js")).exists()
        && fs::read_to_string(&stamp_file).is_ok_and(|done| done == stamp)
    {
        return Ok(());
    }

    let mut contents = bind(&wasm)?;
    contents.extend(bind_arranger(&arranger)?);
    for (name, source) in files {
        contents.push((name, fs::read(source)?));
    }
    write_site(&site, &contents)?;
    fs::write(stamp_file, stamp)?;
    Ok(())
}

/// The JavaScript and wasm that a browser loads, split and made by wasm-bindgen.
fn bind(wasm: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let directory = end2end::Scratch::new()?;
    let main = end2end::Scratch::new()?;
    let main = main.path().join("main.wasm");
    split(wasm, &main, directory.path())?;
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(&main)
        .web(true)?
        .typescript(false)
        .out_name(NAME)
        // By these names the parts find what they share.
        .keep_lld_exports(true)
        .demangle(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(directory.path())
        .context("wasm-bindgen failed")?;
    let mut found = Vec::new();
    collect(directory.path(), Path::new("pkg"), &mut found)?;
    found.sort();
    Ok(found)
}

/// What the layouts' worker loads.
fn bind_arranger(wasm: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let directory = end2end::Scratch::new()?;
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(wasm)
        .web(true)?
        .typescript(false)
        .out_name(ARRANGER)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(directory.path())
        .context("wasm-bindgen failed on the arranger")?;
    let mut found = Vec::new();
    collect(directory.path(), Path::new("pkg"), &mut found)?;
    found.sort();
    Ok(found)
}

/// Splits the wasm into what is loaded first, `main`, and the parts that are loaded later, which go
/// into `site` together with the script that loads them.
fn split(wasm: &Path, main: &Path, site: &Path) -> Result<()> {
    let whole = fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    let mut hasher = DefaultHasher::new();
    whole.hash(&mut hasher);
    let later = format!("{LATER}{:016x}", hasher.finish());
    let script = format!("{NAME}_later.js");
    let (link, module) = (format!("./{script}"), format!("./{NAME}.js"));
    let mut options = wasm_split_cli_support::Options::new(&whole);
    options.output_dir = site;
    options.main_out_path = main;
    options.link_name = &link;
    options.main_module = &module;
    let parts = wasm_split_cli_support::transform(options)
        .map_err(|error| anyhow!("the wasm cannot be split: {error:#}"))?;

    let script = site.join(script);
    let mut text = fs::read_to_string(&script)?;
    fs::create_dir(site.join(&later))?;
    for part in parts.split_modules {
        let name = part.file_name().unwrap_or_default();
        let reference = format!("\"./{}\"", name.display());
        ensure!(
            text.matches(&reference).count() == 1,
            "{} is not loaded by {}",
            name.display(),
            script.display()
        );
        text = text.replace(&reference, &format!("\"./{later}/{}\"", name.display()));
        write(
            &site.join(&later).join(name),
            &without_custom_sections(&fs::read(&part)?)?,
        )?;
        fs::remove_file(part)?;
    }
    fs::write(script, text)?;
    Ok(())
}

/// The module without the sections that only tools read, above all the names.
fn without_custom_sections(wasm: &[u8]) -> Result<Vec<u8>> {
    let (header, mut rest) = wasm.split_at_checked(8).context("this is no wasm")?;
    let mut stripped = header.to_vec();
    while let [id, tail @ ..] = rest {
        // The length in LEB128.
        let digits = tail.iter().take_while(|byte| **byte >= 0x80).count() + 1;
        let length = tail
            .get(..digits)
            .context("the wasm ends in a section")?
            .iter()
            .rev()
            .fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
        let Some((section, next)) = rest.split_at_checked(1 + digits + length) else {
            bail!("the wasm ends in a section");
        };
        if *id != 0 {
            stripped.extend_from_slice(section);
        }
        rest = next;
    }
    Ok(stripped)
}

fn collect(directory: &Path, name: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = name.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &name, found)?;
        } else {
            found.push((name, fs::read(entry.path())?));
        }
    }
    Ok(())
}

/// Checks what a browser has to load against the budget, and tells both, and what is loaded later.
///
/// # Errors
/// The page has grown over it.
pub fn check_budget() -> Result<()> {
    within_budget(&root().join("target/site"))
}

fn within_budget(site: &Path) -> Result<()> {
    let mut files = Vec::new();
    collect(site, Path::new(""), &mut files)?;
    let sizes: BTreeMap<&Path, usize> = files
        .iter()
        .map(|(name, bytes)| (name.as_path(), bytes.len()))
        .collect();
    let (mut total, mut later) = (0, 0);
    for (name, size) in &sizes {
        if name.extension().is_some_and(|extension| extension == "br") {
            continue;
        }
        let compressed = sizes.get(brotli_name(name).as_path()).unwrap_or(size);
        eprintln!(
            "   {:<46}{size:>9} B{compressed:>9} B compressed",
            name.display()
        );
        if is_later(name) {
            later += compressed;
        } else {
            total += compressed;
        }
    }
    eprintln!(
        "   {total} B compressed at first, of {BUDGET} B allowed; {later} B more when wanted"
    );
    ensure!(
        total <= BUDGET,
        "the page is {total} B compressed, and its budget is {BUDGET} B"
    );
    Ok(())
}

/// Whether the file is loaded only when it is wanted.
fn is_later(name: &Path) -> bool {
    name.components().any(|part| {
        let name = part.as_os_str().as_encoded_bytes();
        [LATER, ARRANGER, "worker.js"]
            .iter()
            .any(|later| name.starts_with(later.as_bytes()))
    })
}

/// Writes the files that differ, with their compressed forms, and removes all others.
fn write_site(site: &Path, contents: &[(PathBuf, Vec<u8>)]) -> Result<()> {
    let mut names = BTreeSet::new();
    for (name, bytes) in contents {
        let path = site.join(name);
        let small = brotli_name(name);
        names.insert(name.clone());
        let unchanged = fs::read(&path).is_ok_and(|present| &present == bytes);
        // The compressed form first: whoever is interrupted in between does both again.
        if compresses(name) {
            if !unchanged || !site.join(&small).exists() {
                write(&site.join(&small), &brotli(bytes)?)?;
            }
            names.insert(small);
        }
        if !unchanged {
            write(&path, bytes)?;
        }
    }
    let mut present = Vec::new();
    collect(site, Path::new(""), &mut present)?;
    for (name, _) in present {
        if !names.contains(&name) {
            fs::remove_file(site.join(&name))?;
            // With the last of its files a directory goes, too; one that holds more stays.
            if let Some(directory) = name.parent() {
                let _ = fs::remove_dir(site.join(directory));
            }
        }
    }
    Ok(())
}

fn brotli_name(name: &Path) -> PathBuf {
    PathBuf::from(format!("{}.br", name.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

fn compresses(name: &Path) -> bool {
    name.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| {
            ["css", "html", "js", "json", "mjs", "svg", "txt", "wasm"].contains(&extension)
        })
}

fn brotli(mut bytes: &[u8]) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut bytes, &mut compressed, &parameters)?;
    Ok(compressed)
}

/// Path, size and time of a file.
fn identity(path: &Path) -> Result<String> {
    let meta = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    let time = meta
        .modified()
        .unwrap_or(SystemTime::UNIX_EPOCH)
        .duration_since(UNIX_EPOCH)?;
    Ok(format!(
        "{} {} {}\n",
        path.display(),
        meta.len(),
        time.as_nanos()
    ))
}

/// What made the site: a change of this program makes it anew.
fn maker() -> String {
    std::env::current_exe()
        .ok()
        .and_then(|path| identity(&path).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, bytes: &[u8]) -> (PathBuf, Vec<u8>) {
        (name.into(), bytes.to_vec())
    }

    #[test]
    fn a_site_holds_what_was_given_its_compressed_form_and_nothing_else() {
        let scratch = end2end::Scratch::new().unwrap();
        let site = scratch.path();
        fs::write(site.join("old.txt"), "old").unwrap();
        let text = b"body {}".repeat(100);
        write_site(site, &[file("pkg/vms.css", &text), file("a.png", b"x")]).unwrap();
        let mut found = Vec::new();
        collect(site, Path::new(""), &mut found).unwrap();
        found.sort();
        let names: Vec<_> = found
            .iter()
            .map(|(name, _)| name.to_str().unwrap())
            .collect();
        assert_eq!(names, ["a.png", "pkg/vms.css", "pkg/vms.css.br"]);
        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut &found[2].1[..], &mut back).unwrap();
        assert_eq!(back, text);
    }

    #[test]
    fn names_are_left_out_of_a_part() {
        let header = b"\0asm\x01\0\0\0";
        let long = [&[0, 0x85, 0x01][..], &[7; 0x85]].concat();
        let wasm = [header, &[1, 1, 0][..], &long, &[3, 1, 0]].concat();
        let stripped = without_custom_sections(&wasm).unwrap();
        assert_eq!(stripped, [header, &[1, 1, 0][..], &[3, 1, 0]].concat());
        for broken in [&wasm[..4], &wasm[..wasm.len() - 1], &wasm[..9], &wasm[..12]] {
            without_custom_sections(broken).unwrap_err();
        }
    }

    #[test]
    fn a_page_over_its_budget_is_refused() {
        let scratch = end2end::Scratch::new().unwrap();
        let site = scratch.path();
        // What compresses to nothing is within it, what does not is not.
        write_site(site, &[file("big.css", &vec![b' '; BUDGET + 1])]).unwrap();
        within_budget(site).unwrap();
        // Nor does what nobody waits for.
        write_site(site, &[file("pkg/later-0/big.png", &vec![0; BUDGET + 1])]).unwrap();
        within_budget(site).unwrap();
        write_site(site, &[file("big.png", &vec![0; BUDGET + 1])]).unwrap();
        let error = within_budget(site).unwrap_err();
        assert!(error.to_string().contains("budget"), "{error}");
    }
}
