//! What NetDMA tells a provider when it allocates a channel, and where it wants interrupts: structures of any revision, size and
//! content, given to the example driver as NetDMA would.
#![no_main]

use std::ptr;

use libfuzzer_sys::fuzz_target;
use netdma_kmdf::MAXIMUM_CHANNELS;
use nmr_netdma::netdma::affinity::ActiveProcessors;
use nmr_netdma::netdma::{Affinities, Plan};
use nmr_netdma::sys;
use nmr_netdma_fuzz::Input;
use simkernel::devices::Doorbell;
use simkernel::ndis::ProviderId;
use simkernel::pnp::{Bar, DeviceConfig, Signal};
use simkernel::{Config, Kernel};

const PROCESSORS: u32 = 4;

/// A machine whose device has two channels, and its provider.
struct Machine {
    kernel: Kernel,
    provider: ProviderId,
}

thread_local! {
    // Of the one thread that there is, for all inputs, and never shut down: the end of a run is not one of the machine.
    static MACHINE: &'static Machine = Box::leak(Box::new(Machine::boot()));
}

impl Machine {
    fn boot() -> Self {
        let kernel = Kernel::boot(Config {
            processors: PROCESSORS,
            ..Config::default()
        });
        let driver = kernel
            .load_driver("netdma-kmdf", netdma_kmdf::driver_entry)
            .expect("the driver loads");
        let signal = Signal::new();
        let model = Doorbell::new(2, signal.clone());
        let device = DeviceConfig {
            name: "copy engine".into(),
            messages: 2,
            bars: vec![Bar {
                length: Doorbell::LENGTH,
                model,
            }],
            signal,
            ..Default::default()
        };
        kernel
            .add_device(driver, device)
            .expect("the device starts");
        let provider = kernel.netdma().providers()[0].id;
        Self { kernel, provider }
    }
}

/// Words, so that a structure is aligned.
fn words(bytes: &[u8], length: usize) -> Box<[u64]> {
    let mut padded = bytes.to_vec();
    padded.resize(length.next_multiple_of(8), 0);
    let (words, _) = padded.as_chunks();
    words.iter().map(|word| u64::from_le_bytes(*word)).collect()
}

fn allocate(input: &mut Input<'_>, Machine { kernel, provider }: &Machine) {
    let (revision, size, flags) = (input.u16(), input.u16(), input.u32());
    let completion = input.u64();
    let rest = input.bytes(64);
    // As long as it says, up to the padding of revision 1, and no longer, so that a sanitizer sees a byte too many.
    let length = usize::from(size).max(4);
    let mut bytes = Vec::new();
    bytes.extend(revision.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend(flags.to_le_bytes());
    // Nobody writes to it as long as nothing is started; any address will do that is one.
    let word = 0_u64;
    let address = match completion % 3 {
        0 => 0,
        1 => (&raw const word).addr() as u64,
        _ => (&raw const word).addr() as u64 + 1,
    };
    bytes.extend(address.to_le_bytes());
    bytes.extend(completion.to_le_bytes());
    bytes.extend(rest);
    bytes.truncate(length);
    let mut parameters = words(&bytes, length);

    let (table, context) = kernel
        .netdma()
        .handlers(*provider)
        .expect("it is registered");
    let mut channel = ptr::null_mut();
    // SAFETY: the structure is as long as it says, its pointer is aligned, and the handler is called with its own context.
    let status = unsafe {
        table.AllocateDmaChannel.expect("a handler")(
            context,
            parameters.as_mut_ptr().cast(),
            ptr::without_provenance_mut(0x1000),
            &mut channel,
        )
    };
    if status != sys::STATUS_SUCCESS {
        assert!(
            [sys::STATUS_UNSUCCESSFUL, sys::STATUS_INSUFFICIENT_RESOURCES].contains(&status),
            "{status:#x}"
        );
        return;
    }
    assert!(revision >= 1 && size >= 36 && !channel.is_null());
    let processor = parameters[4] as u32;
    assert!(processor < PROCESSORS, "{processor}");
    // SAFETY: the handler has just allocated it, and nothing was started.
    unsafe { table.FreeDmaChannel.expect("a handler")(channel) };
}

fn plan(input: &mut Input<'_>) {
    let channels = u32::from(input.u8()) % (MAXIMUM_CHANNELS + 2);
    let messages = u32::from(input.u16() % 1024);
    let active = input.u64();
    let entries: Vec<_> = input
        .rest()
        .chunks(8)
        .map(|chunk| {
            let mut entry = Input::new(chunk);
            sys::NET_DMA_CHANNEL_CPU_AFFINITY {
                DmaChannel: entry.u32(),
                CpuNumber: entry.u32(),
            }
        })
        .collect();
    let exists = |processor: u32| processor < 64 && active >> processor & 1 != 0;
    let plan = Plan::new(
        channels,
        Affinities::new(&entries),
        ActiveProcessors::from_mask(active),
    );
    assert!(plan.channels() <= channels);
    assert!(plan.ignored() as usize <= entries.len());
    let assignment = plan.assign(messages.max(1));
    let mut seen = vec![0; plan.channels() as usize];
    for message in 0..messages.max(1) {
        for channel in assignment.channels(message) {
            assert_eq!(assignment.message(channel), Some(message));
            seen[channel as usize] += 1;
        }
        let processor = assignment.processor(message);
        assert!(processor.is_none_or(exists));
    }
    assert!(seen.iter().all(|times| *times == 1), "{seen:?}");
    for channel in 0..plan.channels() {
        let asked = plan.asked(channel);
        assert!(asked.is_none_or(exists));
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    match input.u8() % 2 {
        0 => MACHINE.with(|machine| allocate(&mut input, machine)),
        _ => plan(&mut input),
    }
});
