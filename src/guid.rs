//! [`Guid`]: a 128-bit identifier, parsed at compile time.

use core::fmt;

use crate::sys;

/// A globally unique identifier, laid out as C's `GUID`.
///
/// ```
/// use nmr_netdma::Guid;
///
/// const ID: Guid = Guid::parse("227f3dea-3f49-4f2f-a53c-6ba5d24d2e1a");
/// assert_eq!(ID.to_string(), "227f3dea-3f49-4f2f-a53c-6ba5d24d2e1a");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(C)]
#[doc(alias = "GUID")]
pub struct Guid {
    data1: u32,
    data2: u16,
    data3: u16,
    data4: [u8; 8],
}

impl Guid {
    /// Parses `01234567-89ab-cdef-0123-456789abcdef`, with or without braces, upper or lower case.
    ///
    /// # Panics
    ///
    /// If `text` is not such an identifier; in a `const` that is a compile-time error. For text from outside there is
    /// [`try_parse`](Self::try_parse).
    pub const fn parse(text: &str) -> Self {
        match Self::try_parse(text) {
            Some(guid) => guid,
            None => panic!("a GUID reads 01234567-89ab-cdef-0123-456789abcdef"),
        }
    }

    /// Parses like [`parse`](Self::parse); `None` if `text` is not a GUID.
    pub const fn try_parse(text: &str) -> Option<Self> {
        const DASHES: [usize; 4] = [8, 13, 18, 23];

        let bytes = text.as_bytes();
        let start = match bytes {
            [b'{', .., b'}'] if bytes.len() == 38 => 1,
            _ if bytes.len() == 36 => 0,
            _ => return None,
        };
        let mut value: u128 = 0;
        let mut position = 0;
        while position < 36 {
            let byte = bytes[start + position];
            if position == DASHES[0]
                || position == DASHES[1]
                || position == DASHES[2]
                || position == DASHES[3]
            {
                if byte != b'-' {
                    return None;
                }
            } else {
                let digit = match byte {
                    b'0'..=b'9' => byte - b'0',
                    b'a'..=b'f' => byte - b'a' + 10,
                    b'A'..=b'F' => byte - b'A' + 10,
                    _ => return None,
                };
                value = (value << 4) | digit as u128;
            }
            position += 1;
        }
        Some(Self::from_u128(value))
    }

    /// The identifier whose text form, without dashes, is the hexadecimal number `value`.
    pub const fn from_u128(value: u128) -> Self {
        Self {
            data1: (value >> 96) as u32,
            data2: (value >> 80) as u16,
            data3: (value >> 64) as u16,
            data4: (value as u64).to_be_bytes(),
        }
    }

    /// The inverse of [`from_u128`](Self::from_u128).
    pub const fn to_u128(self) -> u128 {
        (self.data1 as u128) << 96
            | (self.data2 as u128) << 80
            | (self.data3 as u128) << 64
            | u64::from_be_bytes(self.data4) as u128
    }

    /// The same identifier as C knows it.
    pub const fn to_sys(self) -> sys::GUID {
        sys::GUID {
            Data1: self.data1,
            Data2: self.data2,
            Data3: self.data3,
            Data4: self.data4,
        }
    }

    /// The identifier that C holds in `guid`.
    pub const fn from_sys(guid: sys::GUID) -> Self {
        Self {
            data1: guid.Data1,
            data2: guid.Data2,
            data3: guid.Data3,
            data4: guid.Data4,
        }
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = u64::from_be_bytes(self.data4);
        write!(
            formatter,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            self.data1,
            self.data2,
            self.data3,
            tail >> 48,
            tail & 0xFFFF_FFFF_FFFF
        )
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
