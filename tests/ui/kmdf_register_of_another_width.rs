//! What is written to a register is as wide as the register.

use nmr_netdma::Result;
use nmr_netdma::kmdf::{Register, Registers};

const CONTROL: Register<u16> = Register::at(0x80);

fn begin(registers: &Registers, flags: u32) -> Result<()> {
    registers.write(CONTROL, flags)
}

fn main() {}
