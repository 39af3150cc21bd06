//! A `CM_RESOURCE_LIST` of any bytes: nothing is read beyond them, and a list that is accepted says the same each time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nmr_netdma::resources::{CmResourceBytes, ProcessorGroups};
use simkernel as _;

fuzz_target!(|data: &[u8]| {
    // Of exactly this length, so that a sanitizer sees a byte too many.
    let bytes: Box<[u8]> = data.into();
    let Ok(list) = CmResourceBytes::new(&bytes) else {
        return;
    };
    let mut count = 0;
    for descriptor in list.iter() {
        count += 1;
        for groups in [ProcessorGroups::Absent, ProcessorGroups::Present] {
            let translated = descriptor.translated_interrupt(groups);
            let raw = descriptor.raw_message(groups);
            assert!(descriptor.kind() == 2 || translated.is_none() && raw.is_none());
            if let (Some(translated), Some(raw)) = (translated, raw) {
                assert_eq!(translated.vector, raw.vector);
                assert!(raw.message && translated.message);
                assert_eq!(translated.processors.mask, raw.processors.mask);
            }
            if groups == ProcessorGroups::Absent {
                assert!(translated.is_none_or(|interrupt| interrupt.processors.group == 0));
            }
        }
    }
    assert_eq!(list.iter().count(), count);
    // 4 bytes, at least one bus of 16, 20 for each descriptor.
    assert!(count == 0 || 20 + 20 * count <= bytes.len());
});
