//! Python's binding of polyproc: the classes that `python/polyproc` is made of.
//!
//! ```text
//! lock semaphore event condition barrier      one class per object; acquire: what they share
//! queue connection                            messages: queues and pipes
//! pickle msgpack pairs                        Python's values as bytes
//! wait                                        how a Python thread waits
//! buffer                                      Python's buffer protocol
//! shortcut                                    methods without PyO3's way into them
//! tasks                                       the hot paths of Pool and ProcessPoolExecutor
//! workers                                     pools of programs in any language
//! parent                                      daemons die with their parent
//! errors                                      a status as Python's exception
//! ```

mod acquire;
mod barrier;
mod buffer;
mod condition;
mod connection;
mod errors;
mod event;
mod lock;
mod msgpack;
mod object;
mod pairs;
mod parent;
mod pickle;
mod queue;
mod semaphore;
mod shortcut;
mod tasks;
mod wait;
mod workers;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // A signal ends a wait, so that Python can run its handlers.
    polyproc::interruptible(true);
    polyproc::look_for_signals(wait::look);
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<lock::Lock>()?;
    module.add_class::<lock::RLock>()?;
    module.add_class::<semaphore::Semaphore>()?;
    module.add_class::<semaphore::BoundedSemaphore>()?;
    lock::Lock::install_shortcuts(module.py())?;
    lock::RLock::install_shortcuts(module.py())?;
    semaphore::Semaphore::install_shortcuts(module.py())?;
    module.add_class::<event::Event>()?;
    module.add_class::<condition::Condition>()?;
    module.add_class::<barrier::Barrier>()?;
    module.add_class::<queue::Queue>()?;
    module.add_class::<queue::message::Message>()?;
    module.add_class::<queue::slot::Slot>()?;
    module.add_class::<queue::info::QueueInfo>()?;
    module.add_class::<connection::Connection>()?;
    module.add_function(wrap_pyfunction!(connection::pipe, module)?)?;
    module.add_function(wrap_pyfunction!(pickle::dumps, module)?)?;
    module.add_function(wrap_pyfunction!(pickle::loads_of, module)?)?;
    module.add_function(wrap_pyfunction!(pickle::load_into, module)?)?;
    module.add_function(wrap_pyfunction!(tasks::put_task, module)?)?;
    module.add_function(wrap_pyfunction!(tasks::run_tasks, module)?)?;
    module.add_function(wrap_pyfunction!(tasks::get_reports, module)?)?;
    module.add_class::<workers::ProgramPool>()?;
    module.add_class::<workers::ProgramTask>()?;
    module.add_function(wrap_pyfunction!(workers::register_function, module)?)?;
    module.add_function(wrap_pyfunction!(workers::run_worker, module)?)?;
    module.add_function(wrap_pyfunction!(msgpack::pack, module)?)?;
    module.add_function(wrap_pyfunction!(msgpack::unpack, module)?)?;
    module.add_function(wrap_pyfunction!(object::unlink, module)?)?;
    module.add_function(wrap_pyfunction!(object::list_objects, module)?)?;
    module.add_function(wrap_pyfunction!(object::inherited, module)?)?;
    module.add_function(wrap_pyfunction!(parent::die_with_parent, module)?)?;
    Ok(())
}
