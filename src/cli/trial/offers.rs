//! Datasets a trial can offer without any agreement over them, for `tolbooth agreement new`. They are those of the
//! scenarios, from CSV files.

use std::path::Path;

use clap::ValueEnum;

use super::Fault;
use crate::cli::files::{Readable, write_new};

/// A dataset by the name it has in a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Offer {
    /// Whether social work knows a child, asked by CHI number; personal
    KnownFamilies,
    /// What sensors measure in the streets; nobody is in it
    AirQuality,
}

struct Files {
    id: &'static str,
    contract: &'static str,
    dataset: &'static str,
    source: &'static str,
}

impl Offer {
    fn files(self) -> Files {
        match self {
            Self::KnownFamilies => Files {
                id: "known-families",
                contract: include_str!(
                    "../../../policies/scenarios/13-known-family/schemas/known-families.v1.json"
                ),
                dataset: include_str!(
                    "../../../policies/scenarios/13-known-family/policies/datasets/known-families.toml"
                ),
                source: include_str!(
                    "../../../policies/scenarios/13-known-family/sources/known-families.csv"
                ),
            },
            Self::AirQuality => Files {
                id: "air-quality",
                contract: include_str!(
                    "../../../policies/scenarios/09-air-quality/schemas/air-quality.v1.json"
                ),
                dataset: include_str!(
                    "../../../policies/scenarios/09-air-quality/policies/datasets/air-quality.toml"
                ),
                source: include_str!("../../../policies/scenarios/09-air-quality/sources/air-quality.csv"),
            },
        }
    }

    /// Writes contract, dataset file and source, each where the others look for it.
    pub fn write(self, home: &Path) -> Result<(), Fault> {
        let Files { id, contract, dataset, source } = self.files();
        let write = |path: String, text: &str| write_new(home.join(path), text.as_bytes(), Readable::ByAll);
        write(format!("schemas/{id}.v1.json"), contract)?;
        write(format!("policies/datasets/{id}.toml"), dataset)?;
        write(format!("sources/{id}.csv"), source)?;
        Ok(())
    }
}
