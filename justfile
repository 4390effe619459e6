# Shorthand only: every recipe is plain cargo, and `just` is never required.

# What must pass before a commit.
check: format lint test

# Fails where `cargo fmt` would change something.
format:
    cargo fmt --check

# Warnings are errors.
lint:
    cargo clippy --all-targets -- -D warnings

# Everything, the house rules included.
test:
    cargo test

# The house rules alone: floors, doors, sizes, names.
house:
    cargo test --test house --test refusals_table --test material

# Breaks the product on purpose, line by line, and sees a named test fail: `just mutate`, or `just mutate decide`.
mutate *words:
    tests/mutations/run {{words}}

# Everything at once, walked through: keys, agreements, two partners, an auditor.
demo *options:
    cargo run --release -- demo {{options}}

# What each stage of the road costs.
bench *filter:
    cargo bench --bench stages {{filter}}

# Throws bytes at what strangers reach first: `just fuzz signature 600`; `fuzz/README.md` lists the targets.
fuzz target seconds="60":
    fuzz/run {{target}} {{seconds}}

# What a ledger of many records takes, and how soon anything is found in it: `just scale 1000000`.
scale records="10000000":
    benches/scale {{records}}
