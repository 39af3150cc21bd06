//! One thread of the test: fill, copy, verify, again and again.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use nmr_netdma::netdma::ControlFlags;
use simkernel::Kernel;
use simkernel::mm::Buffer;
use simkernel::ndis::{Channel, Descriptor, Transfer};

use super::pattern::{Pattern, Place, Random, Side};
use super::{Arguments, Mode};

/// Bytes on either side of each buffer that nobody may write.
const GUARD: usize = 256;
const PAGE: usize = 4096;
/// One copy of so many breaks at the end of a page, on each side.
const BREAKS: usize = 4;
/// The progress is told after so many copies.
const STEP: u64 = 64;
/// Wrong bytes of which it is tried to say where they belong.
const ORIGINS: usize = 2 * size_of::<u64>();
/// Wrong copies that are described; all are counted.
pub(super) const DESCRIBED: usize = 32;

/// A thread's own buffers, and what it found.
pub(super) struct Worker {
    pub(super) channel: u32,
    /// Within the channel.
    pub(super) thread: u32,
    number: u16,
    source: Buffer,
    destination: Buffer,
    pub(super) counts: Counts,
    /// The first failures.
    pub(super) described: Vec<String>,
}

/// What one thread did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Copies that were begun.
    pub(super) iterations: u64,
    pub(super) bytes: u64,
    /// Copies that asked for no interrupt.
    pub(super) polled: u64,
    /// Copies with a page break on either side.
    pub(super) page_breaks: u64,
    /// Copies that the channel did not take.
    pub(super) refused: u64,
    /// Copies that were not done in time. The thread ends with the first, since its buffers are still in use.
    pub(super) timed_out: u64,
    /// Copies that were lost because the channel halted.
    pub(super) lost: u64,
    /// Copies after which a byte was wrong.
    pub(super) wrong: u64,
    /// Copies that were spoilt on purpose.
    pub(super) injected: u64,
    /// Of those, the ones that were not found.
    pub(super) undetected: u64,
}

impl Counts {
    pub(super) fn failures(&self) -> u64 {
        self.refused + self.timed_out + self.lost + self.wrong
    }
}

/// One copy: offsets into the buffers, guards included.
#[derive(Clone, Copy, Debug)]
struct Copy {
    source: usize,
    destination: usize,
    length: usize,
    source_break: Option<Break>,
    destination_break: Option<Break>,
    polled: bool,
}

/// One side of a copy goes on elsewhere.
#[derive(Clone, Copy, Debug)]
struct Break {
    /// After so many bytes.
    after: usize,
    /// At this offset.
    next: usize,
}

/// Bytes that follow each other on both sides.
#[derive(Clone, Copy)]
struct Piece {
    source: usize,
    destination: usize,
    length: usize,
}

impl Copy {
    fn random(random: &mut Random, arguments: &Arguments, breaks: bool) -> Self {
        let buffer = arguments.buffer as usize;
        let unit = arguments.alignment as usize;
        let aligned = |value: usize| value - value % unit;
        let length = match arguments.length {
            Some(length) => length as usize,
            None => aligned(random.below(buffer) + 1).max(unit),
        };
        let mut offset = || GUARD + aligned(random.below(buffer - length + 1));
        let (source, destination) = (offset(), offset());
        let mut side = |offset: usize| {
            let wanted = random.below(BREAKS) == 0;
            let choice = random.below(usize::MAX);
            (breaks && wanted)
                .then(|| Break::new(offset, length, buffer, choice))
                .flatten()
        };
        let (source_break, destination_break) = (side(source), side(destination));
        let polled = match arguments.mode {
            Mode::Polled => true,
            Mode::Interrupt => false,
            Mode::Mixed => random.below(2) == 0,
        };
        Self {
            source,
            destination,
            length,
            source_break,
            destination_break,
            polled,
        }
    }

    /// The copy as the engine is to do it.
    fn pieces(&self) -> impl Iterator<Item = Piece> {
        let at = |start: usize, breaks: Option<Break>, done: usize| match breaks {
            Some(Break { after, next }) if done >= after => next + done - after,
            _ => start + done,
        };
        let mut cuts = [
            self.source_break.map_or(0, |found| found.after),
            self.destination_break.map_or(0, |found| found.after),
            self.length,
        ];
        cuts.sort_unstable();
        let copy = *self;
        let mut done = 0;
        cuts.into_iter().filter_map(move |cut| {
            let piece = Piece {
                source: at(copy.source, copy.source_break, done),
                destination: at(copy.destination, copy.destination_break, done),
                length: cut - done,
            };
            done = cut;
            (piece.length > 0).then_some(piece)
        })
    }
}

