//! The pipeline of docs/book/command.md, as it stands there but for the directory.

mod support;

use support::{ok, own_shm, Folder};

#[test]
fn the_pipeline_of_the_book_counts_the_lines_of_each_file() {
    if !own_shm() {
        return;
    }
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/book/command.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let (_, block) = page.split_once("```toml\n").expect("a block");
    let (block, _) = block.split_once("```").expect("its end");
    let folder = Folder::new("book");
    let headers = folder.0.join("headers");
    std::fs::create_dir(&headers).expect("a directory");
    for number in 1..=9 {
        std::fs::write(
            headers.join(format!("{number}.h")),
            "\n".repeat(number * 100),
        )
        .expect("a file");
    }
    let file = folder.0.join("pipeline.toml");
    let text = block.replace("/usr/include", headers.to_str().expect("UTF-8"));
    assert_ne!(text, block);
    std::fs::write(&file, text).expect("a file");
    let said = ok(&format!("polyproc run {}", file.display()));
    for number in 1..=9 {
        let line = format!("{} {}/{number}.h", number * 100, headers.display());
        assert!(said.contains(&line), "{line} is not in\n{said}");
    }
}
