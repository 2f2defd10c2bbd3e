//! Which instructions of x86-64 may write to memory that others see.

use iced_x86::{Decoder, DecoderOptions, InstructionInfoFactory, OpAccess, Register};

/// The longest instruction, in bytes.
pub const LONGEST: usize = 15;

/// Returns whether the first instruction of `code`, which lies at `at`, may store anywhere but on
/// its stack and among its process's own data. An unknown instruction may.
pub fn may_store(code: &[u8; LONGEST], at: u64) -> bool {
    let instruction = Decoder::with_ip(64, code, at, DecoderOptions::NONE).decode();
    if instruction.is_invalid() {
        return true;
    }
    let mut factory = InstructionInfoFactory::new();
    factory
        .info(&instruction)
        .used_memory()
        .iter()
        .filter(|memory| {
            !matches!(
                memory.base(),
                Register::RSP | Register::RIP | Register::None
            )
        })
        .any(|memory| {
            !matches!(
                memory.access(),
                OpAccess::Read | OpAccess::CondRead | OpAccess::NoMemAccess
            )
        })
}
