//! `manara init`.

use crate::cli::{InitArgs, Place};
use crate::{output, settings};
use manara_model::OrgId;
use manara_store::Store;
use manara_store::people::Organisation;
use serde_json::json;
use std::process::ExitCode;

pub(crate) fn run(place: &Place, args: InitArgs) -> anyhow::Result<ExitCode> {
    let location = settings::location(place)?;
    let folder = location.folder.clone();
    let mut org = Organisation::new(&args.org, &args.country, true)?;
    if let Some(uuid) = args.org_uuid {
        org.uuid = OrgId(uuid);
    }
    let (_store, made) = Store::init_for(location, org, &args.admin)?;
    if args.output.json {
        output::json(&json!({
            "node": made.node, "org": made.org.name, "org_uuid": made.org.uuid, "admin": made.admin,
            "password": made.password, "api_key": made.api_key,
        }))?;
    } else {
        output::line(format!("node      {}", made.node))?;
        output::line(format!("org       {} ({})", made.org.name, made.org.country))?;
        output::line(format!("admin     {}", made.admin))?;
        output::line(format!("password  {}", made.password))?;
        output::line(format!("API key   {}", made.api_key))?;
        output::line(
            "Password and key are shown this once. Next: manara serve --data ".to_owned()
                + &folder.display().to_string(),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
