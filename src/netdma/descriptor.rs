//! [`Chain`], [`Cursor`], [`Transfer`]: what NetDMA asks a channel to do, read from memory that may be hostile.
//!
//! NetDMA hands over the virtual address of the first descriptor only; all others, and all data, are named by physical
//! address. A [`Chain`] is what one call hands over, with its first descriptor already read and checked. An engine keeps a
//! [`Cursor`], feeds it with chains and takes [`Transfer`]s from it, on its own time and at its own place. To take one it needs a
//! [`Lease`], the proof that the channel still has what NetDMA handed over.
//!
//! # Design
//!
//! * **Nothing is trusted and nothing is read twice.** A descriptor is six words, each read once, and everything is
//!   decided on the copy.
//! * **How to reach memory is the caller's,** by [`PhysicalMemory`].
//! * **Addresses are vouched for by whoever wrote the descriptors,** NetDMA, until it takes the channel back. So transfers name memory by
//!   [`PhysicalRange`], which safe code cannot make, with the lifetime of the lease; a list whose lease has ended is
//!   as good as empty; and to parse a descriptor from elsewhere is `unsafe`.
//! * **The walk is part of the engine's loop,** inlined by force, and pieces are made when they are asked for: a transfer that is
//!   handed through memory several times costs more than all checks together.
//! * **Refused before it begins.** A transfer that comes out of here is one the engine can do; a descriptor that is not
//!   is a [`Refusal`], and the channel halts there.
//!
//! Two rules that the documentation leaves open are decided here: more than one page after a page break is
//! refused, and so is a page break for a provider before 2.0, which owns those two words of the descriptor.

use core::fmt;
use core::iter;
use core::marker::PhantomData;

use bitflags::bitflags;

use super::interface::Version;
use super::lease::{Lease, Term};
use crate::physical_memory::{PhysicalMemory, PhysicalRange};
use crate::status::{Error, Result};
use crate::sys;

/// The alignment of a descriptor, in bytes: the low six bits of its address are the status bits of the completion
/// word.
pub const ALIGNMENT: u64 = 64;

/// How many words of a descriptor belong to the provider. The two after them belong to NetDMA.
pub const WORDS: usize = 6;

/// The most descriptors that one call may bring where the chain's end and not a count limits it.
pub const MAXIMUM_UNCOUNTED: u32 = 0x1_0000;

/// The offset of the link to the next descriptor, in bytes.
const NEXT: u64 = core::mem::offset_of!(sys::NET_DMA_DESCRIPTOR, NextDescriptor) as u64;

const PAGE: u64 = 4096;

bitflags! {
    /// How a descriptor is to be processed.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct ControlFlags: u32 {
        /// Interrupt when done.
        const INTERRUPT = sys::NET_DMA_INTERRUPT_ON_COMPLETION;
        /// A hint: the source is in no cache.
        const SOURCE_NO_SNOOP = sys::NET_DMA_SOURCE_NO_SNOOP;
        /// A hint: the destination is in no cache.
        const DESTINATION_NO_SNOOP = sys::NET_DMA_DESTINATION_NO_SNOOP;
        /// Write the completion word when done.
        const STATUS = sys::NET_DMA_STATUS_UPDATE_ON_COMPLETION;
        /// A fence: everything this descriptor writes is written before the next one reads.
        const SERIALIZE = sys::NET_DMA_SERIALIZE_TRANSFER;
        /// Copy nothing.
        const NULL = sys::NET_DMA_NULL_TRANSFER;
        /// The source continues on a second page. From 2.0 on.
        const SOURCE_PAGE_BREAK = sys::NET_DMA_SOURCE_PAGE_BREAK;
        /// The destination continues on a second page. From 2.0 on.
        const DESTINATION_PAGE_BREAK = sys::NET_DMA_DESTINATION_PAGE_BREAK;
        /// A hint: the data will be read by the processor of the current context. From 2.0 on.
        const DESTINATION_DCA = sys::NET_DMA_DESTINATION_DCA_ENABLE;
    }
}

