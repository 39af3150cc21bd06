//! Pool memory that C may hold: the only place where an owner becomes a context pointer, and back.
//!
//! A callback interface takes a `void *` at registration and hands it back in every callback. Here the pointer is made by
//! [`PoolBox::into_raw`] and ends in exactly one [`PoolBox::from_raw`]; in between callbacks use [`borrow`].
//!
//! # Design
//!
//! * **The nonpaged pool, not the global allocator.** A callback at `DISPATCH_LEVEL` must not meet a page fault, and a
//!   driver chooses its global allocator itself. `Box` is not used in this crate: a refused allocation would stop the
//!   machine, here it gives the value back.
//! * **Alignment.** The pool aligns to 16 bytes, and to a page what is at least a page long; so a stricter alignment gets a
//!   whole page, and one beyond a page is refused.
//! * **[`Shared`] is its own reference count** and not `Arc`, for the same two reasons.
//!
//! # Safety
//!
//! The unsafe code of this file allocates, writes what it allocated and turns pointers back into owners; the contracts of
//! its functions carry the obligation to callers.
#![expect(unsafe_code, reason = "owns pool memory and makes context pointers")]

use core::alloc::Layout;
use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::irql::{AtMostDispatch, Irql};
use crate::sys;

/// The tag of this crate's pool blocks, as tools show it: `NmrD`.
pub const POOL_TAG: u32 = u32::from_le_bytes(*b"NmrD");

/// What the pool aligns every block to.
const POOL_ALIGNMENT: usize = 16;
const PAGE: usize = sys::PAGE_SIZE as usize;

/// A value in nonpaged pool, owned.
///
/// Allocated and freed at or below `DISPATCH_LEVEL`. A value without size takes no memory.
///
/// # Invariants
///
/// The pointer is that of a `T` that nobody else owns: aligned, initialised, and from
/// the pool unless `T` has no size.
/// Shared borrows may exist elsewhere by the contract of [`as_ptr`](Self::as_ptr).
pub struct PoolBox<T>(NonNull<T>, PhantomData<T>);

// SAFETY: the box owns its value as a `T` would, and the pool does not care which thread frees.
unsafe impl<T: Send> Send for PoolBox<T> {}
// SAFETY: a shared box gives shared access to the value only.
unsafe impl<T: Sync> Sync for PoolBox<T> {}

/// How many bytes to ask the pool for, so that the block fits `layout`; `None` if the pool cannot align it.
pub(crate) fn pool_size(layout: Layout) -> Option<usize> {
    let alignment = layout.align();
    if alignment <= POOL_ALIGNMENT {
        Some(layout.size())
    } else if alignment <= PAGE {
        Some(layout.size().max(PAGE))
    } else {
        None
    }
}

/// Memory for a `T`, or `None` if the pool refuses or cannot align it.
fn allocate<T>(_irql: &mut Irql<AtMostDispatch>) -> Option<NonNull<T>> {
    if size_of::<T>() == 0 {
        return Some(NonNull::dangling());
    }
    let size = pool_size(Layout::new::<T>())?;
    let pool = sys::_POOL_TYPE::NonPagedPool;
    // SAFETY: a size that is not zero and a tag of four characters. The level is at most DISPATCH_LEVEL, as
    // the caller's proof says.
    let memory = unsafe { sys::ExAllocatePoolWithTag(pool, size as sys::SIZE_T, POOL_TAG) };
    let memory = NonNull::new(memory.cast::<T>())?;
    if memory.is_aligned() {
        return Some(memory);
    }
    // SAFETY: the block came from the pool with this tag just above and nobody else knows it.
    unsafe { sys::ExFreePoolWithTag(memory.as_ptr().cast(), POOL_TAG) };
    None
}

/// Frees what [`allocate`] returned, without dropping what is in it.
///
/// # Safety
///
/// `memory` came from [`allocate`] with the same `T` and nobody uses it any more.
unsafe fn free<T>(memory: NonNull<T>) {
    if size_of::<T>() != 0 {
        // SAFETY: `allocate` took the block from the pool with this tag, since `T` has a size, and by the contract of
        // this function it is not used any more.
        unsafe { sys::ExFreePoolWithTag(memory.as_ptr().cast(), POOL_TAG) };
    }
}

impl<T> PoolBox<T> {
    /// Moves `value` into the pool, or gives it back.
    ///
    /// # Errors
    ///
    /// The value, if there is no memory or its alignment is beyond a page.
    #[doc(alias = "ExAllocatePoolWithTag")]
    pub fn try_new(value: T, irql: &mut Irql<AtMostDispatch>) -> Result<Self, T> {
        match Self::try_reserve(irql) {
            Some(memory) => Ok(memory.fill(value)),
            None => Err(value),
        }
    }

    /// Memory for a value that comes later, so that nothing can fail then.
    ///
    /// `None` if there is no memory or the alignment of `T` is beyond a page.
    pub fn try_reserve(irql: &mut Irql<AtMostDispatch>) -> Option<PoolBox<MaybeUninit<T>>> {
        Some(PoolBox(allocate::<MaybeUninit<T>>(irql)?, PhantomData))
    }

