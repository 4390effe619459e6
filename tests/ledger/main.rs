//! The ledger as the road, the auditor and the crash see it.

#[cfg(test)]
mod crash;
#[cfg(test)]
mod days;
#[cfg(test)]
mod faulty;
#[cfg(test)]
mod intent;
#[cfg(test)]
mod logbook;
#[cfg(test)]
mod packed;
#[cfg(test)]
mod packing;
#[cfg(test)]
mod record;
#[cfg(test)]
mod verify;
