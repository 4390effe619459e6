//! `POST /rebuild`: throws away what is folded from the journal and folds it anew, with progress. Nothing of the
//! record is shown or changed, and searches read the journal meanwhile: so it is no look.

use http::Response;
use serde_json::json;

use crate::desk::FoldFault;
use crate::ledger::search::Progress;

use super::body::{Lines, Maker};
use super::{Admin, Refused};

pub(super) fn rebuild(admin: &Admin, by: String) -> Result<Response<Lines>, Refused> {
    let place = admin.place()?;
    let (maker, lines) = Lines::new();
    let admin = admin.clone();
    tokio::task::spawn_blocking(move || {
        let _place = place;
        tracing::info!(by, "the index is thrown away and folded anew");
        match anew(&admin, &maker) {
            Ok((segments, records)) => {
                maker.line(&json!({ "done": { "segments": segments, "records": records } }));
            }
            Err(fault) => {
                maker.line(&json!({ "refused": format!("the index was not rebuilt: {fault}") }));
            }
        }
    });
    Ok(Response::new(lines))
}

/// How many segments were folded, and how many records are in them.
fn anew(admin: &Admin, maker: &Maker) -> Result<(u64, u64), FoldFault> {
    let mut records = 0;
    let mut progress = |told: Progress| {
        records = told.records;
        maker.progress(&told)
    };
    let segments = admin.fold.rebuild(&admin.ledger, admin.clock.monotonic(), &mut progress)?;
    Ok((segments, records))
}