impl ControlFlags {
    const SINCE_2_0: Self = Self::SOURCE_PAGE_BREAK
        .union(Self::DESTINATION_PAGE_BREAK)
        .union(Self::DESTINATION_DCA);
}

/// The bits of the control word that name the operation.
const OPERATION: u32 = 0xFF00_0000;

/// Why a chain or a descriptor is not processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// A start without descriptors.
    Empty,
    /// A descriptor's address is 0 or not a multiple of 64.
    Unaligned,
    /// A control bit that has to be zero is not.
    ReservedBits,
    /// An operation that does not exist.
    Operation,
    /// More bytes than the provider advertised.
    TooLong,
    /// The page after a page break is missing or not aligned, or one page is not enough.
    PageBreak,
    /// Data beyond the highest address that the provider advertised, or around the end of the address space.
    AddressRange,
    /// A counted chain ended before its count.
    EndedEarly,
    /// A chain that only its end limits has none.
    Endless,
    /// More descriptors than can be counted.
    TooMany,
    /// An appended chain that is not where the last descriptor said it would be.
    NotLinked,
    /// Nothing was started.
    NotStarted,
    /// The descriptor cannot be reached.
    Unreachable(Error),
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "a start without descriptors",
            Self::Unaligned => "a descriptor's address is 0 or not a multiple of 64",
            Self::ReservedBits => "a reserved control bit is set",
            Self::Operation => "an unknown operation",
            Self::TooLong => "longer than the maximum transfer size",
            Self::PageBreak => "a page break without a proper second page",
            Self::AddressRange => "data outside the engine's address space",
            Self::EndedEarly => "a counted chain ended before its count",
            Self::Endless => "a chain without end",
            Self::TooMany => "more descriptors than can be counted",
            Self::NotLinked => "an appended chain that is not linked",
            Self::NotStarted => "nothing was started",
            Self::Unreachable(_) => "a descriptor that cannot be reached",
        })
    }
}

impl core::error::Error for Refusal {}

impl From<Refusal> for Error {
    /// The one failure that the start and append callbacks of NetDMA document for a bad chain.
    fn from(_: Refusal) -> Self {
        Error::UNSUCCESSFUL
    }
}

/// What descriptors are checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The version that the provider registered with.
    pub version: Version,
    /// The most bytes of one descriptor, as advertised.
    pub maximum_transfer_size: u32,
    /// The highest physical address of data, as advertised.
    pub maximum_address: u64,
}

/// One copy without a gap: bytes that follow each other on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Piece<'a> {
    /// What to read. Never empty.
    pub source: PhysicalRange<'a>,
    /// Where to write it, of the same length.
    pub destination: PhysicalRange<'a>,
}

/// The pieces of one copy, at most three: each side may break once, at different offsets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pieces<'a> {
    source: Side,
    destination: Side,
    length: u32,
    _vouched: PhantomData<PhysicalRange<'a>>,
}

impl<'a> Pieces<'a> {
    /// The pieces, in the order to copy them.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Piece<'a>> + use<'a> {
        let Self {
            source,
            destination,
            length,
            ..
        } = *self;
        let mut offset = 0;
        iter::from_fn(move || {
            if offset == length {
                return None;
            }
            let end = source
                .end(offset, length)
                .min(destination.end(offset, length));
            let piece = Piece {
                source: source.part(offset, end)?,
                destination: destination.part(offset, end)?,
            };
            offset = end;
            Some(piece)
        })
    }
}

/// What a descriptor asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work<'a> {
    /// Copy the pieces in order; none if the length is 0.
    Copy(Pieces<'a>),
    /// Nothing but the completion.
    Null,
    /// Data that [`ControlFlags::DESTINATION_DCA`] speaks of is for the processor with this APIC identifier, until the
    /// next such descriptor.
    ContextChange(u8),
}

