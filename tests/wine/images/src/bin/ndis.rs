//! ndis.sys: an image without code. What it exports leads to simkernel.sys, so that there is one state.
#![cfg_attr(kernel_module, no_std, no_main)]
#![cfg_attr(kernel_module, expect(unsafe_code, reason = "defines the entry point"))]

/// Answers success, whoever asks: Wine starts some of these files as services of their own.
#[cfg(kernel_module)]
#[unsafe(no_mangle)]
extern "system" fn DriverEntry(_object: usize, second: usize) -> i32 {
    i32::from(wine_images::is_library_call(second))
}

#[cfg(not(kernel_module))]
fn main() {}
