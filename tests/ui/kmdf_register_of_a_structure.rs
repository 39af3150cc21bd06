//! A register holds a number of 8 to 64 bits, which is read in one access.

use nmr_netdma::Result;
use nmr_netdma::kmdf::{Register, Registers};

const BLOCK: Register<[u32; 4]> = Register::at(0x80);

fn look(registers: &Registers) -> Result<[u32; 4]> {
    registers.read(BLOCK)
}

fn main() {}
