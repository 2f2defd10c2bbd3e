//! Creating and opening segments.

use std::ffi::CStr;
use std::sync::Arc;

use super::header::{fixed_size, Header};
use super::mapping::Mapping;
use super::Fill;
use super::{names, registry, renew, ObjectType, Segment};
use crate::status::detail::{self, because};
use crate::status::{Result, Status};
use crate::sys::descriptor::OwnedFd;
use crate::sys::memory::{self, FileStatus};
use crate::sys::tmpfile::{create_unnamed, Unnamed};
use crate::sys::{clock, futex, malloc};

/// Options of every create.
#[derive(Clone, Copy, Default, Debug)]
pub struct CreateOptions {
    /// Permission bits of a named object; 0 is 0600.
    pub mode: u32,
    /// Whether to open the object if the name exists.
    pub open_or_create: bool,
}

/// Permissions for the owner alone.
const DEFAULT_MODE: u32 = 0o600;
/// Read and write for owner, group and others. A user that cannot write cannot use an object.
const ALLOWED_MODE: u32 = 0o666;
/// Permission bits of all users but the owner.
const SHARED_MODE: u32 = 0o066;

impl CreateOptions {
    /// The default mode, and open the object if the name exists.
    pub const OPEN_OR_CREATE: CreateOptions = CreateOptions {
        mode: 0,
        open_or_create: true,
    };

    fn checked_mode(&self) -> Result<u32> {
        let mode = if self.mode == 0 {
            DEFAULT_MODE
        } else {
            self.mode
        };
        if mode & !ALLOWED_MODE != 0 || mode & DEFAULT_MODE != DEFAULT_MODE {
            return Err(because!(
                E_INVALID,
                "mode is {mode:#o}: it has 0600, and nothing over 0666"
            ));
        }
        Ok(mode)
    }
}

impl Segment {
    /// Create an object, anonymous if it has no name. If `options` allow it and the name exists,
    /// open the existing object instead.
    ///
    /// `fill` writes a new object's words before any other process can see it. `check` compares the
    /// shape of an existing object with the requested one.
    pub(crate) fn create(
        object: &'static ObjectType,
        name: Option<&str>,
        options: &CreateOptions,
        fill: &Fill<'_>,
        check: &dyn Fn(&Segment) -> Result<()>,
    ) -> Result<Arc<Segment>> {
        Segment::make(object, name, options, fill, check)
            .map_err(|status| detail::at(status, "create", object.kind.name(), name))
    }

    fn make(
        object: &'static ObjectType,
        name: Option<&str>,
        options: &CreateOptions,
        fill: &Fill<'_>,
        check: &dyn Fn(&Segment) -> Result<()>,
    ) -> Result<Arc<Segment>> {
        malloc::check()?;
        let mode = options.checked_mode()?;
        let Some(name) = name else {
            let fd = memory::create_anonymous()?;
            let segment = Segment::build(object, fd, mode, fill)?;
            memory::seal_against_shrinking(&segment.fd)?;
            return registry::find_or(segment.identity, || Ok(segment));
        };
        let path = names::path(name)?;
        loop {
            if options.open_or_create {
                match Segment::open_path(object, &path, Some(mode), Some(fill)) {
                    Err(Status::E_NOT_FOUND) => {}
                    Ok(segment) => {
                        check(&segment)?;
                        return Ok(segment);
                    }
                    Err(other) => return Err(other),
                }
            } else if memory::exists(&path) {
                return Err(because!(E_EXISTS, "an object has that name"));
            }
            let Unnamed {
                fd,
                name: mut provisional,
            } = create_unnamed(mode)?;
            renew::be_a_user(&fd);
            let segment = Segment::build(object, fd, mode, fill)?;
            // This one step makes the object visible. If the process is killed before it, nothing
            // is left behind.
            match provisional.become_named(&segment.fd, &path) {
                Ok(true) => return registry::find_or(segment.identity, || Ok(segment)),
                Ok(false) => continue,
                // Another process was faster. Its object may be gone again when this one opens it.
                Err(Status::E_EXISTS) if options.open_or_create => continue,
                Err(other) => return Err(other),
            }
        }
    }

    /// Open a named object of this user.
    pub(crate) fn open(object: &'static ObjectType, name: &str) -> Result<Arc<Segment>> {
        malloc::check()?;
        Segment::open_path(object, &names::path(name)?, None, None)
    }

