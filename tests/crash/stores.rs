//! Which instructions of x86-64 may write to memory that others see. What is not known here may.

/// Whether the instruction whose bytes these are may store anywhere but on its stack.
pub fn may_store(code: &[u8; 16]) -> bool {
    let mut at = 0;
    while matches!(
        code[at],
        0x66 | 0xf2 | 0xf3 | 0x2e | 0x36 | 0x3e | 0x26 | 0x64 | 0x65 | 0x67
    ) && at < 4
    {
        at += 1;
    }
    let extension = match code[at] {
        byte @ 0x40..=0x4f => {
            at += 1;
            byte
        }
        _ => 0,
    };
    let (opcode, operands) = (code[at], &code[at + 1..]);
    let to_operand = || is_shared_memory(operands[0], operands[1], extension & 1 != 0);
    let field = operands[0] >> 3 & 7;
    match opcode {
        0x0f => may_store_two(operands, extension),
        // Vector instructions: the two forms of their prefix.
        0xc5 => is_vector_store(operands[1]) && is_shared_memory(operands[2], operands[3], false),
        0xc4 => is_vector_store(operands[2]),
        // Arithmetic: to an operand in memory, or to a register and from a constant.
        0x38..=0x3d => false,
        0x00..=0x35 => matches!(opcode & 7, 0 | 1) && to_operand() || opcode & 7 > 5,
        0x86..=0x89 | 0xc0 | 0xc1 | 0xc6 | 0xc7 | 0xd0..=0xd3 | 0xfe | 0x8f => to_operand(),
        0x80 | 0x81 | 0x83 => field != 7 && to_operand(),
        0xf6 | 0xf7 => matches!(field, 2 | 3) && to_operand(),
        0xff => matches!(field, 0 | 1) && to_operand(),
        // Loads, tests, moves among registers; jumps, calls and the stack.
        0x63 | 0x69 | 0x6b | 0x84 | 0x85 | 0x8a | 0x8b | 0x8d | 0xa8 | 0xa9 => false,
        0x50..=0x5f | 0x68 | 0x6a | 0x70..=0x7f | 0x90..=0x99 | 0xb0..=0xbf => false,
        0xc2 | 0xc3 | 0xc9 | 0xcc | 0xe8 | 0xe9 | 0xeb => false,
        _ => true,
    }
}

fn may_store_two(operands: &[u8], extension: u8) -> bool {
    let (opcode, mode) = (operands[0], operands[1]);
    let to_operand = || is_shared_memory(mode, operands[2], extension & 1 != 0);
    match opcode {
        // Its operand in memory is not among its operands.
        0xf7 => true,
        0x1e | 0x1f | 0x31 | 0x40..=0x4f | 0x80..=0x8f | 0xa2 | 0xa3 | 0xaf => false,
        0xb6 | 0xb7 | 0xbc..=0xbf | 0xc8..=0xcf => false,
        0x90..=0x9f | 0xab | 0xb0 | 0xb1 | 0xb3 | 0xbb | 0xc0 | 0xc1 => to_operand(),
        0x10..=0x17 | 0x28..=0x2f | 0x51..=0x7f | 0xc6 | 0xd0..=0xfe => {
            is_vector_store(opcode) && to_operand()
        }
        _ => true,
    }
}

/// Of vector registers.
fn is_vector_store(opcode: u8) -> bool {
    matches!(
        opcode,
        0x11 | 0x13 | 0x17 | 0x29 | 0x2b | 0x7e | 0x7f | 0xd6 | 0xe7 | 0xf7
    )
}

/// An operand that is neither a register nor on the stack nor among this process's own data.
fn is_shared_memory(mode: u8, index: u8, is_extended: bool) -> bool {
    const REGISTER: u8 = 3;
    const BY_INDEX: u8 = 4;
    const STACK: u8 = 4;
    const OWN_DATA: u8 = 5;
    match (mode >> 6, mode & 7) {
        (REGISTER, _) | (0, OWN_DATA) => false,
        (_, BY_INDEX) => index & 7 != STACK || is_extended,
        _ => true,
    }
}
