//! install.exe: has Wine install a driver from its INF for a root-enumerated device, and remove the device.
//!
//! ```text
//! install.exe install <INF> <hardware id> <instance id>
//! install.exe remove <instance id>
//! ```
//!
//! One line is printed for each call, with what it answered. Exit code: 0 if all went well, 1 if not.
//!
//! # Safety
//!
//! The unsafe code of this file calls functions of Windows with texts that end with a zero and structures of the sizes that they
//! want.
#![cfg_attr(kernel_module, no_std, no_main)]
#![cfg_attr(
    kernel_module,
    expect(unsafe_code, reason = "calls functions of Windows")
)]

#[cfg(kernel_module)]
extern crate alloc;

#[cfg(not(kernel_module))]
fn main() {}

#[cfg(kernel_module)]
mod program {
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;
    use core::ffi::{CStr, c_char, c_void};
    use core::fmt;
    use core::ptr;

    // The panic handler and the symbols of compiled code.
    use wine_images as _;

    type DeviceSet = *mut c_void;

    /// `SP_DEVINFO_DATA`
    #[repr(C)]
    struct Device {
        size: u32,
        class: [u8; 16],
        instance: u32,
        reserved: usize,
    }

    impl Device {
        fn new() -> Self {
            Self {
                // CAST: a few bytes.
                size: size_of::<Self>() as u32,
                class: [0; 16],
                instance: 0,
                reserved: 0,
            }
        }
    }

    #[link(name = "kernel32.dll", kind = "raw-dylib", modifiers = "+verbatim")]
    unsafe extern "system" {
        fn ExitProcess(code: u32) -> !;
        fn GetCommandLineA() -> *const c_char;
        fn GetLastError() -> u32;
        fn GetStdHandle(which: u32) -> *mut c_void;
        fn WriteFile(
            file: *mut c_void,
            bytes: *const u8,
            count: u32,
            written: *mut u32,
            overlapped: *mut c_void,
        ) -> i32;
    }

    #[link(name = "setupapi.dll", kind = "raw-dylib", modifiers = "+verbatim")]
    unsafe extern "system" {
        fn SetupDiCreateDeviceInfoList(class: *const [u8; 16], window: *mut c_void) -> DeviceSet;
        fn SetupDiCreateDeviceInfoA(
            set: DeviceSet,
            name: *const c_char,
            class: *const [u8; 16],
            description: *const c_char,
            window: *mut c_void,
            flags: u32,
            device: *mut Device,
        ) -> i32;
        fn SetupDiOpenDeviceInfoA(
            set: DeviceSet,
            name: *const c_char,
            window: *mut c_void,
            flags: u32,
            device: *mut Device,
        ) -> i32;
        fn SetupDiSetDeviceRegistryPropertyA(
            set: DeviceSet,
            device: *mut Device,
            property: u32,
            value: *const u8,
            bytes: u32,
        ) -> i32;
        fn SetupDiGetDeviceRegistryPropertyA(
            set: DeviceSet,
            device: *mut Device,
            property: u32,
            kind: *mut u32,
            value: *mut u8,
            bytes: u32,
            needed: *mut u32,
        ) -> i32;
        fn SetupDiCallClassInstaller(function: u32, set: DeviceSet, device: *mut Device) -> i32;
    }

    #[link(name = "newdev.dll", kind = "raw-dylib", modifiers = "+verbatim")]
    unsafe extern "system" {
        fn UpdateDriverForPlugAndPlayDevicesA(
            window: *mut c_void,
            hardware: *const c_char,
            inf: *const c_char,
            flags: u32,
            reboot: *mut i32,
        ) -> i32;
    }

    const NO_CLASS: [u8; 16] = [0; 16];
    const HARDWARE_ID: u32 = 1;
    const SERVICE: u32 = 4;
    const REGISTER_DEVICE: u32 = 0x19;
    const REMOVE: u32 = 5;

    fn print(line: fmt::Arguments<'_>) {
        const STANDARD_OUTPUT: u32 = u32::MAX - 10;

        let line = format!("{line}\r\n");
        // SAFETY: it has no preconditions.
        let output = unsafe { GetStdHandle(STANDARD_OUTPUT) };
        let mut written = 0;
        // SAFETY: the bytes are there, and the count can be written.
        unsafe {
            // CAST: a line is short.
            WriteFile(
                output,
                line.as_ptr(),
                line.len() as u32,
                &raw mut written,
                ptr::null_mut(),
            )
        };
    }

