//! Elements by index, and lists through them.

use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

use super::handle::{Handle, Kind};
use super::name::Role;
use crate::platform;

/// No element.
pub(super) const NONE: u32 = u32::MAX;

/// Elements by index, each of which has a generation that tells it from its predecessors.
pub(super) struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

/// Aligned to a cache line, which a binding just fits into.
#[repr(align(64))]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Inserts what `value` makes, and makes it where it stays.
    #[inline]
    pub(super) fn insert(&mut self, value: impl FnOnce() -> T) -> u32 {
        let index = self.free.pop().unwrap_or_else(|| self.grow());
        let slot = &mut self.slots[index as usize];
        if slot.value.is_some() {
            platform::fatal("simkernel: a free slot of the NMR registry is in use");
        }
        slot.value = Some(value());
        index
    }

    /// A new slot.
    #[cold]
    fn grow(&mut self) -> u32 {
        let index = self.slots.len() as u32;
        if index >= Handle::LIMIT {
            platform::fatal("simkernel: more NMR bindings than handles can name");
        }
        self.slots.push(Slot {
            generation: 0,
            value: None,
        });
        index
    }

    pub(super) fn remove(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        slot.value = None;
        slot.generation = (slot.generation + 1) % Handle::LIMIT;
        self.free.push(index);
    }

    /// The element that the handle names, if it is still there.
    #[inline]
    pub(super) fn get(&self, handle: Handle) -> Option<&T> {
        let slot = self.slots.get(handle.index as usize)?;
        let value = slot.value.as_ref()?;
        (slot.generation == handle.generation).then_some(value)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, handle: Handle) -> Option<&mut T> {
        let slot = self.slots.get_mut(handle.index as usize)?;
        let value = slot.value.as_mut()?;
        (slot.generation == handle.generation).then_some(value)
    }

    #[inline]
    pub(super) fn contains(&self, handle: Handle) -> bool {
        self.get(handle).is_some()
    }

    /// Whether the handle's element existed and is gone.
    pub(super) fn contained(&self, handle: Handle) -> bool {
        self.slots
            .get(handle.index as usize)
            .is_some_and(|slot| handle.generation < slot.generation)
    }

    pub(super) fn handle(&self, kind: Kind, shard: u8, index: u32) -> Handle {
        Handle {
            kind,
            shard,
            index,
            generation: self.slots[index as usize].generation,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0u32..)
            .zip(&self.slots)
            .filter_map(|(index, slot)| Some((index, slot.value.as_ref()?)))
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;

    fn index(&self, index: u32) -> &T {
        match &self.slots[index as usize].value {
            Some(value) => value,
            None => platform::fatal("simkernel: the NMR registry names an element that is gone"),
        }
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    fn index_mut(&mut self, index: u32) -> &mut T {
        match &mut self.slots[index as usize].value {
            Some(value) => value,
            None => platform::fatal("simkernel: the NMR registry names an element that is gone"),
        }
    }
}

/// An element's neighbours in a list.
#[derive(Clone, Copy)]
pub(super) struct Links {
    previous: u32,
    pub(super) next: u32,
}

impl Links {
    pub(super) const UNLINKED: Self = Self {
        previous: NONE,
        next: NONE,
    };
}

/// A list through the links of its elements: any of them leaves in one step, the others keep their order.
#[derive(Clone, Copy)]
pub(super) struct List {
    pub(super) first: u32,
    last: u32,
}

/// An element of lists; `list` says which of its links are meant.
pub(super) trait Linked {
    fn links(&mut self, list: Role) -> &mut Links;
}

impl List {
    pub(super) const EMPTY: Self = Self {
        first: NONE,
        last: NONE,
    };

    pub(super) const fn is_empty(self) -> bool {
        self.first == NONE
    }

    pub(super) fn push<T: Linked>(&mut self, slab: &mut Slab<T>, list: Role, index: u32) {
        *slab[index].links(list) = Links {
            previous: self.last,
            next: NONE,
        };
        match self.last {
            NONE => self.first = index,
            last => slab[last].links(list).next = index,
        }
        self.last = index;
    }

    pub(super) fn remove<T: Linked>(&mut self, slab: &mut Slab<T>, list: Role, index: u32) {
        let Links { previous, next } = *slab[index].links(list);
        match previous {
            NONE => self.first = next,
            previous => slab[previous].links(list).next = next,
        }
        match next {
            NONE => self.last = previous,
            next => slab[next].links(list).previous = previous,
        }
    }
}