    /// Moves the value out and frees the memory.
    pub fn into_inner(self) -> T {
        let memory = self.into_raw();
        // SAFETY: `into_raw` gave up the ownership of an initialised value, which is moved out here and not used again.
        let value = unsafe { memory.read() };
        // SAFETY: the memory is a box's, so it came from `allocate` with `T`, and its owner was given up just above.
        unsafe { free(memory) };
        value
    }

    /// Gives the box to C as a context pointer.
    pub fn into_raw(self) -> NonNull<T> {
        ManuallyDrop::new(self).0
    }

    /// Takes back what [`into_raw`](Self::into_raw) gave away.
    ///
    /// # Safety
    ///
    /// * `context` came from [`into_raw`](Self::into_raw) with the same `T`;
    /// * it has not been taken back before, and nobody borrows from it any more.
    pub unsafe fn from_raw(context: NonNull<T>) -> Self {
        // INVARIANT: `into_raw` gave up a box with this pointer, which by the contract nobody else took back.
        Self(context, PhantomData)
    }

    /// The value as a context pointer, while the box stays the owner.
    ///
    /// What is made from the pointer must be shared borrows, must end before the box is dropped or taken apart, and
    /// excludes mutable use of the box meanwhile.
    pub const fn as_ptr(&self) -> NonNull<T> {
        self.0
    }
}

impl<T> PoolBox<MaybeUninit<T>> {
    /// Moves `value` into the reserved memory.
    pub fn fill(mut self, value: T) -> PoolBox<T> {
        (*self).write(value);
        // INVARIANT: initialised just above; size and alignment of `MaybeUninit<T>` are those of `T`.
        PoolBox(self.into_raw().cast(), PhantomData)
    }
}

impl<T> Drop for PoolBox<T> {
    fn drop(&mut self) {
        // SAFETY: by the type invariant the value is initialised and this box its owner, and the box is not used again.
        unsafe { self.0.drop_in_place() };
        // SAFETY: by the type invariant the memory came from `allocate` with `T`; its value was dropped just above.
        unsafe { free(self.0) };
    }
}

impl<T> Deref for PoolBox<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: by the type invariant this is an initialised `T`, and it lives while the box is borrowed.
        unsafe { self.0.as_ref() }
    }
}

impl<T> DerefMut for PoolBox<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as for `deref`; the box is borrowed exclusively, and by the contract of `as_ptr` no borrow made from a
        // context pointer is used meanwhile.
        unsafe { self.0.as_mut() }
    }
}

impl<T: fmt::Debug> fmt::Debug for PoolBox<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

/// Borrows what C holds.
///
/// # Safety
///
/// * `context` came from [`PoolBox::into_raw`], [`PoolBox::as_ptr`] or [`Shared::as_ptr`] with the same `T`;
/// * its owner keeps it while the borrow lives;
/// * only shared borrows of it exist meanwhile.
#[inline]
pub unsafe fn borrow<'a, T>(context: *mut c_void) -> &'a T {
    // SAFETY: by the contract of this function the pointer is that of a live `T` which is only shared.
    unsafe { &*context.cast::<T>() }
}

/// A value in nonpaged pool with several owners; the last one drops it.
///
/// Made, cloned and dropped at or below `DISPATCH_LEVEL`.
///
/// # Invariants
///
/// The pointer came from [`PoolBox::into_raw`], and `count` is the number of owners.
pub struct Shared<T>(NonNull<Counted<T>>, PhantomData<Counted<T>>);

#[repr(C)]
struct Counted<T> {
    value: T,
    count: AtomicUsize,
}

// SAFETY: owners on several threads share the value and any of them may drop it, so it has to be `Sync` and `Send`.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as for `Send`: a shared owner can be cloned.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// Moves `value` into the pool with one owner, or gives it back.
    ///
    /// # Errors
    ///
    /// The value, if there is no memory or its alignment is beyond a page.
    pub fn try_new(value: T, irql: &mut Irql<AtMostDispatch>) -> Result<Self, T> {
        let counted = Counted {
            value,
            count: AtomicUsize::new(1),
        };
        match PoolBox::try_new(counted, irql) {
            Ok(memory) => Ok(Self(memory.into_raw(), PhantomData)),
            Err(counted) => Err(counted.value),
        }
    }

    /// The value, of which others may be owners too, as a pointer that is good while any owner is left.
    pub const fn as_ptr(&self) -> NonNull<T> {
        // The value is the first field of a C structure.
        self.0.cast()
    }

    fn counted(&self) -> &Counted<T> {
        // SAFETY: by the type invariant the memory is initialised and lives while it has an owner, which `self` is.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        // No overflow: owners would have to be leaked faster than a processor can count to 2^63.
        self.counted().count.fetch_add(1, Ordering::Relaxed);
        Self(self.0, PhantomData)
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if self.counted().count.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // What other owners did to the value came before they gave it up. Not a fence, which ThreadSanitizer does not see.
        self.counted().count.load(Ordering::Acquire);
        // SAFETY: the pointer came from `PoolBox::into_raw`, and the count says that this was the last owner.
        drop(unsafe { PoolBox::from_raw(self.0) });
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.counted().value
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}
