//! The modules of the crate as the compiler sees them: their files, what they define, and the paths
//! in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Item, ItemMod, ItemUse, Lit, Meta, UseTree};

/// A path of modules and names, as it is written or from the crate's root.
pub type Name = Vec<String>;

/// One module: a file, or a block `mod name { ... }` in it.
pub struct Module {
    /// The path from the crate's root.
    pub name: Name,
    /// Relative to the crate.
    pub file: String,
    pub children: BTreeMap<String, usize>,
    pub parent: Option<usize>,
    items: BTreeSet<String>,
    /// The names that a `use` defines here.
    imports: BTreeMap<String, Name>,
    globs: Vec<Name>,
    /// Every path that is written here.
    paths: BTreeSet<Name>,
}

pub struct Crate(pub Vec<Module>);

impl Crate {
    /// Read `src/lib.rs` and every file that it leads to.
    pub fn read(root: &Path) -> Crate {
        let mut modules = Crate(Vec::new());
        modules.read_file(root, Path::new("src/lib.rs"), Vec::new(), None);
        modules
    }

    fn read_file(&mut self, root: &Path, file: &Path, name: Name, parent: Option<usize>) -> usize {
        let text = fs::read_to_string(root.join(file)).expect("a source file");
        let parsed = syn::parse_file(&text).expect("a file of Rust");
        self.read_items(root, file, name, parent, &parsed.items)
    }

    fn read_items(
        &mut self,
        root: &Path,
        file: &Path,
        name: Name,
        parent: Option<usize>,
        items: &[Item],
    ) -> usize {
        let index = self.0.len();
        let mut reader = Reader::default();
        items.iter().for_each(|item| reader.visit_item(item));
        self.0.push(Module {
            name: name.clone(),
            file: file.to_str().expect("a name in UTF-8").to_string(),
            children: BTreeMap::new(),
            parent,
            items: items.iter().filter_map(defined).collect(),
            imports: reader.imports,
            globs: reader.globs,
            paths: reader.paths,
        });
        for item in items {
            let Item::Mod(module) = item else { continue };
            let child = module.ident.to_string();
            let name: Name = name.iter().cloned().chain([child.clone()]).collect();
            let child_index = match &module.content {
                Some((_, items)) => self.read_items(root, file, name, Some(index), items),
                None => {
                    let path = file_of(root, file, module);
                    self.read_file(root, &path, name, Some(index))
                }
            };
            let children = &mut self.0[index].children;
            children.entry(child).or_insert(child_index);
        }
        index
    }

    /// Returns the modules that define the things which a module names, with re-exports followed to
    /// their end.
    pub fn named_by(&self, index: usize) -> BTreeSet<usize> {
        let module = &self.0[index];
        let paths = module.paths.iter();
        let found = paths.filter_map(|path| self.resolve(index, path, true));
        found.filter(|found| *found != index).collect()
    }

    /// Returns the module that defines what `path` means in module `at`; `None` if it is not of
    /// this crate.
    fn resolve(&self, at: usize, path: &[String], is_written_here: bool) -> Option<usize> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => return self.walk(0, rest),
            "self" => return self.walk(at, rest),
            "super" => return self.resolve_above(self.0[at].parent?, rest),
            _ => {}
        }
        // A bare name is the module's own or an import; the import is a path of its own.
        if is_written_here && rest.is_empty() {
            return None;
        }
        let module = &self.0[at];
        if module.children.contains_key(first) {
            return self.walk(at, path);
        }
        let import = module.imports.get(first)?;
        let whole: Name = import.iter().chain(rest).cloned().collect();
        if import.first() == Some(first) && import.len() == 1 {
            return None;
        }
        self.resolve(at, &whole, false)
    }

    fn resolve_above(&self, at: usize, rest: &[String]) -> Option<usize> {
        match rest.first().map(String::as_str) {
            Some("super") => self.resolve_above(self.0[at].parent?, &rest[1..]),
            _ => self.walk(at, rest),
        }
    }

    /// Follows a path whose first part is a name in module `at`.
    fn walk(&self, at: usize, path: &[String]) -> Option<usize> {
        let Some((first, rest)) = path.split_first() else {
            return Some(at);
        };
        let module = &self.0[at];
        if let Some(child) = module.children.get(first) {
            return self.walk(*child, rest);
        }
        if module.items.contains(first) {
            return Some(at);
        }
        if let Some(import) = module.imports.get(first) {
            let whole: Name = import.iter().chain(rest).cloned().collect();
            return self.resolve(at, &whole, false);
        }
        let globs = module.globs.iter();
        let found = globs.filter_map(|glob| self.resolve(at, glob, false));
        let found: Vec<usize> = found.filter_map(|glob| self.defines(glob, first)).collect();
        // A macro of `macro_rules!` has no path of its own: its place is where it is defined.
        found.first().copied().or(Some(at))
    }

    fn defines(&self, at: usize, name: &str) -> Option<usize> {
        let module = &self.0[at];
        let is_here = module.items.contains(name) || module.imports.contains_key(name);
        is_here.then(|| self.walk(at, &[name.to_string()]))?
    }
}

