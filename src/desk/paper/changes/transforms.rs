//! Whether one transform lets more through than another. Only where what the one tells can be worked out from what
//! the other tells; everything else is for people.

use std::collections::BTreeSet;

use super::Direction::{self, Narrower, Unjudged, Wider};
use crate::model::Transform;

pub(super) fn judge(old: &Transform, new: &Transform) -> Direction {
    if let (Transform::MaskKeepLast { characters: old }, Transform::MaskKeepLast { characters: new }) =
        (old, new)
    {
        // Of a text no longer than what is kept nothing is told: with fewer kept, shorter texts begin to show.
        return if new > old { Wider } else { Unjudged };
    }
    if follows(old, new) {
        Wider
    } else if follows(new, old) {
        Narrower
    } else {
        Unjudged
    }
}

/// Whether what `less` lets through follows from what `more` lets through, and not the other way round.
fn follows(less: &Transform, more: &Transform) -> bool {
    match (less, more) {
        (Transform::None, _) => false,
        // Each is made from the value itself.
        (_, Transform::None) => true,
        // A coarser step tells less, though near a half not always what rounding the finer again would.
        (Transform::Round { to: less }, Transform::Round { to: more }) => {
            less > more && (less / more).fract() == 0.0
        }
        (Transform::AgeBand { bands: less }, Transform::AgeBand { bands: more }) => {
            let limits =
                |bands: &[crate::model::Band]| bands.iter().map(|band| band.from).collect::<BTreeSet<_>>();
            let (less, more) = (limits(less), limits(more));
            less.len() < more.len() && less.is_subset(&more)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Band;

    fn bands(from: &[u32]) -> Transform {
        let band = |from: &u32| Band { from: *from, label: from.to_string() };
        Transform::AgeBand { bands: from.iter().map(band).collect() }
    }

    #[test]
    fn only_what_follows_from_another_is_judged() {
        assert_eq!(judge(&Transform::YearOfBirth, &Transform::None), Wider);
        assert_eq!(judge(&Transform::None, &Transform::Pseudonym), Narrower);
        let masked = |characters| Transform::MaskKeepLast { characters };
        assert_eq!(judge(&masked(2), &masked(4)), Wider);
        assert_eq!(judge(&masked(4), &masked(2)), Unjudged);
        assert_eq!(judge(&Transform::Round { to: 5.0 }, &Transform::Round { to: 10.0 }), Narrower);
        assert_eq!(judge(&Transform::Round { to: 5.0 }, &Transform::Round { to: 7.0 }), Unjudged);
        assert_eq!(judge(&bands(&[0, 16]), &bands(&[0, 12, 16])), Wider);
        assert_eq!(judge(&bands(&[0, 16]), &bands(&[0, 18])), Unjudged);
        assert_eq!(judge(&Transform::YearOfBirth, &bands(&[0, 16])), Unjudged);
    }
}
