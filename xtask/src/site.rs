//! From the front end's source to the files that the server embeds.
//!
//! ```text
//! frontend ──cargo──> frontend.wasm ──wasm-bindgen──> target/site/pkg/vms.js, vms_bg.wasm
//! style/main.css ───────────────────────────────────> target/site/pkg/vms.css
//! public/* ─────────────────────────────────────────> target/site/*
//! ```
//!
//! Beside each file that compresses well lies its brotli form, `<name>.br`. A file is written
//! only when its content differs, so that an unchanged page does not rebuild the server.
//! The name `vms_bg.wasm` is what Leptos' hydration script asks for.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use end2end::client::root;

use crate::cargo::{WASM, WASM_TARGET, cargo, target};

/// What a browser may have to load for the page, compressed, in bytes.
const BUDGET: usize = 500_000;
const PROFILE: &str = "wasm-release";
const NAME: &str = "vms";

/// Compiles the front end. There is one profile, the small one: what is tested and shown is
/// what is shipped, and an unoptimised bundle is over ten times the size.
///
/// # Errors
/// It does not compile.
pub fn compile() -> Result<()> {
    cargo(&[&["build"], &WASM, &["--profile", PROFILE]])
}

/// Lays out `target/site`.
///
/// # Errors
/// Files cannot be read or written, or wasm-bindgen refuses the wasm.
pub fn lay_out() -> Result<()> {
    let site = root().join("target/site");
    let wasm = target()
        .join(WASM_TARGET)
        .join(PROFILE)
        .join("frontend.wasm");
    let mut files = vec![(PathBuf::from("pkg/vms.css"), root().join("style/main.css"))];
    let public = root().join("public");
    if public.exists() {
        for entry in fs::read_dir(public)? {
            let entry = entry?;
            files.push((entry.file_name().into(), entry.path()));
        }
    }
    files.sort();

    // What the site was made from: when that is the same, so is the site.
    let mut stamp = format!("{}\n", maker());
    for path in files.iter().map(|(_, source)| source).chain([&wasm]) {
        stamp.push_str(&identity(path)?);
    }
    let stamp_file = root().join("target/site.stamp");
    if site.join("pkg").join(format!("{NAME}.js")).exists()
        && fs::read_to_string(&stamp_file).is_ok_and(|done| done == stamp)
    {
        return Ok(());
    }

    let mut contents = bind(&wasm)?;
    for (name, source) in files {
        contents.push((name, fs::read(source)?));
    }
    write_site(&site, &contents)?;
    fs::write(stamp_file, stamp)?;
    Ok(())
}

/// The JavaScript and wasm that a browser loads, made by wasm-bindgen.
fn bind(wasm: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let directory = end2end::Scratch::new()?;
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(wasm)
        .web(true)?
        .typescript(false)
        .out_name(NAME)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(directory.path())
        .context("wasm-bindgen failed")?;
    let mut found = Vec::new();
    collect(directory.path(), Path::new("pkg"), &mut found)?;
    found.sort();
    Ok(found)
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

/// Checks what a browser has to load against the budget, and tells both.
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
    let mut total = 0;
    for (name, size) in &sizes {
        if name.extension().is_some_and(|extension| extension == "br") {
            continue;
        }
        let compressed = sizes.get(brotli_name(name).as_path()).unwrap_or(size);
        eprintln!(
            "   {:<24}{size:>9} B{compressed:>9} B compressed",
            name.display()
        );
        total += compressed;
    }
    eprintln!("   {total} B compressed in all, of {BUDGET} B allowed");
    ensure!(
        total <= BUDGET,
        "the page is {total} B compressed, and its budget is {BUDGET} B"
    );
    Ok(())
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
            fs::remove_file(site.join(name))?;
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
            ["css", "html", "js", "json", "svg", "txt", "wasm"].contains(&extension)
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
    fn a_page_over_its_budget_is_refused() {
        let scratch = end2end::Scratch::new().unwrap();
        let site = scratch.path();
        // What compresses to nothing is within it, what does not is not.
        write_site(site, &[file("big.css", &vec![b' '; BUDGET + 1])]).unwrap();
        within_budget(site).unwrap();
        write_site(site, &[file("big.png", &vec![0; BUDGET + 1])]).unwrap();
        let error = within_budget(site).unwrap_err();
        assert!(error.to_string().contains("budget"), "{error}");
    }
}
