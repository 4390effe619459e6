//! One good file, and each thing that can be wrong with it.
