//! A real gateway under load, its whole data folder on ext4 in a file. The process is stopped in the middle of
//! whatever it does and the file is copied at once: what of the page cache had not reached the disk is lost with it.
//! The next gateway starts on the copy.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::gateway::{CHECK, CHI, NURSE, asks};
use crate::support::held::Held;
use crate::support::image::{Image, Mounted, skipped};
use crate::support::served::Served;
use crate::support::site::Site;
use crate::support::steady::Steady;
use crate::support::until;

const ROUNDS: usize = 10;
const THREADS: usize = 4;
const DISK_BYTES: u64 = 64 << 20;

/// Stops every thread of the gateway where it is.
fn freeze(served: &Served) {
    let pid = served.pid();
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::STOP).unwrap();
    until("all threads stand still", || {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let stopped = |task: std::io::Result<std::fs::DirEntry>| {
            let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap_or_default();
            stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
        };
        tasks.into_iter().all(stopped).then_some(())
    });
}

/// Asks from several threads until `enough` answers are in hand, and then cuts the power. Gives the disk as it was.
fn cut(site: &Site, served: Served, disk: &Image, name: &str, enough: usize, held: &mut Held) -> Image {
    let (sender, receipts) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let (sender, address) = (sender.clone(), served.partners);
            scope.spawn(move || {
                let Ok(mut partner) = Steady::connect(&site.trial.ca, &site.trial.nhs, address) else {
                    return;
                };
                while let Ok(said) = partner.ask(CHECK, &NURSE, &asks(CHI)) {
                    assert_eq!((said.status, said.outcome()), (200, "answered"), "{said:?}");
                    sender.send(said.header("tolbooth-receipt").to_owned()).unwrap();
                }
            });
        }
        drop(sender);
        let mut all: Vec<String> = receipts.iter().take(enough).collect();
        freeze(&served);
        let left = disk.copy(site.scratch.path().join(name));
        served.kill();
        // Those that were on their way are in hand too.
        all.extend(receipts.iter());
        assert!(all.len() >= enough);
        all.iter().for_each(|receipt| held.take(receipt, site));
        left
    })
}

/// A site with its data folder on a disk of its own; `None`, said loudly, where there can be none.
fn site_on_a_disk(name: &str, test: &str) -> Option<(Site, PathBuf, Image, Mounted)> {
    let site = Site::new(name);
    let data = site.home.join("data");
    std::fs::create_dir_all(&data).unwrap();
    let disk = Image::holding(&data, site.scratch.path().join("disk"), DISK_BYTES);
    match disk.and_then(|disk| Ok((disk.mount(&data)?, disk))) {
        Ok((mounted, disk)) => Some((site, data, disk, mounted)),
        Err(why) => {
            skipped(test, &why);
            None
        }
    }
}

#[test]
fn a_power_cut_under_load_loses_nothing_that_anybody_holds_a_receipt_for() {
    let there = site_on_a_disk("power", "a power cut under a real gateway");
    let Some((site, data, mut disk, mut mounted)) = there else { return };
    let mut held = Held::default();
    for number in 0..ROUNDS {
        let served = Served::start(&site);
        held.are_in(&site);
        let left = cut(&site, served, &disk, &format!("disk-{number}"), 40 + number * 67 % 211, &mut held);
        drop(mounted);
        std::fs::remove_file(disk.file()).unwrap();
        (mounted, disk) = (left.mount(&data).unwrap(), left);
    }
    let served = Served::start(&site);
    held.are_in(&site);
    // It still answers, and on the same log.
    let said = served.nhs(&site).ask(CHECK, &NURSE, &asks(CHI));
    held.take(said.header("tolbooth-receipt"), &site);
    held.are_in(&site);
    served.kill();
    drop(mounted);
}

/// The names in the journal's folder.
fn names(site: &Site) -> BTreeSet<std::ffi::OsString> {
    std::fs::read_dir(site.journal()).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

/// Segments are packed behind the road, and what was packed is taken away: cut while names come and go, every record is
/// in one file or the other.
#[test]
fn a_power_cut_while_segments_are_packed_loses_nothing() {
    let there = site_on_a_disk("packing", "a power cut while segments are packed");
    let Some((site, data, mut disk, mut mounted)) = there else { return };
    let mut held = Held::default();
    let served = Served::start(&site);
    let mut partner = Steady::connect(&site.trial.ca, &site.trial.nhs, served.partners).unwrap();
    // Enough for four segments, faster than they are folded and packed.
    while !site.journal().join("00000005.segment").exists() {
        let said = partner.ask(CHECK, &NURSE, &asks(CHI)).unwrap();
        held.take(said.header("tolbooth-receipt"), &site);
    }
    served.kill();
    let mut packed = 0;
    for number in 0..5 {
        let before = names(&site);
        let served = Served::start(&site);
        // At the first change, and at later ones.
        let mut seen = before.clone();
        let mut changes = 0;
        until("segments are packed", || {
            let now = names(&site);
            changes += usize::from(now != seen);
            let done =
                now.iter().all(|name| !name.to_string_lossy().ends_with(".segment") || *name > *"00000004.");
            seen = now;
            (changes > number || done).then_some(())
        });
        freeze(&served);
        let left = disk.copy(site.scratch.path().join(format!("disk-{number}")));
        served.kill();
        drop(mounted);
        std::fs::remove_file(disk.file()).unwrap();
        (mounted, disk) = (left.mount(&data).unwrap(), left);
        held.are_in(&site);
        packed += usize::from(names(&site) != before);
    }
    assert!(packed > 0, "nothing was ever packed");
    let served = Served::start(&site);
    held.are_in(&site);
    let said = served.nhs(&site).ask(CHECK, &NURSE, &asks(CHI));
    held.take(said.header("tolbooth-receipt"), &site);
    held.are_in(&site);
    served.kill();
    drop(mounted);
}
