//! Work spread over the machine's cores: a gateway with a thousand agreements should be ready at once.

/// Does each of these things, in shares as many as there are cores, and gives what was made in their order.
/// `None` stands for what panicked.
pub(super) fn spread<T: Send, R: Send>(things: Vec<T>, each: impl Fn(T) -> R + Sync) -> Vec<Option<R>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = things.len().div_ceil(cores).max(1);
    let mut shares = Vec::with_capacity(cores);
    let mut rest = things;
    while !rest.is_empty() {
        let next = rest.split_off(rest.len().min(share));
        shares.push(std::mem::replace(&mut rest, next));
    }
    std::thread::scope(|scope| {
        let each = &each;
        let threads: Vec<_> = shares
            .into_iter()
            .map(|share| {
                let count = share.len();
                let made = scope.spawn(move || share.into_iter().map(each).collect::<Vec<R>>());
                (count, made)
            })
            .collect();
        let made = threads.into_iter().flat_map(|(count, thread)| match thread.join() {
            Ok(made) => made.into_iter().map(Some).collect::<Vec<_>>(),
            Err(_) => (0..count).map(|_| None).collect(),
        });
        made.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_done_in_order_and_a_panic_is_told() {
        for count in [0, 1, 2, 3, 1000] {
            let made = spread((0..count).collect(), |number: usize| number * 2);
            assert_eq!(made, (0..count).map(|number| Some(number * 2)).collect::<Vec<_>>());
        }
        let made = spread(vec![1, 2, 3, 4], |number| assert_ne!(number, 4));
        assert_eq!((made.len(), made.last()), (4, Some(&None)));
    }
}
