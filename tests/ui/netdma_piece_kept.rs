//! What a descriptor names may be touched while the link is open, and not later: the channel may have been freed.

use nmr_netdma::Irql;
use nmr_netdma::irql::Dispatch;
use nmr_netdma::kmdf::memory::{DescriptorReader, PhysicalMapping};
use nmr_netdma::netdma::{Cursor, Link, Transfer, Work};

fn keep<'a>(
    link: &'a Link,
    cursor: &mut Cursor,
    irql: &'a mut Irql<Dispatch>,
) -> Option<Transfer<'a>> {
    let mut open = link.open(irql)?;
    let (lease, irql) = open.split();
    cursor.next(lease, &mut DescriptorReader::new(irql)).ok()?
}

fn keep_mapped<'a>(
    link: &'a Link,
    cursor: &mut Cursor,
    irql: &'a mut Irql<Dispatch>,
) -> Option<PhysicalMapping<'a>> {
    let mut open = link.open(irql)?;
    let (lease, irql) = open.split();
    let transfer = cursor
        .next(lease, &mut DescriptorReader::new(irql))
        .ok()??;
    let Work::Copy(pieces) = transfer.work else {
        return None;
    };
    let mapping = PhysicalMapping::map(pieces.iter().next()?.source, irql).ok();
    drop(open);
    mapping
}

fn main() {}