    /// Open the object behind a descriptor that another process handed over.
    pub(crate) fn from_fd(object: &'static ObjectType, fd: OwnedFd) -> Result<Arc<Segment>> {
        malloc::check()?;
        Segment::open_file(object, fd, None)
    }

    pub(super) fn build(
        object: &'static ObjectType,
        fd: OwnedFd,
        mode: u32,
        fill: &Fill<'_>,
    ) -> Result<Segment> {
        let fixed = fixed_size(object.kind, object.body);
        memory::allocate(&fd, 0, fixed + object.extra)?;
        let mapping = Mapping::behind_private(&fd, fixed)?;
        let identity = memory::status_of(&fd)?.identity;
        let segment = Segment::unattached(object, mapping, fd, identity)?;
        fill(&segment)?;
        segment.header()?.fill(object.kind, object.body, mode);
        Ok(segment)
    }

    /// With `fill`, an object that is over and not used by any process is made anew.
    fn open_path(
        object: &'static ObjectType,
        path: &CStr,
        asked: Option<u32>,
        fill: Option<&Fill<'_>>,
    ) -> Result<Arc<Segment>> {
        let end = clock::now_ns() + renew::PATIENCE_NS;
        loop {
            let (fd, status) = Segment::checked(path, asked)?;
            if let Some(fill) = fill {
                let mode = asked.unwrap_or(DEFAULT_MODE);
                if renew::may_begin(object, &fd)? {
                    return renew::make_anew(object, fd, &status, mode, fill);
                }
            }
            if renew::be_a_user(&fd) {
                return Segment::open_file(object, fd, Some(status.mode));
            }
            // The object is being made anew. Open the path again, since the file may be unlinked
            // meanwhile.
            if clock::now_ns() > end {
                return Err(Status::E_TIMEOUT);
            }
            futex::sleep(renew::LOOK_NS);
        }
    }

    /// Open the file with this name and check that this process may use it.
    fn checked(path: &CStr, asked: Option<u32>) -> Result<(OwnedFd, FileStatus)> {
        let fd = memory::open_named(path)?;
        let status = memory::status_of(&fd)?;
        if !status.is_file {
            return Err(because!(E_MISMATCH, "what has that name is no file"));
        }
        // Another user's object is opened only by a caller that asked to share with others.
        let shares = asked.is_some_and(|mode| mode & SHARED_MODE != 0);
        if status.owner != memory::effective_user() && !shares {
            return Err(because!(
                E_PERMISSION,
                "the object belongs to another user, and mode does not share with others"
            ));
        }
        if asked.is_some_and(|mode| status.mode & !mode != 0) {
            let theirs = status.mode;
            return Err(because!(
                E_PERMISSION,
                "the object is open to more users, with mode {theirs:#o}, than mode says"
            ));
        }
        Ok((fd, status))
    }

    /// `file_mode` is the mode of a named file; the mode of an anonymous file does not matter.
    fn open_file(
        object: &'static ObjectType,
        fd: OwnedFd,
        file_mode: Option<u32>,
    ) -> Result<Arc<Segment>> {
        let status = memory::status_of(&fd)?;
        if !status.is_file {
            return Err(because!(E_MISMATCH, "the descriptor is not that of a file"));
        }
        let segment = registry::find_or(status.identity, || {
            let fixed = fixed_size(object.kind, object.body);
            if status.size < size_of::<Header>() as u64 {
                return Err(because!(
                    E_MISMATCH,
                    "the file is too short to be an object of polyproc"
                ));
            }
            let first = Mapping::new(&fd, 0, size_of::<Header>() as u64)?;
            let header: &Header = first.view(0)?;
            header.check(object.kind, object.body, file_mode.unwrap_or(0))?;
            if status.size < fixed + object.extra {
                return Err(Status::E_CORRUPT);
            }
            // A planted file may have holes. If /dev/shm is full, a store to a hole would be a
            // SIGBUS.
            memory::allocate(&fd, 0, fixed)?;
            let mapping = Mapping::behind_private(&fd, fixed)?;
            Segment::unattached(object, mapping, fd, status.identity)
        })?;
        segment.check_kind(object)?;
        Ok(segment)
    }
}
