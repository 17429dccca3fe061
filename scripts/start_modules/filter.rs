// SPDX-License-Identifier: Apache-2.0

// A proxy-wasm filter in Rust without a crate, made large by collections of many types and built without optimisation. For scripts/bench_start.
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

#[link(wasm_import_module = "env")]
extern "C" {
    fn proxy_log(level: u32, data: *const u8, size: usize) -> u32;
    fn proxy_get_buffer_bytes(kind: u32, start: usize, length: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_replace_header_map_value(kind: u32, key: *const u8, key_size: usize, value: *const u8, value_size: usize) -> u32;
}

macro_rules! collections {
    ($($size:literal)*) => {
        fn words(text: &str) -> usize {
            let mut total = 0;
            $({
                let mut hashed: HashMap<[u8; $size], String> = HashMap::new();
                let mut sorted: BTreeMap<[u8; $size], Vec<String>> = BTreeMap::new();
                for (i, word) in text.split(|c: char| !c.is_alphanumeric()).enumerate() {
                    let mut key = [0u8; $size];
                    for (to, from) in key.iter_mut().zip(word.bytes()) {
                        *to = from;
                    }
                    hashed.entry(key).or_insert_with(String::new).push_str(word);
                    sorted.entry(key).or_default().push(format!("{:>width$} {}", word, i, width = $size));
                }
                let mut lines: Vec<(String, usize)> =
                    sorted.iter().map(|(key, list)| (list.join(","), key.len())).collect();
                lines.sort_by(|a, b| b.cmp(a));
                sorted.retain(|_, list| list.len() > 1);
                total += hashed.len() + lines.len() + sorted.len();
            })*
            total
        }
    };
}
collections!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22);

static mut CONFIGURATION: String = String::new();
static mut REQUESTS: usize = 0;

#[no_mangle]
pub extern "C" fn proxy_abi_version_0_2_1() {}

#[no_mangle]
pub extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    Box::leak(vec![0u8; size.max(1)].into_boxed_slice()).as_mut_ptr()
}

#[no_mangle]
pub extern "C" fn proxy_on_vm_start(_: u32, _: u32) -> u32 {
    1
}

#[no_mangle]
pub unsafe extern "C" fn proxy_on_configure(_: u32, size: usize) -> u32 {
    let (mut data, mut length) = (std::ptr::null_mut(), 0);
    proxy_get_buffer_bytes(7, 0, size, &mut data, &mut length);
    let text = String::from_utf8_lossy(std::slice::from_raw_parts(data, length)).into_owned();
    let line = format!("configured: {} {}", text, words(&text));
    proxy_log(1, line.as_ptr(), line.len());
    CONFIGURATION = text;
    1
}

#[no_mangle]
pub extern "C" fn proxy_on_context_create(_: u32, _: u32) {}

#[no_mangle]
pub unsafe extern "C" fn proxy_on_request_headers(_: u32, _: u32, _: u32) -> u32 {
    REQUESTS += 1;
    let mut value = String::new();
    let _ = write!(value, "{} {}", REQUESTS, CONFIGURATION);
    proxy_replace_header_map_value(0, "x-filter".as_ptr(), 8, value.as_ptr(), value.len());
    0
}
