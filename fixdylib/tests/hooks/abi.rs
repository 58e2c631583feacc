//! Methods of many shapes, called through their hooks: every value has to arrive, and to come back.

use std::ffi::c_void;
use std::sync::Mutex;

use crate::driver;
use crate::objc::{Id, Sel, lookup, selector};

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size(u64, u64, u64);

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region(Size, Size);

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range(u64, u64);

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport(f64, f64, f64, f64, f64, f64);

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point(f64, f64);

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WordAndDouble(u64, f64);

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DoubleAndWord(f64, u64);

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config(u64, u64, u64, i32, u64, i32, u32, bool, bool);

/// What the last method received.
static RECEIVED: Mutex<String> = Mutex::new(String::new());

fn received(what: &[String]) {
    *RECEIVED.lock().expect("one thread") = what.join(" ");
}

/// For each case a method that notes its arguments and returns a given value; then a call that compares both.
macro_rules! cases {
    ($($name:ident $encoding:literal ($($argument:ident: $kind:ty = $value:expr),*) -> $result:ty = $answer:expr;)*) => {
        pub const CASES: &[(&str, &str)] = &[$((stringify!($name), $encoding)),*];

        mod code {
            use super::*;
            $(pub extern "C-unwind" fn $name(_: Id, _: Sel, $($argument: $kind),*) -> $result {
                received(&[$(format!("{:?}", $argument)),*]);
                $answer
            })*
        }

        /// The code of a case.
        pub fn code_of(name: &str) -> *const c_void {
            match name {
                $(stringify!($name) => code::$name as *const c_void,)*
                _ => unreachable!("a case of the table"),
            }
        }

        /// Calls every method of the table on `object`.
        pub fn call_all(object: Id) {
            $({
                $(let $argument: $kind = $value;)*
                let selector = selector(
                    std::ffi::CStr::from_bytes_with_nul(concat!(stringify!($name), ":\0").as_bytes()).expect("one NUL"));
                // SAFETY: the method was registered with code of this type.
                let result = unsafe {
                    let code: unsafe extern "C-unwind" fn(Id, Sel, $($kind),*) -> $result = lookup(object, selector);
                    code(object, selector, $($argument),*)
                };
                let sent = [$(format!("{:?}", $argument)),*].join(" ");
                assert_eq!(*RECEIVED.lock().expect("one thread"), sent, stringify!($name));
                let answer: $result = $answer;
                assert_eq!(format!("{result:?}"), format!("{answer:?}"), stringify!($name));
            })*
        }
    };
}

cases! {
    nothing "v@:Q" (a: u64 = 1) -> () = ();
    eightWords "Q@:QQQQQQQQ" (a: u64 = 1, b: u64 = 2, c: u64 = 3, d: u64 = 4, e: u64 = 5, f: u64 = 6, g: u64 = 7,
        h: u64 = 8) -> u64 = 0xfeed_beef_dead_c0de;
    sizes "v@:{?=QQQ}{?=QQQ}" (a: Size = Size(1, 2, 3), b: Size = Size(4, 5, 6)) -> () = ();
    twelveWords "v@:@QQ{?=QQQ}{?=QQQ}@QQ{?=QQQ}Q" (a: u64 = 1, b: u64 = 2, c: u64 = 3, d: Size = Size(4, 5, 6),
        e: Size = Size(7, 8, 9), f: u64 = 10, g: u64 = 11, h: u64 = 12, i: Size = Size(13, 14, 15), j: u64 = 16)
        -> () = ();
    rangeInRegisters "v@:@{_NSRange=QQ}" (a: u64 = 1, b: Range = Range(2, 3)) -> () = ();
    rangeOnStack "v@:@QQ{_NSRange=QQ}Q" (a: u64 = 1, b: u64 = 2, c: u64 = 3, d: Range = Range(4, 5), e: u64 = 6)
        -> () = ();
    viewport "v@:{?=dddddd}" (a: Viewport = Viewport(1.5, 2.5, 3.5, 4.5, 5.5, 6.5)) -> () = ();
    blend "v@:ffff" (a: f32 = 1.25, b: f32 = 2.25, c: f32 = 3.25, d: f32 = 4.25) -> () = ();
    sampler "v@:@ffQ" (a: u64 = 1, b: f32 = 2.5, c: f32 = 3.5, d: u64 = 4) -> () = ();
    point "v@:{?=dd}Q" (a: Point = Point(1.5, 2.5), b: u64 = 3) -> () = ();
    mixedArgument "v@:{?=Qd}{?=dQ}" (a: WordAndDouble = WordAndDouble(1, 2.5), b: DoubleAndWord = DoubleAndWord(3.5, 4))
        -> () = ();
    everything "v@:QQQQQQdddddddddd{?=QQQ}f" (a: u64 = 1, b: u64 = 2, c: u64 = 3, d: u64 = 4, e: u64 = 5, f: u64 = 6,
        g: f64 = 7.5, h: f64 = 8.5, i: f64 = 9.5, j: f64 = 10.5, k: f64 = 11.5, l: f64 = 12.5, m: f64 = 13.5,
        n: f64 = 14.5, o: f64 = 15.5, p: f64 = 16.5, q: Size = Size(17, 18, 19), r: f32 = 20.5) -> () = ();
    config "@@:{EncoderComputeServiceConfig=@@@i@iIBB}Q"
        (a: Config = Config(1, 2, 3, -4, 5, -6, 7, true, false), b: u64 = 8) -> u64 = 9;
    aByte "c@:c" (a: i8 = -3) -> i8 = -7;
    aBool "B@:B" (a: bool = true) -> bool = true;
    aShort "s@:s" (a: i16 = -300) -> i16 = -30_000;
    aDouble "d@:d" (a: f64 = 0.1) -> f64 = -0.25;
    aFloat "f@:f" (a: f32 = 0.1) -> f32 = -0.5;
    aPoint "{?=dd}@:Q" (a: u64 = 1) -> Point = Point(2.5, 3.5);
    aRange "{_NSRange=QQ}@:Q" (a: u64 = 1) -> Range = Range(2, 3);
    wordAndDouble "{?=Qd}@:d" (a: f64 = 1.5) -> WordAndDouble = WordAndDouble(7, 8.5);
    doubleAndWord "{?=dQ}@:Q" (a: u64 = 1) -> DoubleAndWord = DoubleAndWord(7.5, 8);
    aSize "{?=QQQ}@:{?=QQQ}" (a: Size = Size(1, 2, 3)) -> Size = Size(4, 5, 6);
    aRegion "{?={?=QQQ}{?=QQQ}}@:QQQQd{?=QQQ}" (a: u64 = 1, b: u64 = 2, c: u64 = 3, d: u64 = 4, e: f64 = 5.5,
        f: Size = Size(6, 7, 8)) -> Region = Region(Size(9, 10, 11), Size(12, 13, 14));
}

/// Registers the driver with every method of the table, and calls them.
pub fn run() {
    driver::register(|mut builder| {
        for (name, encoding) in CASES {
            builder = builder.method(&format!("{name}:"), encoding, code_of(name));
        }
        builder
    });
    let encoder = driver::encoder();
    for _ in 0..3 {
        call_all(encoder);
    }
}
