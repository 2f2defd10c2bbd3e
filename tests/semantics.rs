//! The promises of each primitive, and the test of each promise: `tests/semantics.txt`. `make test`
//! prints the list.

use std::fs;
use std::path::Path;

#[test]
fn every_promise_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = fs::read_to_string(root.join("tests/semantics.txt")).expect("the list");
    let promises = list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (mut count, mut missing) = (0, Vec::new());
    println!("\nWhat each primitive promises, and the test that shows it\n");
    for promise in promises {
        let parts: Vec<&str> = promise.split(" | ").collect();
        let [object, text, place] = parts[..] else {
            panic!("not three parts: {promise}");
        };
        let (file, test) = place.split_once(": ").expect("a file and a test");
        println!("{object:<15} {text}\n{:<15}   {file}: {test}", "");
        let source = fs::read_to_string(root.join(file)).unwrap_or_default();
        if !has_test(&source, test) {
            missing.push(promise);
        }
        count += 1;
    }
    println!("\n{count} promises, each with a test");
    assert!(count > 50, "only {count} promises were found");
    assert!(missing.is_empty(), "no test of:\n{}", missing.join("\n"));
}

/// A Rust test counts by its attribute, a function of a C program if the program calls it.
fn has_test(source: &str, test: &str) -> bool {
    source.contains(&format!("#[test]\nfn {test}()"))
        || source.contains(&format!(" void {test}("))
            && (source.contains(&format!("  {test}();"))
                || source.contains(&format!("  {test}(way);")))
}
