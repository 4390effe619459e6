//! What `[ledger]` of `tolbooth.toml` says is kept outside the data folder: the anchor, and where checkpoints are
//! sent. Both are worth something only where a restore of the data folder does not reach.

use std::path::{Path, PathBuf};

use super::gateway::path;
use super::strict::Table;

/// Where what outlives the data folder is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outside {
    /// A file that holds the newest checkpoint, to be compared at the next start.
    pub anchor: Option<PathBuf>,
    pub publish: Option<Publish>,
}

/// Where a checkpoint is sent each hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Publish {
    /// A folder, such as another machine's, mounted.
    Folder(PathBuf),
    /// An `https://` address, and the file of CAs its server's certificate is under.
    Address { url: String, ca: PathBuf },
}

pub(super) fn read(table: Option<&Table<'_>>, home: &Path, data: &Path) -> Outside {
    let anchor = path(table, "anchor", home);
    let ca = path(table, "publish_ca", home);
    let publish = table.and_then(|table| table.optional("publish")).and_then(|item| item.text());
    let publish = match (publish, ca, table) {
        (Some(url), Some(ca), _) if url.starts_with("https://") => {
            Some(Publish::Address { url: url.to_owned(), ca })
        }
        (Some(url), None, Some(table)) if url.starts_with("https://") => {
            let help = "name the file of CAs the server's certificate is under";
            table.fault_with_help("`publish` is an address, and `publish_ca` is missing", help);
            None
        }
        (Some(folder), None, _) => Some(Publish::Folder(home.join(folder))),
        (_, Some(_), Some(table)) => {
            table.fault("`publish_ca` belongs to a `publish` that begins with https://");
            None
        }
        _ => None,
    };
    if let (Some(anchor), Some(table)) = (&anchor, table)
        && anchor.starts_with(data)
    {
        let help = "an old copy of the data folder would bring its old anchor with it: name a file elsewhere";
        table.fault_with_help("`anchor` lies in the data folder", help);
    }
    Outside { anchor, publish }
}

#[cfg(test)]
mod tests {
    use super::super::gateway::parse;
    use super::*;

    fn outside(ledger: &str) -> Result<Outside, String> {
        let least =
            "format = 1\n[gateway]\nmember = \"glenmore\"\n[partners]\ncertificate = \"c\"\nkey = \"k\"\n";
        let gateway =
            parse("tolbooth.toml", &format!("{least}[ledger]\n{ledger}"), Path::new("/etc/tolbooth"));
        gateway.map(|gateway| gateway.outside).map_err(|faults| faults.to_string())
    }

    #[test]
    fn what_is_kept_outside_is_outside_and_says_whom_it_trusts() {
        assert_eq!(outside("").unwrap(), Outside::default());
        let both = outside("anchor = \"/mnt/anchor\"\npublish = \"../elsewhere\"\n").unwrap();
        assert_eq!(both.anchor.unwrap(), Path::new("/mnt/anchor"));
        assert_eq!(both.publish.unwrap(), Publish::Folder("/etc/tolbooth/../elsewhere".into()));
        let address = "publish = \"https://log.example/in\"\n";
        assert!(outside(address).unwrap_err().contains("`publish_ca` is missing"));
        let said = outside(&format!("{address}publish_ca = \"ca.pem\"\n")).unwrap().publish.unwrap();
        let ca = PathBuf::from("/etc/tolbooth/ca.pem");
        assert_eq!(said, Publish::Address { url: "https://log.example/in".to_owned(), ca });
        assert!(outside("publish = \"x\"\npublish_ca = \"ca.pem\"\n").is_err());
        assert!(outside("anchor = \"data/anchor\"\n").unwrap_err().contains("lies in the data folder"));
    }
}
