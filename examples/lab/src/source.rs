//! What is copied: a file, or generated data.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::Failure;

const GENERATED: u64 = 8 << 20;

/// Bytes to copy, read once from the beginning to the end.
pub(crate) struct Source {
    /// What it is, for a person.
    pub(crate) name: String,
    /// How many bytes are expected, for the progress bar.
    pub(crate) length: u64,
    reader: Box<dyn Read>,
}

impl Source {
    /// Fills as much of `buffer` as there are bytes left, and says how much.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.reader.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Failure::Input(format!("--file {}: {error}", self.name))),
            }
        }
        Ok(filled)
    }
}

/// The file at `path`, or generated data.
pub(crate) fn open(path: Option<&Path>) -> Result<Source, Failure> {
    let Some(path) = path else {
        let reader = Box::new(
            Generated {
                state: 0x9E37_79B9_7F4A_7C15,
            }
            .take(GENERATED),
        );
        return Ok(Source {
            name: "generated data".into(),
            length: GENERATED,
            reader,
        });
    };
    let name = path.display().to_string();
    let refuse = |error: io::Error| Failure::Input(format!("--file {}: {error}", path.display()));
    let file = File::open(path).map_err(refuse)?;
    let metadata = file.metadata().map_err(refuse)?;
    if metadata.is_dir() {
        return Err(Failure::Input(format!("--file {name}: is a directory")));
    }
    Ok(Source {
        name,
        length: metadata.len(),
        reader: Box::new(file),
    })
}

/// Bytes in which no page equals another, the same in every run.
struct Generated {
    state: u64,
}

impl Read for Generated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for bytes in buffer.chunks_mut(8) {
            // xorshift64: every state comes once in 2^64 - 1 steps.
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            bytes.copy_from_slice(&self.state.to_le_bytes()[..bytes.len()]);
        }
        Ok(buffer.len())
    }
}