/// The file of `mod name;`.
fn file_of(root: &Path, parent: &Path, module: &ItemMod) -> PathBuf {
    let folder = parent.parent().expect("a folder");
    if let Some(path) = module.attrs.iter().find_map(path_attribute) {
        return folder.join(path);
    }
    let stem = parent.file_stem().expect("a name");
    let folder = match stem == "mod" || stem == "lib" {
        true => folder.to_path_buf(),
        false => folder.join(stem),
    };
    let name = module.ident.to_string();
    let alone = folder.join(format!("{name}.rs"));
    match root.join(&alone).exists() {
        true => alone,
        false => folder.join(name).join("mod.rs"),
    }
}

fn path_attribute(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    let Expr::Lit(value) = &pair.value else {
        return None;
    };
    match &value.lit {
        Lit::Str(text) if pair.path.is_ident("path") => Some(text.value()),
        _ => None,
    }
}

/// Returns the name that an item defines, except modules and imports.
fn defined(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(one) => &one.ident,
        Item::Enum(one) => &one.ident,
        Item::Fn(one) => &one.sig.ident,
        Item::Macro(one) => one.ident.as_ref()?,
        Item::Static(one) => &one.ident,
        Item::Struct(one) => &one.ident,
        Item::Trait(one) => &one.ident,
        Item::Type(one) => &one.ident,
        Item::Union(one) => &one.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// Collects the paths of one module, without those of the modules in it.
#[derive(Default)]
struct Reader {
    imports: BTreeMap<String, Name>,
    globs: Vec<Name>,
    paths: BTreeSet<Name>,
}

impl Reader {
    fn read_tree(&mut self, before: &Name, tree: &UseTree) {
        let with = |part: &syn::Ident| -> Name {
            let parts = before.iter().cloned();
            parts.chain([part.to_string()]).collect()
        };
        match tree {
            UseTree::Path(path) => self.read_tree(&with(&path.ident), &path.tree),
            UseTree::Name(name) if name.ident == "self" => {
                let last = before.last().expect("a module before `self`");
                self.import(last.clone(), before.clone());
            }
            UseTree::Name(name) => self.import(name.ident.to_string(), with(&name.ident)),
            UseTree::Rename(name) if name.ident == "self" => {
                self.import(name.rename.to_string(), before.clone());
            }
            UseTree::Rename(name) => self.import(name.rename.to_string(), with(&name.ident)),
            UseTree::Glob(_) => self.globs.push(before.clone()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.read_tree(before, tree);
                }
            }
        }
    }

    fn import(&mut self, name: String, path: Name) {
        self.paths.insert(path.clone());
        self.imports.insert(name, path);
    }

    /// Reads the paths in a macro's arguments.
    fn read_tokens(&mut self, tokens: TokenStream) {
        let mut path = Name::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(part) if path.is_empty() || colons == 2 => {
                    path.push(part.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                }
                other => {
                    self.end_path(&mut path);
                    colons = 0;
                    match other {
                        TokenTree::Group(group) => self.read_tokens(group.stream()),
                        TokenTree::Ident(part) => path.push(part.to_string()),
                        _ => {}
                    }
                }
            }
        }
        self.end_path(&mut path);
    }

    fn end_path(&mut self, path: &mut Name) {
        if path.len() > 1 {
            self.paths.insert(path.clone());
        }
        path.clear();
    }
}

impl<'a> Visit<'a> for Reader {
    fn visit_item_mod(&mut self, _: &'a ItemMod) {}

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        self.read_tree(&Name::new(), &item.tree);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let parts = path.segments.iter().map(|part| part.ident.to_string());
        self.paths.insert(parts.collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, one: &'a syn::Macro) {
        self.read_tokens(one.tokens.clone());
        visit::visit_macro(self, one);
    }

    fn visit_visibility(&mut self, _: &'a syn::Visibility) {}
}