/// One descriptor, read and found to be in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer<'a> {
    /// The physical address of the descriptor.
    pub descriptor: u64,
    /// How to process it.
    pub flags: ControlFlags,
    /// What to do.
    pub work: Work<'a>,
    /// Where the next descriptor is or will be; 0 if there is none.
    pub next: u64,
}

impl Transfer<'_> {
    /// As [`parse`](Self::parse), for words whose addresses have been vouched for.
    #[inline(always)]
    pub(super) fn read(
        descriptor: u64,
        words: &[u64; WORDS],
        rules: &Rules,
    ) -> Result<Self, Refusal> {
        let [
            head,
            source,
            destination,
            next,
            next_source,
            next_destination,
        ] = *words;
        let length = head as u32;
        let control = (head >> 32) as u32;

        // To NetDMA, 0 is the address of none.
        if descriptor == 0 || !descriptor.is_multiple_of(ALIGNMENT) {
            return Err(Refusal::Unaligned);
        }
        let mut flags =
            ControlFlags::from_bits(control & !OPERATION).ok_or(Refusal::ReservedBits)?;
        if rules.version < Version::V2_0 && flags.intersects(ControlFlags::SINCE_2_0) {
            return Err(Refusal::ReservedBits);
        }
        let work = match control & OPERATION {
            sys::NET_DMA_OP_TYPE_STANDARD_DMA if flags.contains(ControlFlags::NULL) => Work::Null,
            sys::NET_DMA_OP_TYPE_STANDARD_DMA => {
                if length > rules.maximum_transfer_size {
                    return Err(Refusal::TooLong);
                }
                let breaks = flags.contains(ControlFlags::SOURCE_PAGE_BREAK);
                let source = Side::new(source, length, breaks, next_source, rules)?;
                let breaks = flags.contains(ControlFlags::DESTINATION_PAGE_BREAK);
                let destination = Side::new(destination, length, breaks, next_destination, rules)?;
                Work::Copy(Pieces {
                    source,
                    destination,
                    length,
                    _vouched: PhantomData,
                })
            }
            sys::NET_DMA_OP_TYPE_CONTEXT_CHANGE
                if rules.version >= Version::V2_0
                    && flags.bits() & sys::NET_DMA_DCA_CONTEXT_CHANGE != 0 =>
            {
                // In this operation bit 0 says what changes and asks for no interrupt.
                flags.remove(ControlFlags::from_bits_retain(
                    sys::NET_DMA_DCA_CONTEXT_CHANGE,
                ));
                Work::ContextChange(length as u8)
            }
            _ => return Err(Refusal::Operation),
        };
        Ok(Self {
            descriptor,
            flags,
            work,
            next,
        })
    }
}

/// One side of a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Side {
    address: u64,
    /// Where the bytes lie that do not lie at `address`; 0 if there are none.
    next: u64,
    /// How many bytes lie at `address`.
    first: u32,
}

impl Side {
    #[inline(always)]
    fn new(
        address: u64,
        length: u32,
        breaks: bool,
        next: u64,
        rules: &Rules,
    ) -> Result<Self, Refusal> {
        let first = if breaks {
            // CAST: at most a page.
            length.min((PAGE - address % PAGE) as u32)
        } else {
            length
        };
        within(address, first, rules)?;
        let rest = length - first;
        if rest == 0 {
            return Ok(Self {
                address,
                next: 0,
                first,
            });
        }
        if next == 0 || !next.is_multiple_of(PAGE) || u64::from(rest) > PAGE {
            return Err(Refusal::PageBreak);
        }
        within(next, rest, rules)?;
        Ok(Self {
            address,
            next,
            first,
        })
    }

    /// Where the bytes end that follow each other from `offset` on, of `length` in all.
    #[inline]
    fn end(self, offset: u32, length: u32) -> u32 {
        if offset < self.first {
            self.first
        } else {
            length
        }
    }

