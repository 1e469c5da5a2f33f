//! Has the linker leave in the wasm what splitting it needs.

fn main() {
    // Where code refers to other code: without it, nothing can be moved to another file.
    println!("cargo::rustc-link-arg-cdylib=--emit-relocs");
}
