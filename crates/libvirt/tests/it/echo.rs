//! A guest that is 66 bytes: it gives back what is typed into its first serial port, and for a `*` a
//! [`FLOOD`] of `x` and a `!`.

/// What it boots.
#[rustfmt::skip]
const ECHO: [u8; 66] = [
    0xba, 0xf8, 0x03,                   //        mov dx, 0x3f8    the first serial port
    0xb0, 0x3e, 0xee,                   //        mov al, '>'; out dx, al
    0xba, 0xfd, 0x03, 0xec,             // next:  mov dx, 0x3fd; in al, dx
    0xa8, 0x01, 0x74, 0xf8,             //        test al, 1; jz next       nothing was typed
    0xba, 0xf8, 0x03, 0xec,             //        mov dx, 0x3f8; in al, dx
    0x3c, 0x2a, 0x74, 0x05,             //        cmp al, '*'; je flood
    0xe8, 0x18, 0x00, 0xeb, 0xeb,       //        call put; jmp next
    0x66, 0xb9, 0x00, 0x00, 0x18, 0x00, // flood: mov ecx, 0x180000
    0xb0, 0x78, 0xe8, 0x0b, 0x00,       // again: mov al, 'x'; call put
    0x66, 0x49, 0x75, 0xf7,             //        dec ecx; jnz again
    0xb0, 0x21, 0xe8, 0x02, 0x00,       //        mov al, '!'; call put
    0xeb, 0xd5,                         //        jmp next
    0x88, 0xc3, 0xba, 0xfd, 0x03, 0xec, // put:   mov bl, al; mov dx, 0x3fd; in al, dx
    0xa8, 0x20, 0x74, 0xfb,             //        test al, 0x20; jz the in    it has room
    0x88, 0xd8, 0xba, 0xf8, 0x03,       //        mov al, bl; mov dx, 0x3f8
    0xee, 0xc3,                         //        out dx, al; ret
];
/// How many `x`.
pub const FLOOD: u64 = 0x18_0000;

/// The disk that it boots from.
pub fn disk() -> Vec<u8> {
    let mut sector = ECHO.to_vec();
    sector.resize(510, 0);
    sector.extend([0x55, 0xaa]);
    sector
}
