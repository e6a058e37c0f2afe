//! Says that the migrations are part of the package: they are read when it is compiled.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
