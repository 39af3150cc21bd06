//! A KMDF driver that offers a copy engine to the network stack through NetDMA.
//!
//! The device is simple: it copies nothing, it only rings. A channel whose doorbell is written sends an interrupt message, or asserts the
//! line. The copying is done in software, by a DPC for each channel on the channel's own processor; what
//! matters here is everything around it, and that is what a driver for a copying device does.
//!
//! | file | what is in it |
//! |---|---|
//! | `driver` | the driver; AddDevice: the NetDMA provider, then the interrupts |
//! | `device` | resources, power, start and stop of the provider |
//! | `interrupt` | from the interrupt to NetDMA |
//! | `engine` | the provider, its channels, and the copying |
//! | `hardware` | the device's registers |
//! | `offload` | copies for other drivers, over NMR |
//! | `statistics` | what the engine has done, for a program that asks |
//!
//! # How an interrupt gets to the right processor
//!
//! 1. AddDevice registers the provider. Inside that call NetDMA says on which processor each channel is to interrupt: the plan.
//! 2. Before the system assigns resources, the driver writes the plan into the requirements of its interrupt messages.
//! 3. When the device starts, it sees which messages it was granted and tells the device which channel uses which.
//! 4. A channel that is allocated runs on the processor that its message interrupts.
//! 5. The service routine asks NetDMA on which processor the DPC is to run, and queues it there.
//!
//! For step 2 there is another way: AddDevice gives each interrupt object a policy, and the framework writes it into the requirements. A
//! driver that has nothing else to filter would choose that one. Here it is a second entry point, which tests and the lab use, so that both
//! ways can be held against each other; they have the same result. What cannot be asked for by an object (a group other than 0, which KMDF 1.7 has no function for; a
//! message whose own channel has no wish, but one that shares it does) is left to the filter.
//!
//! With fewer messages than channels, channels share; with a line interrupt all do. A device without any resources, as the root bus makes
//! it up from the INF, has four channels without interrupts: the copying DPC then tells NetDMA itself. On Windows 8 and later, where there is no NetDMA,
//! the driver says so in the debugger and leaves the device alone.
//!
//! On a machine with more than one group of processors, messages go to processors of any group, but the copying is done in group 0: DPCs
//! are aimed by the function of Windows Vista. A channel whose message goes to another group works where its client wants it, or else
//! on the first processor, and that is the processor that it reports to NetDMA. The driver does not tell NetDMA
//! that it knows groups (`NET_DMA_PROVIDER_SUPPORTS_PROC_GROUPS`).
//!
//! # Copies for other drivers
//!
//! From load to unload the driver is also a provider of the NMR interface of the `copy-offload` package, on every Windows and with
//! or without a device. `nmr-client` is a driver that uses it.
#![no_std]

mod device;
mod driver;
mod engine;
mod hardware;
mod interrupt;
mod offload;
mod statistics;

pub use engine::{MAXIMUM_CHANNELS, MAXIMUM_TRANSFER_SIZE};
pub use offload::MAXIMUM_COPY_LENGTH;
pub use statistics::{DEVICE_INTERFACE, READ_STATISTICS, Statistics};

// Built with the kit, the driver takes the kit's allocator and panic handler.
#[cfg(all(feature = "wdk", windows))]
extern crate wdk_panic as _;

#[cfg(all(feature = "wdk", windows))]
#[global_allocator]
static ALLOCATOR: wdk_alloc::WdkAllocator = wdk_alloc::WdkAllocator;

nmr_netdma::kmdf::driver_entry!(driver::Driver<false>);

// The same with the policies in the interrupt objects, see above. No symbol of a kernel image.
nmr_netdma::kmdf::driver_entry!(fn driver_entry_by_interrupt = driver::Driver<true>);