    /// The bytes from `offset` to `end`, which lie on one side of the break. They have been checked not to wrap around.
    #[inline]
    fn part<'a>(self, offset: u32, end: u32) -> Option<PhysicalRange<'a>> {
        let address = if offset < self.first {
            self.address + u64::from(offset)
        } else {
            self.next + u64::from(offset - self.first)
        };
        PhysicalRange::vouched(address, end - offset)
    }
}

#[inline]
fn within(address: u64, length: u32, rules: &Rules) -> Result<(), Refusal> {
    let end = address.checked_add(u64::from(length));
    // An address of no bytes may be any.
    if length == 0 || end.is_some_and(|end| end - 1 <= rules.maximum_address) {
        Ok(())
    } else {
        Err(Refusal::AddressRange)
    }
}

/// What one call of [`Channel::start`](super::Channel::start) or [`Channel::append`](super::Channel::append) hands over.
///
/// Its first descriptor has been read and is in order.
#[derive(Debug)]
pub struct Chain {
    rules: Rules,
    /// Shown with the lifetime of a borrow or a lease only.
    first: Transfer<'static>,
    count: u32,
    term: Term,
}

impl Chain {
    /// As [`new`](Self::new), for descriptors whose addresses have been vouched for.
    #[inline]
    pub(super) fn begin(
        descriptor: u64,
        words: &[u64; WORDS],
        count: u32,
        rules: Rules,
        term: Term,
    ) -> Result<Self, Refusal> {
        if count == 0 {
            return Err(Refusal::Empty);
        }
        Ok(Self {
            rules,
            first: Transfer::read(descriptor, words, &rules)?,
            count,
            term,
        })
    }

    /// The same chain, handed over for `term`.
    pub(super) fn of_term(self, term: Term) -> Self {
        Self { term, ..self }
    }

    /// The first descriptor.
    pub fn first(&self) -> Transfer<'_> {
        self.first
    }

    /// How many descriptors NetDMA counts. Before 2.0 the chain's end rules and this only informs.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// What its descriptors are checked against.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }
}

/// Where a channel is in its list of descriptors.
///
/// Owned by the engine, which guards it with a lock of its own: [`start`](Self::start) and [`append`](Self::append) in NetDMA's
/// calls, [`next`](Self::next) where the work is done.
///
/// From 2.0 on the list never ends and a count says how far to go. Before, the list ends with a null link, and an append has
/// already written into the last descriptor; a cursor that stands there reads the link again.
///
/// It may outlive what it was fed with: with the lease of another allocation, or of a later start, it gives nothing.
#[derive(Debug, Default)]
pub struct Cursor {
    list: Option<List>,
}

#[derive(Debug)]
struct List {
    rules: Rules,
    term: Term,
    /// The next descriptor, if its words have been read already. Given away with the lifetime of a lease only.
    ready: Option<Transfer<'static>>,
    /// The last descriptor taken; 0 if none has been.
    last: u64,
    /// Where the next descriptor is; 0 at the end of a list that is not counted.
    next: u64,
    /// How many descriptors may still be taken.
    remaining: u32,
    /// Whether the link of the last descriptor may have been changed since it was read.
    stale: bool,
}

impl Cursor {
    /// A cursor on no list.
    pub const fn new() -> Self {
        Self { list: None }
    }

    /// Begins a list. The rest of an old one is dropped.
    #[inline]
    pub fn start(&mut self, chain: &Chain) {
        self.list = Some(List {
            rules: chain.rules,
            term: chain.term,
            ready: Some(chain.first),
            last: 0,
            next: chain.first.descriptor,
            remaining: if chain.rules.version.counts_chains() {
                chain.count
            } else {
                MAXIMUM_UNCOUNTED
            },
            stale: false,
        });
    }