impl Break {
    /// A break at the end of the page of `offset`, if the copy goes on there and no farther than one page. Buffers begin
    /// at the beginning of a page.
    fn new(offset: usize, length: usize, buffer: usize, choice: usize) -> Option<Self> {
        let after = PAGE - offset % PAGE;
        let rest = length
            .checked_sub(after)
            .filter(|rest| (1..=PAGE).contains(rest))?;
        // Any page that does not touch the first part, which ends at the end of its own.
        let pages = (PAGE..GUARD + buffer).step_by(PAGE);
        let mut possible =
            pages.filter(|page| page + rest <= GUARD + buffer && *page != offset - offset % PAGE);
        let count = possible.clone().count();
        let next = possible.nth(choice.checked_rem(count)?)?;
        Some(Self { after, next })
    }
}

impl Worker {
    pub(super) fn new(
        kernel: &Kernel,
        arguments: &Arguments,
        channel: u32,
        thread: u32,
        number: u16,
    ) -> Self {
        let bytes = (arguments.buffer as usize + 2 * GUARD).next_multiple_of(size_of::<u64>());
        Self {
            channel,
            thread,
            number,
            source: kernel.allocate(bytes),
            destination: kernel.allocate(bytes),
            counts: Counts::default(),
            described: Vec::new(),
        }
    }

    /// Does `iterations` copies.
    pub(super) fn run(
        &mut self,
        channel: &Channel,
        arguments: &Arguments,
        breaks: bool,
        iterations: u64,
        progress: &ProgressBar,
    ) {
        let pattern = Pattern::new(arguments.seed);
        let mut random = Random::new(arguments.seed, u64::from(self.number));
        // What no engine can reach: as the buffers are filled, and what the destination is to hold in the end.
        let mut source = vec![0; self.source.length()];
        let mut before = source.clone();
        let mut after = source.clone();
        let timeout = Duration::from_millis(arguments.timeout);
        for iteration in 0..iterations {
            let copy = Copy::random(&mut random, arguments, breaks);
            let place = Place {
                side: Side::Source,
                thread: self.number,
                iteration: iteration as u32,
                index: 0,
            };
            pattern.fill(&mut source, place);
            pattern.fill(
                &mut before,
                Place {
                    side: Side::Destination,
                    ..place
                },
            );
            after.copy_from_slice(&before);
            for piece in copy.pieces() {
                let from = piece.source..piece.source + piece.length;
                after[piece.destination..][..piece.length].copy_from_slice(&source[from]);
            }
            self.source.as_mut_slice().copy_from_slice(&source);
            self.destination.as_mut_slice().copy_from_slice(&before);

            self.counts.iterations += 1;
            self.counts.polled += u64::from(copy.polled);
            self.counts.page_breaks +=
                u64::from(copy.source_break.or(copy.destination_break).is_some());
            if (iteration + 1).is_multiple_of(STEP) {
                progress.inc(STEP);
            }
            let ticket = match channel.submit_descriptors(&[self.descriptor(&copy)]) {
                Ok(ticket) => ticket,
                Err(status) => {
                    self.counts.refused += 1;
                    let what = format!("refused with NTSTATUS {status:#010X}");
                    self.describe(iteration, &copy, &what);
                    continue;
                }
            };
            let asked = Instant::now();
            if !channel.wait(ticket, timeout) {
                if asked.elapsed() < timeout {
                    self.counts.lost += 1;
                    self.describe(iteration, &copy, "lost in a halt of the channel");
                    continue;
                }
                self.counts.timed_out += 1;
                self.describe(
                    iteration,
                    &copy,
                    &format!("not done within {} ms", arguments.timeout),
                );
                return;
            }
            self.counts.bytes += copy.length as u64;
            let spoilt = arguments
                .corrupt
                .is_some_and(|every| (iteration + 1).is_multiple_of(every));
            if spoilt {
                self.spoil(&copy, &mut random);
            }
            let wrong = self.verify(iteration, &copy, pattern, [&source, &before, &after]);
            self.counts.wrong += u64::from(wrong);
            self.counts.injected += u64::from(spoilt);
            self.counts.undetected += u64::from(spoilt && !wrong);
        }
        progress.inc(iterations % STEP);
    }

