//! What the command line says of itself: completions for shells, manual pages.

use super::CommandLine;
use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;
use std::{
    fs,
    io::{self, Write},
    path::Path,
};

/// Writes what a shell completes the command line by.
///
/// # Errors
/// It cannot be written.
pub fn completion(shell: Shell, out: &mut dyn Write) -> io::Result<()> {
    // Written at once: what generates it does not expect that nobody reads.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "vms", &mut text);
    out.write_all(&text)
}

/// Writes the manual: a page for each command into the directory `pages` or, without one, the main
/// page to `out`.
///
/// # Errors
/// It cannot be written.
pub fn manual(pages: Option<&Path>, out: &mut dyn Write) -> io::Result<()> {
    let command = CommandLine::command();
    match pages {
        Some(directory) => {
            fs::create_dir_all(directory)?;
            clap_mangen::generate_to(command, directory)
        }
        // As in the directory, where there is no page about help.
        None => Man::new(command.disable_help_subcommand(true)).render(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn shells_complete_every_command() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut out = Vec::new();
            completion(shell, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            for word in ["migrate", "console", "no-wait", "completion"] {
                assert!(text.contains(word), "{shell}: {word}");
            }
        }
    }

    #[test]
    fn every_command_has_a_page() {
        let directory = tempfile::tempdir().unwrap();
        let pages = directory.path().join("man1");
        manual(Some(&pages), &mut io::sink()).unwrap();
        let found: BTreeSet<_> = (fs::read_dir(&pages).unwrap())
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        for page in [
            "vms.1",
            "vms-router.1",
            "vms-router-create.1",
            "vms-link-list.1",
        ] {
            assert!(found.contains(page), "{page} is not in {found:?}");
        }
        let mut out = Vec::new();
        manual(None, &mut out).unwrap();
        let main = String::from_utf8(out).unwrap();
        assert!(main.contains("vms\\-router(1)"), "{main}");
        assert_eq!(main, fs::read_to_string(pages.join("vms.1")).unwrap());
    }
}