    /// Continues the list.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotStarted`], [`Refusal::TooMany`], or [`Refusal::NotLinked`] if all that came before is taken and the list does not
    /// continue with `chain`. The cursor is as it was then.
    #[inline]
    pub fn append(&mut self, chain: &Chain) -> Result<(), Refusal> {
        let list = self
            .list
            .as_mut()
            .filter(|list| list.term == chain.term)
            .ok_or(Refusal::NotStarted)?;
        if !list.rules.version.counts_chains() {
            list.remaining = MAXIMUM_UNCOUNTED;
            return Ok(());
        }
        if list.remaining == 0 {
            if list.next != chain.first.descriptor && !list.stale {
                return Err(Refusal::NotLinked);
            }
            list.next = chain.first.descriptor;
            // If the link is to be read again, it says what comes first.
            list.ready = Some(chain.first);
        }
        list.remaining = list
            .remaining
            .checked_add(chain.count)
            .ok_or(Refusal::TooMany)?;
        Ok(())
    }

    /// Takes the next transfer; `None` if nothing is left to do at the moment, or `lease` is not for this list.
    ///
    /// # Errors
    ///
    /// What is wrong with the next descriptor. The list is given up: the channel is to halt, and only a new start goes on.
    #[inline(always)]
    pub fn next<'a>(
        &mut self,
        lease: Lease<'a>,
        memory: &mut impl PhysicalMemory,
    ) -> Result<Option<Transfer<'a>>, Refusal> {
        let Some(list) = self.list.as_mut().filter(|list| lease.covers(list.term)) else {
            return Ok(None);
        };
        let result = list.next(memory);
        if result.is_err() {
            self.list = None;
        }
        result
    }

    /// Whether a counted list has descriptors left. A list that is not counted may always have been continued.
    #[inline]
    pub fn has_more(&self) -> bool {
        self.list
            .as_ref()
            .is_some_and(|list| match list.rules.version.counts_chains() {
                true => list.remaining > 0,
                false => list.next != 0,
            })
    }

    /// Has the next [`next`](Self::next) read the link of the last descriptor taken again, because NetDMA may change it while
    /// the channel is suspended. No effect before the first descriptor.
    pub fn reread_link(&mut self) {
        if let Some(list) = self.list.as_mut().filter(|list| list.last != 0) {
            list.stale = true;
        }
    }

    /// Gives the list up.
    pub fn clear(&mut self) {
        self.list = None;
    }
}

impl List {
    /// To be called with a lease that covers the list, and the answer to be used no longer.
    #[inline(always)]
    fn next<'a>(
        &mut self,
        memory: &mut impl PhysicalMemory,
    ) -> Result<Option<Transfer<'a>>, Refusal> {
        let counted = self.rules.version.counts_chains();
        if counted && self.remaining == 0 {
            return Ok(None);
        }
        if self.stale {
            let mut link = [0];
            read(memory, self.last + NEXT, &mut link)?;
            [self.next] = link;
            self.ready = None;
            self.stale = false;
        }
        let transfer = match self.ready.take() {
            Some(transfer) => transfer,
            None => {
                if self.next == 0 {
                    if counted {
                        return Err(Refusal::EndedEarly);
                    }
                    let mut link = [0];
                    read(memory, self.last + NEXT, &mut link)?;
                    [self.next] = link;
                    if self.next == 0 {
                        return Ok(None);
                    }
                }
                if self.remaining == 0 {
                    return Err(Refusal::Endless);
                }
                if !self.next.is_multiple_of(ALIGNMENT) {
                    return Err(Refusal::Unaligned);
                }
                let mut words = [0; WORDS];
                read(memory, self.next, &mut words)?;
                Transfer::read(self.next, &words, &self.rules)?
            }
        };
        self.last = transfer.descriptor;
        self.next = transfer.next;
        self.remaining -= 1;
        Ok(Some(transfer))
    }
}

/// Reads words of a descriptor, whose address NetDMA has vouched for.
#[inline]
fn read(memory: &mut impl PhysicalMemory, address: u64, words: &mut [u64]) -> Result<(), Refusal> {
    // CAST: at most the words of a descriptor.
    let length = size_of_val(words) as u32;
    let range = PhysicalRange::vouched(address, length).ok_or(Refusal::AddressRange)?;
    memory.read(range, words).map_err(Refusal::Unreachable)
}