    fn descriptor(&self, copy: &Copy) -> Descriptor {
        let mut flags = ControlFlags::STATUS;
        flags.set(ControlFlags::INTERRUPT, !copy.polled);
        flags.set(ControlFlags::SOURCE_PAGE_BREAK, copy.source_break.is_some());
        flags.set(
            ControlFlags::DESTINATION_PAGE_BREAK,
            copy.destination_break.is_some(),
        );
        let next = |buffer: &Buffer, breaks: Option<Break>| {
            breaks.map_or(0, |found| buffer.physical() + found.next as u64)
        };
        Descriptor {
            transfer: Transfer {
                source: self.source.physical() + copy.source as u64,
                destination: self.destination.physical() + copy.destination as u64,
                length: copy.length as u32,
                flags: flags.bits(),
            },
            next_source: next(&self.source, copy.source_break),
            next_destination: next(&self.destination, copy.destination_break),
        }
    }

    /// Does what a bad engine would: a byte inside, a byte outside, a byte of the source, two pieces of the copy in
    /// each other's place.
    fn spoil(&mut self, copy: &Copy, random: &mut Random) {
        let flip = |buffer: &mut Buffer, offset: usize, random: &mut Random| {
            buffer.as_mut_slice()[offset] ^= 1 << random.below(8);
        };
        let Some(longest) = copy.pieces().max_by_key(|piece| piece.length) else {
            return;
        };
        // A multiple of 32, as pages are: numbers that repeat do not see it.
        let part = (longest.length / 2).min(PAGE);
        let part = part - part % 32;
        match self.counts.injected % 4 {
            0 => {
                let offset = longest.destination + random.below(longest.length);
                flip(&mut self.destination, offset, random);
            }
            1 => {
                let offset = random.below(GUARD);
                flip(&mut self.destination, offset, random);
            }
            2 => {
                let offset = random.below(self.source.length());
                flip(&mut self.source, offset, random);
            }
            _ if part > 0 => {
                let copied = &mut self.destination.as_mut_slice()[longest.destination..];
                let (first, second) = copied[..2 * part].split_at_mut(part);
                first.swap_with_slice(second);
            }
            _ => flip(&mut self.destination, longest.destination, random),
        }
    }

    /// Whether a byte of either buffer is not as it should be.
    fn verify(
        &mut self,
        iteration: u64,
        copy: &Copy,
        pattern: Pattern,
        [source, before, after]: [&[u8]; 3],
    ) -> bool {
        let found = [self.source.as_slice(), self.destination.as_slice()];
        if found == [source, after] {
            return false;
        }
        let copied = |offset: usize| {
            copy.pieces().any(|piece| {
                (piece.destination..piece.destination + piece.length).contains(&offset)
            })
        };
        let mut what = String::new();
        for (name, found, expected) in [
            ("source", found[0], source),
            ("destination", found[1], after),
        ] {
            let wrong = || (0..found.len()).filter(|&offset| found[offset] != expected[offset]);
            let Some(first) = wrong().next() else {
                continue;
            };
            let (byte, right) = (found[first], expected[first]);
            let kind = match name {
                "source" => "the source was written",
                _ if copied(first) && byte == before[first] => "it was not copied",
                _ if copied(first) => "it was copied wrong",
                _ => "it is outside of the copy",
            };
            // Writing to a string does not fail.
            let _ = write!(
                what,
                "{}{} bytes of the {name} are wrong, the first at {first:#x}: {byte:#04x} instead of {right:#04x}, {kind}",
                if what.is_empty() { "" } else { "; " },
                wrong().count(),
            );
            // The first one may be in a word of which a part only is there.
            let origin = wrong().take(ORIGINS).find_map(|offset| {
                let origin = pattern.origin(found, offset, self.number, iteration as u32)?;
                Some((offset, origin))
            });
            if let Some((offset, origin)) = origin {
                let _ = write!(what, "; what is at {offset:#x} belongs to {origin}");
            }
        }
        self.describe(iteration, copy, &what);
        true
    }

    fn describe(&mut self, iteration: u64, copy: &Copy, what: &str) {
        if self.described.len() < DESCRIBED {
            self.described.push(format!(
                "channel {} thread {} iteration {iteration}: source {:#x}, destination {:#x}, length {:#x}: {what}",
                self.channel, self.thread, copy.source, copy.destination, copy.length
            ));
        }
    }
}
