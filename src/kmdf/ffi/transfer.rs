//! Copying memory that the machine shares, as a device does it.
//!
//! # Design
//!
//! Descriptors may have two channels write the same bytes at the same time, or a client write what a channel reads. A device does that
//! without harm to anybody but who asked for it. To the compiler two such accesses are a data race, whose outcome it may choose,
//! so they must not be accesses that it knows. On amd64 they are one string instruction: what it does to memory is defined by
//! the processor, byte by byte. `memmove` was rejected for the race, though shorter copies than a page are quicker with its vectors, and
//! atomic words because a compiler does not join them into longer ones.
//!
//! Processors that move bytes in blocks fall back to one by one where the destination begins a few bytes behind the source, as far as
//! the lowest twelve bits of the addresses tell. There words are moved, which is several times quicker.
//!
//! Elsewhere, and under Miri and sanitizers, which do not see into instructions, bytes are copied atomically: correct and slow.
//!
//! # Safety
//!
//! The one function copies between the ranges that its caller vouches for.
#![expect(unsafe_code, reason = "moves memory by a string instruction")]

/// Copies `length` bytes, from the first one on. If others write to the source or the destination meanwhile, each byte
/// is one of those written.
///
/// # Safety
///
/// Both ranges are mapped, and no reference to them is in use. They do not overlap, unless the destination begins first.
pub(super) unsafe fn transfer(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: as the caller promises.
    unsafe { imp::transfer(from, to, length) }
}

#[cfg(all(target_arch = "x86_64", not(any(miri, sanitizer))))]
mod imp {
    use core::arch::asm;
    use core::arch::x86_64::{__cpuid, __cpuid_count};
    use core::sync::atomic::{AtomicU8, Ordering};

    /// Whether moving bytes is as quick as moving words: processors from about 2012 on, which say so (`ERMS`).
    fn is_quick_with_bytes() -> bool {
        const UNKNOWN: u8 = 0;
        const NO: u8 = 1;
        const YES: u8 = 2;
        static ANSWER: AtomicU8 = AtomicU8::new(UNKNOWN);

        match ANSWER.load(Ordering::Relaxed) {
            UNKNOWN => {
                const FEATURES: u32 = 7;
                const ERMS: u32 = 1 << 9;
                let is_quick =
                    __cpuid(0).eax >= FEATURES && __cpuid_count(FEATURES, 0).ebx & ERMS != 0;
                ANSWER.store(if is_quick { YES } else { NO }, Ordering::Relaxed);
                is_quick
            }
            answer => answer == YES,
        }
    }

    /// Whether `to` is so little behind `from` that bytes are moved one by one, by what the processor compares of addresses.
    fn seems_close_behind(from: *const u8, to: *mut u8) -> bool {
        const COMPARED: usize = 4096;
        const CLOSE: usize = 16;
        (1..CLOSE).contains(&(to.addr().wrapping_sub(from.addr()) % COMPARED))
    }

    /// # Safety
    ///
    /// As [`transfer`](super::transfer).
    #[inline]
    pub(super) unsafe fn transfer(from: *const u8, to: *mut u8, length: usize) {
        if is_quick_with_bytes() && !seems_close_behind(from, to) {
            // SAFETY: the bytes lie in the ranges that the caller vouches for. The direction flag is clear, as the calling
            // convention has it.
            unsafe {
                asm!(
                    "rep movsb",
                    inout("rcx") length => _,
                    inout("rsi") from => _,
                    inout("rdi") to => _,
                    options(nostack, preserves_flags)
                );
            }
        } else {
            // SAFETY: as above, for words and the up to seven bytes behind them.
            unsafe {
                asm!(
                    "rep movsq",
                    "mov rcx, {rest}",
                    "rep movsb",
                    rest = in(reg) length % 8,
                    inout("rcx") length / 8 => _,
                    inout("rsi") from => _,
                    inout("rdi") to => _,
                    options(nostack, preserves_flags)
                );
            }
        }
    }
}

#[cfg(not(all(target_arch = "x86_64", not(any(miri, sanitizer)))))]
mod imp {
    use core::sync::atomic::{AtomicU8, Ordering};

    /// # Safety
    ///
    /// As [`transfer`](super::transfer).
    pub(super) unsafe fn transfer(from: *const u8, to: *mut u8, length: usize) {
        for offset in 0..length {
            let from = from.wrapping_add(offset).cast_mut();
            // SAFETY: the byte is in the range that the caller vouches for, whose bytes others access atomically if at all.
            let from = unsafe { AtomicU8::from_ptr(from) };
            // SAFETY: as above.
            let to = unsafe { AtomicU8::from_ptr(to.wrapping_add(offset)) };
            to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}