    /// Says what a call answered; whether it succeeded.
    fn succeeded(what: &str, answer: i32) -> Option<()> {
        // SAFETY: it has no preconditions.
        let error = unsafe { GetLastError() };
        if answer == 0 {
            print(format_args!("{what}: failed with error {error}"));
            None
        } else {
            print(format_args!("{what}: done"));
            Some(())
        }
    }

    /// A text with an end.
    fn terminated(text: &str) -> Vec<u8> {
        text.bytes().chain([0]).collect()
    }

    fn device_set() -> DeviceSet {
        // SAFETY: neither a class nor a window is named.
        unsafe { SetupDiCreateDeviceInfoList(ptr::null(), ptr::null_mut()) }
    }

    fn install(inf: &str, hardware: &str, instance: &str) -> Option<()> {
        let set = device_set();
        let mut device = Device::new();
        let (inf, name) = (terminated(inf), terminated(instance));
        // SAFETY: the name has an end, the class is readable and the device writable.
        let answer = unsafe {
            SetupDiCreateDeviceInfoA(
                set,
                name.as_ptr().cast(),
                &NO_CLASS,
                ptr::null(),
                ptr::null_mut(),
                0,
                &raw mut device,
            )
        };
        succeeded("SetupDiCreateDeviceInfo", answer)?;
        // One text, and no more.
        let list: Vec<u8> = hardware.bytes().chain([0, 0]).collect();
        // SAFETY: the device is in the set, and the list is as long as it says.
        let answer = unsafe {
            SetupDiSetDeviceRegistryPropertyA(
                set,
                &raw mut device,
                HARDWARE_ID,
                list.as_ptr(),
                // CAST: an identifier is short.
                list.len() as u32,
            )
        };
        succeeded("SetupDiSetDeviceRegistryProperty", answer)?;
        // SAFETY: the device is in the set.
        let answer = unsafe { SetupDiCallClassInstaller(REGISTER_DEVICE, set, &raw mut device) };
        succeeded("DIF_REGISTERDEVICE", answer)?;
        let mut reboot = 0;
        // SAFETY: both texts have an end, and the result can be written.
        let answer = unsafe {
            UpdateDriverForPlugAndPlayDevicesA(
                ptr::null_mut(),
                list.as_ptr().cast(),
                inf.as_ptr().cast(),
                1,
                &raw mut reboot,
            )
        };
        succeeded("UpdateDriverForPlugAndPlayDevices", answer)?;
        // That call succeeds even if no line of the INF is for the device. The service says whether one was.
        let mut service = [0_u8; 64];
        // SAFETY: the device is in the set, and the buffer is as long as it says.
        let answer = unsafe {
            SetupDiGetDeviceRegistryPropertyA(
                set,
                &raw mut device,
                SERVICE,
                ptr::null_mut(),
                service.as_mut_ptr(),
                // CAST: a few bytes.
                service.len() as u32,
                ptr::null_mut(),
            )
        };
        succeeded("SPDRP_SERVICE", answer)?;
        let service = CStr::from_bytes_until_nul(&service).unwrap_or_default();
        print(format_args!(
            "bound to the service {}",
            service.to_string_lossy()
        ));
        Some(())
    }

    fn remove(instance: &str) -> Option<()> {
        let set = device_set();
        let mut device = Device::new();
        let name = terminated(instance);
        // SAFETY: the name has an end, and the device is writable.
        let answer = unsafe {
            SetupDiOpenDeviceInfoA(
                set,
                name.as_ptr().cast(),
                ptr::null_mut(),
                0,
                &raw mut device,
            )
        };
        succeeded("SetupDiOpenDeviceInfo", answer)?;
        // SAFETY: the device is in the set.
        let answer = unsafe { SetupDiCallClassInstaller(REMOVE, set, &raw mut device) };
        succeeded("DIF_REMOVE", answer)
    }

    #[unsafe(no_mangle)]
    extern "system" fn start() -> ! {
        // SAFETY: it has no preconditions.
        let line = unsafe { GetCommandLineA() };
        // SAFETY: the command line is a text with an end that stays.
        let line = unsafe { CStr::from_ptr(line) }.to_string_lossy();
        let words: Vec<String> = line
            .split_whitespace()
            .map(|word| word.trim_matches('"').into())
            .collect();
        let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        let done = match words[..] {
            ["install", inf, hardware, instance] => install(inf, hardware, instance),
            ["remove", instance] => remove(instance),
            _ => {
                print(format_args!(
                    "usage: install.exe install <INF> <hardware id> <instance id> | remove <instance id>"
                ));
                None
            }
        };
        // SAFETY: it has no preconditions.
        unsafe { ExitProcess(u32::from(done.is_none())) }
    }
}
