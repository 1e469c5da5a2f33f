//! Files of the store: written while they are hashed, never whole in memory, zeros as holes.

use sha2::{Digest as _, Sha256};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
};

/// Zeros that are worth a hole, bytes, where they are aligned: a cluster of qcow2.
const GRAIN: usize = 64 << 10;

/// As much is read and written in one go.
const BLOCK: usize = 4 * GRAIN;

static ZEROS: [u8; GRAIN] = [0; GRAIN];

/// A file that is being written, from its beginning to its end.
#[derive(Debug)]
pub(super) struct Writing {
    file: File,
    hash: Sha256,
    /// What is not written yet; it begins at `written`.
    buffer: Vec<u8>,
    written: u64,
}

impl Writing {
    /// Goes on with a file at `offset`, or begins it at 0: what is behind that is cut off, and what is
    /// before it is read again to be hashed.
    pub fn open(path: &Path, offset: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        if file.metadata()?.len() < offset {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file is shorter than what was written of it",
            ));
        }
        file.set_len(offset)?;
        file.seek(SeekFrom::Start(0))?;
        let hash = hash(&mut file, &mut |_| Ok(()))?;
        Ok(Self {
            file,
            hash,
            buffer: Vec::with_capacity(BLOCK),
            written: offset,
        })
    }

    /// Where it is, in bytes.
    pub fn position(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Takes the next bytes.
    pub fn push(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        while !bytes.is_empty() {
            // To the end of a block of the file, so that its zeros are found however they come.
            let room = BLOCK - (self.position() % BLOCK as u64) as usize;
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if now.len() == room {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let (mut at, mut from) = (0, 0);
        while at < self.buffer.len() {
            let offset = self.written + at as u64;
            let to_boundary = GRAIN - (offset % GRAIN as u64) as usize;
            let end = self.buffer.len().min(at + to_boundary);
            if self.buffer[at..end] == ZEROS[..end - at] {
                self.write(from, at)?;
                from = end;
            }
            at = end;
        }
        self.write(from, at)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn write(&self, from: usize, to: usize) -> io::Result<()> {
        if from == to {
            return Ok(());
        }
        let at = self.written + from as u64;
        self.file.write_all_at(&self.buffer[from..to], at)
    }

    /// Brings all that was taken to the disk, for certain.
    pub fn synchronise(&mut self) -> io::Result<()> {
        self.flush()?;
        // What ends in a hole ends there.
        self.file.set_len(self.written)?;
        self.file.sync_data()
    }

    /// The same for the last time. Answers the file and its digest.
    pub fn finish(mut self) -> io::Result<(File, String)> {
        self.flush()?;
        self.file.set_len(self.written)?;
        self.file.sync_all()?;
        Ok((self.file, hexadecimal(self.hash)))
    }
}

/// The digest of all that `source` gives; `each` is told how many bytes came, and may end it.
pub(super) fn hash(
    source: &mut impl io::Read,
    each: &mut dyn FnMut(usize) -> io::Result<()>,
) -> io::Result<Sha256> {
    let mut hash = Sha256::new();
    let mut block = vec![0; BLOCK];
    loop {
        match source.read(&mut block) {
            Ok(0) => return Ok(hash),
            Ok(read) => {
                hash.update(&block[..read]);
                each(read)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Copies all of `source`, as it is now; `each` is told how many bytes came, and may end it.
pub(super) fn copy(
    source: &mut File,
    to: &mut Writing,
    each: &mut dyn FnMut(usize) -> io::Result<()>,
) -> io::Result<()> {
    let mut block = vec![0; BLOCK];
    loop {
        match source.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(read) => {
                to.push(&block[..read])?;
                each(read)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A digest as it is told.
pub(super) fn hexadecimal(hash: Sha256) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Whether an error says that there is no room: the disk is full, a quota is used up, or the process
/// may write no larger file.
pub(super) fn is_no_room(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    /// Of `printf abc | sha256sum`.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn what_is_written_is_what_came_and_zeros_are_holes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        // Zeros that begin and end anywhere, in pieces of any size.
        let mut all = vec![0; 3 << 20];
        all[10..20].fill(1);
        all[(1 << 20) + 7..(1 << 20) + 9].fill(2);
        let mut writing = Writing::open(&path, 0).unwrap();
        for piece in all.chunks(99_991) {
            writing.push(piece).unwrap();
        }
        assert_eq!(writing.position(), all.len() as u64);
        let (file, digest) = writing.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), all);
        assert_eq!(
            digest,
            hexadecimal(hash(&mut &all[..], &mut |_| Ok(())).unwrap())
        );
        let taken = file.metadata().unwrap().blocks() * 512;
        assert!(taken <= 4 * GRAIN as u64, "{taken} bytes are taken");
    }

    #[test]
    fn a_file_is_gone_on_with_where_it_was_left_and_what_is_behind_is_cut_off() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, b"abXXXXXX").unwrap();
        let mut writing = Writing::open(&path, 2).unwrap();
        writing.push(b"c").unwrap();
        let (_, digest) = writing.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"abc");
        assert_eq!(digest, ABC);
        let error = Writing::open(&path, 4).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
