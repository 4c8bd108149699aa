//! The table of actions: what is asked where, with which right, and which of PyMISP's methods asks it.
//! The router, the documentation and the tests read it.

use crate::answer::{Answer, Fault};
use crate::context::Context;
use manara_model::role::Right;
use manara_model::role::Right::{Admin, Manage, Read, Sync, Write};

/// How much of it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// As MISP does it.
    Full,
    /// Not all of it: what is missing.
    Partial(&'static str),
    /// There is nothing of it here: why.
    NotHere(&'static str),
}

use Status::{Full, NotHere, Partial};

/// One action.
pub struct Action {
    /// Lower case, without `_`.
    pub controller: &'static str,
    /// Lower case, without `_`; `*`: whatever else is asked of the controller (`/attributes/5`).
    pub action: &'static str,
    /// The right that it needs.
    pub right: Right,
    /// Methods of PyMISP's main class that call it.
    pub pymisp: &'static [&'static str],
    /// How much of it is there.
    pub status: Status,
    /// What does it.
    pub run: fn(&Context<'_>) -> Result<Answer, Fault>,
}

type Run = fn(&Context<'_>) -> Result<Answer, Fault>;

const fn on(
    controller: &'static str,
    action: &'static str,
    right: Right,
    pymisp: &'static [&'static str],
    status: Status,
    run: Run,
) -> Action {
    Action { controller, action, right, pymisp, status, run }
}

const NO_MAIL: Status = NotHere("the node sends no mail yet");
const NO_MODULES: Status = NotHere("no enrichment service is connected to a node");
const FETCHED: Status = Partial("tag collections are not put on");
const NO_WORKERS: Status = NotHere("a node is one program without workers");
const ON_NODE: Status = NotHere("a node's settings are its configuration file's");
const AS_FILES: Status = Partial("answers, changes nothing: knowledge comes with `manara import`");
const OWN_ROLES: Status =
    Partial("beside the five fixed roles; flags of what a node does not have are kept and grant nothing");

/// The table.
pub const ACTIONS: &[Action] = &[
    // Events
    on("events", "index", Read, &["events", "search_index"], Full, |context| context.events_index()),
    on("events", "view", Read, &["get_event", "event_exists"], Full, |context| context.events_view()),
    on("events", "add", Write, &["add_event"], Full, |context| context.events_add()),
    on("events", "edit", Write, &["update_event"], Full, |context| context.events_edit()),
    on("events", "delete", Write, &["delete_event"], Full, |context| context.events_delete()),
    on("events", "publish", Write, &["publish"], Partial("no mail goes out"), |context| context.events_publish()),
    on("events", "alert", Write, &[], Partial("published; no mail goes out"), |context| context.events_publish()),
    on("events", "unpublish", Write, &["unpublish"], Full, |context| context.events_unpublish()),
    on("events", "contact", Read, &["contact_event_reporter"], NO_MAIL, |context| context.events_contact()),
    on("events", "enrichevent", Write, &["enrich_event"], NO_MODULES, |context| context.not_configured()),
    on(
        "events",
        "pusheventtozmq",
        Write,
        &["push_event_to_ZMQ"],
        NotHere("no message queue is connected"),
        |context| context.not_configured(),
    ),
    on("events", "freetextimport", Write, &["freetext"], Full, |context| context.events_free_text()),
    on(
        "events",
        "restsearch",
        Read,
        &["search"],
        Partial("stix 1 is not written; attack and context come as JSON, not as pages"),
        |context| context.events_search(),
    ),
    on("events", "filtereventidsforpush", Sync, &[], Full, |context| context.events_filter_for_push()),
    on("events", "queryacl", Read, &["remote_acl"], Partial("the actions of this door"), |context| context.acl()),
    on("events", "addtag", Write, &[], Full, |context| context.tags_attach()),
    on("events", "removetag", Write, &[], Full, |context| context.tags_attach()),
    on("events", "uploadstix", Write, &["upload_stix"], Partial("no STIX 1"), |context| context.upload_stix()),
    on("events", "pushproposals", Sync, &[], Full, |context| context.events_push_proposals()),
    on("events", "*", Read, &[], Full, |context| context.events_view()),
    // Attributes
    on("attributes", "index", Read, &["attributes"], Full, |context| context.attributes_index()),
    on("attributes", "view", Read, &["get_attribute", "attribute_exists"], Full, |context| context.attributes_view()),
    on("attributes", "add", Write, &["add_attribute"], Full, |context| context.attributes_add()),
    on("attributes", "edit", Write, &["update_attribute"], Full, |context| context.attributes_edit()),
    on("attributes", "delete", Write, &["delete_attribute"], Full, |context| context.attributes_delete()),
    on("attributes", "restore", Write, &["restore_attribute"], Full, |context| context.attributes_restore()),
    on("attributes", "enrich", Write, &["enrich_attribute"], NO_MODULES, |context| context.not_configured()),
    on(
        "attributes",
        "restsearch",
        Read,
        &[],
        Partial("stix 1 is not written; attack and context come as JSON, not as pages"),
        |context| context.attributes_search(),
    ),
    on("attributes", "describetypes", Read, &["describe_types_remote"], Full, |context| context.describe_types()),
    on("attributes", "attributestatistics", Read, &["attributes_statistics"], Full, |context| {
        context.attribute_statistics()
    }),
    on("attributes", "addtag", Write, &[], Full, |context| context.tags_attach()),
    on("attributes", "removetag", Write, &[], Full, |context| context.tags_attach()),
    on("attributes", "*", Read, &[], Full, |context| context.attributes_view()),
    // Objects
    on("objects", "add", Write, &["add_object"], Full, |context| context.objects_add()),
    on("objects", "edit", Write, &["update_object"], Full, |context| context.objects_edit()),
    on("objects", "view", Read, &["get_object", "object_exists"], Full, |context| context.objects_view()),
    on("objects", "delete", Write, &["delete_object"], Full, |context| context.objects_delete()),
    on("objects", "restsearch", Read, &[], Partial("json only"), |context| context.objects_search()),
    on("objects", "*", Read, &[], Full, |context| context.objects_view()),
    on("objectreferences", "add", Write, &["add_object_reference"], Full, |context| context.references_add()),
    on("objectreferences", "delete", Write, &["delete_object_reference"], Full, |context| context.references_delete()),
    on("objecttemplates", "index", Read, &["object_templates"], Full, |context| context.templates_index()),
    on("objecttemplates", "view", Read, &["get_object_template"], Full, |context| context.templates_view()),
    on("objecttemplates", "getraw", Read, &["get_raw_object_template"], Full, |context| context.templates_view()),
    on("objecttemplates", "update", Admin, &["update_object_templates"], AS_FILES, |context| {
        context.knowledge_update()
    }),
    // Proposals
    on("shadowattributes", "index", Read, &["attribute_proposals"], Full, |context| context.proposals_index()),
    on("shadowattributes", "view", Read, &["get_attribute_proposal"], Full, |context| context.proposals_view()),
    on("shadowattributes", "add", Write, &["add_attribute_proposal"], Full, |context| context.proposals_add()),
    on("shadowattributes", "edit", Write, &["update_attribute_proposal"], Full, |context| context.proposals_edit()),
    on("shadowattributes", "delete", Write, &["delete_attribute_proposal"], Full, |context| context.proposals_edit()),
    on("shadowattributes", "accept", Write, &["accept_attribute_proposal"], Full, |context| context.proposals_decide()),
    on("shadowattributes", "discard", Write, &["discard_attribute_proposal"], Full, |context| {
        context.proposals_decide()
    }),
    // Reports
    on("eventreports", "index", Read, &["get_event_reports"], Full, |context| context.reports_index()),
    on("eventreports", "view", Read, &["get_event_report"], Full, |context| context.reports_view()),
    on("eventreports", "add", Write, &["add_event_report"], Full, |context| context.reports_add()),
    on("eventreports", "edit", Write, &["update_event_report"], Full, |context| context.reports_edit()),
    on("eventreports", "delete", Write, &["delete_event_report"], Full, |context| context.reports_edit()),
    on("eventreports", "restore", Write, &[], Full, |context| context.reports_edit()),
    // Analyst data
    on("analystdata", "index", Read, &[], Full, |context| context.analyst_index()),
    on("analystdata", "view", Read, &["get_analyst_data"], Full, |context| context.analyst_view()),
    on("analystdata", "add", Write, &["add_analyst_data"], Full, |context| context.analyst_add()),
    on("analystdata", "edit", Write, &["update_analyst_data"], Full, |context| context.analyst_edit()),
    on("analystdata", "delete", Write, &["delete_analyst_data"], Full, |context| context.analyst_delete()),
    on("analystdata", "indexminimal", Read, &[], Full, |context| context.analyst_minimal()),
    on("analystdata", "filteranalystdataforpush", Sync, &[], Full, |context| context.analyst_filter()),
    on("analystdata", "pushanalystdata", Sync, &[], Full, |context| context.analyst_push()),
    // Sightings
    on("sightings", "index", Read, &["sightings"], Full, |context| context.sightings_list()),
    on("sightings", "listsightings", Read, &[], Full, |context| context.sightings_list()),
    on("sightings", "add", Write, &["add_sighting"], Full, |context| context.sightings_add()),
    on("sightings", "delete", Write, &["delete_sighting"], Full, |context| context.sightings_delete()),
    on("sightings", "restsearch", Read, &["search_sightings"], Full, |context| context.sightings_search()),
    on("sightings", "filtersightinguuidsforpush", Sync, &[], Full, |context| context.sightings_filter_for_push()),
    on("sightings", "bulksavesightings", Sync, &[], Full, |context| context.sightings_bulk()),
    // Tags
    on("tags", "index", Read, &["tags"], Full, |context| context.tags_index()),
    on("tags", "view", Read, &["get_tag"], Full, |context| context.tags_view()),
    on("tags", "add", Write, &["add_tag"], Full, |context| context.tags_add()),
    on(
        "tags",
        "edit",
        Admin,
        &["update_tag", "enable_tag", "disable_tag"],
        Partial("one that stands on records keeps its name"),
        |context| context.tags_edit(),
    ),
    on("tags", "delete", Admin, &["delete_tag"], Partial("not while it stands on records"), |context| {
        context.tags_delete()
    }),
    on("tags", "search", Read, &["search_tags"], Full, |context| context.tags_search()),
    on("tags", "attachtagtoobject", Write, &["tag"], Full, |context| context.tags_attach()),
    on("tags", "removetagfromobject", Write, &["untag"], Full, |context| context.tags_attach()),
    on("tags", "tagstatistics", Read, &["tags_statistics"], Full, |context| context.tag_statistics()),
    on("tags", "*", Read, &[], Full, |context| context.tags_view()),
    // Knowledge
    on("taxonomies", "index", Read, &["taxonomies"], Full, |context| context.taxonomies_index()),
    on("taxonomies", "view", Read, &["get_taxonomy"], Full, |context| context.taxonomies_view()),
    on("taxonomies", "enable", Admin, &["enable_taxonomy"], Full, |context| context.taxonomies_set()),
    on("taxonomies", "disable", Admin, &["disable_taxonomy"], Full, |context| context.taxonomies_set()),
    on("taxonomies", "addtag", Admin, &["enable_taxonomy_tags"], Full, |context| context.taxonomies_set()),
    on("taxonomies", "disabletag", Admin, &["disable_taxonomy_tags"], Full, |context| context.taxonomies_set()),
    on("taxonomies", "togglerequired", Admin, &["set_taxonomy_required"], Full, |context| context.taxonomies_set()),
    on("taxonomies", "update", Admin, &["update_taxonomies"], AS_FILES, |context| context.knowledge_update()),
    on("warninglists", "index", Read, &["warninglists"], Full, |context| context.warninglists_index()),
    on("warninglists", "view", Read, &["get_warninglist"], Full, |context| context.warninglists_view()),
    on(
        "warninglists",
        "toggleenable",
        Admin,
        &["toggle_warninglist", "enable_warninglist", "disable_warninglist"],
        Full,
        |context| context.warninglists_toggle(),
    ),
    on("warninglists", "checkvalue", Read, &["values_in_warninglist"], Full, |context| context.warninglists_check()),
    on("warninglists", "update", Admin, &["update_warninglists"], AS_FILES, |context| context.knowledge_update()),
    on("noticelists", "index", Read, &["noticelists"], Full, |context| context.noticelists()),
    on("noticelists", "view", Read, &["get_noticelist"], Full, |context| context.noticelists()),
    on("noticelists", "enable", Admin, &["enable_noticelist"], Full, |context| context.noticelists()),
    on("noticelists", "disable", Admin, &["disable_noticelist"], Full, |context| context.noticelists()),
    on("noticelists", "enablenoticelist", Admin, &[], Full, |context| context.noticelists()),
    on("noticelists", "update", Admin, &["update_noticelists"], AS_FILES, |context| context.knowledge_update()),
    on("galaxies", "index", Read, &["galaxies", "search_galaxy"], Full, |context| context.galaxies_index()),
    on("galaxies", "view", Read, &["get_galaxy"], Full, |context| context.galaxies_view()),
    on("galaxies", "update", Admin, &["update_galaxies"], AS_FILES, |context| context.knowledge_update()),
    on("galaxies", "attachcluster", Write, &["attach_galaxy_cluster"], Full, |context| context.clusters_attach()),
    on("galaxies", "pushcluster", Sync, &[], Full, |context| context.clusters_push()),
    on("galaxies", "import", Write, &[], Full, |context| context.clusters_push()),
    on("galaxies", "export", Read, &[], Partial("its clusters as JSON, as galaxies/import takes them"), |context| {
        context.galaxies_export()
    }),
    on("galaxyclusters", "index", Read, &["search_galaxy_clusters"], Full, |context| context.clusters_index()),
    on("galaxyclusters", "view", Read, &["get_galaxy_cluster"], Full, |context| context.clusters_view()),
    on("galaxyclusters", "restsearch", Read, &[], Full, |context| context.clusters_search()),
    on("galaxyclusters", "add", Write, &["add_galaxy_cluster", "fork_galaxy_cluster"], Full, |context| {
        context.clusters_add()
    }),
    on("galaxyclusters", "edit", Write, &["update_galaxy_cluster"], Full, |context| context.clusters_edit()),
    on("galaxyclusters", "publish", Write, &["publish_galaxy_cluster"], Full, |context| context.clusters_publish()),
    on("galaxyclusters", "unpublish", Write, &[], Full, |context| context.clusters_publish()),
    on("galaxyclusters", "delete", Write, &["delete_galaxy_cluster"], Full, |context| context.clusters_delete()),
    on("galaxyclusters", "restore", Write, &[], Full, |context| context.clusters_restore()),
    on("galaxyclusterrelations", "add", Write, &["add_galaxy_cluster_relation"], Full, |context| {
        context.relations_add()
    }),
    on("galaxyclusterrelations", "edit", Write, &["update_galaxy_cluster_relation"], Full, |context| {
        context.relations_edit()
    }),
    on("galaxyclusterrelations", "delete", Write, &["delete_galaxy_cluster_relation"], Full, |context| {
        context.relations_delete()
    }),
    on("decayingmodel", "index", Read, &["decaying_models"], Full, |context| context.models_index()),
    on("decayingmodel", "view", Read, &[], Full, |context| context.models_view()),
    on("decayingmodel", "import", Admin, &[], Full, |context| context.models_add()),
    on("decayingmodel", "add", Admin, &[], Full, |context| context.models_add()),
    on("decayingmodel", "edit", Admin, &[], Full, |context| context.models_edit()),
    on("decayingmodel", "delete", Admin, &[], Full, |context| context.models_delete()),
    on("decayingmodel", "enable", Admin, &["enable_decaying_model"], Full, |context| context.models_enable()),
    on("decayingmodel", "disable", Admin, &["disable_decaying_model"], Full, |context| context.models_enable()),
    on("decayingmodel", "update", Admin, &["update_decaying_models"], Full, |context| context.models_update()),
    on("decayingmodel", "export", Read, &[], Full, |context| context.models_export()),
    on("correlationexclusions", "index", Read, &["correlation_exclusions"], Full, |context| context.entries_index()),
    on("correlationexclusions", "view", Read, &["get_correlation_exclusion"], Full, |context| context.entries_view()),
    on("correlationexclusions", "add", Admin, &["add_correlation_exclusion"], Full, |context| context.entries_add()),
    on("correlationexclusions", "delete", Admin, &["delete_correlation_exclusion"], Full, |context| {
        context.entries_delete()
    }),
    on("correlationexclusions", "clean", Admin, &["clean_correlation_exclusions"], Full, |context| {
        context.exclusions_clean()
    }),
    on(
        "correlations",
        "overcorrelations",
        Admin,
        &[],
        Partial("the first thousand, as counted when generateOccurrences was asked last; how often, as of now"),
        |context| context.crowded_values(),
    ),
    on("correlations", "generateoccurrences", Admin, &[], Full, |context| context.crowded_count()),
    // Block lists
    on("eventblocklists", "index", Admin, &["event_blocklists"], Full, |context| context.entries_index()),
    on("eventblocklists", "add", Admin, &["add_event_blocklist"], Full, |context| context.entries_add()),
    on("eventblocklists", "edit", Admin, &["update_event_blocklist"], Full, |context| context.entries_edit()),
    on("eventblocklists", "delete", Admin, &["delete_event_blocklist"], Full, |context| context.entries_delete()),
    on("galaxyclusterblocklists", "index", Admin, &[], Full, |context| context.entries_index()),
    on("galaxyclusterblocklists", "add", Admin, &[], Full, |context| context.entries_add()),
    on("galaxyclusterblocklists", "edit", Admin, &[], Full, |context| context.entries_edit()),
    on("galaxyclusterblocklists", "delete", Admin, &[], Full, |context| context.entries_delete()),
    on("orgblocklists", "index", Admin, &["organisation_blocklists"], Full, |context| context.entries_index()),
    on("orgblocklists", "add", Admin, &["add_organisation_blocklist"], Full, |context| context.entries_add()),
    on("orgblocklists", "edit", Admin, &["update_organisation_blocklist"], Full, |context| context.entries_edit()),
    on("orgblocklists", "delete", Admin, &["delete_organisation_blocklist"], Full, |context| context.entries_delete()),
    // People
    on("organisations", "index", Read, &["organisations"], Full, |context| context.orgs_index()),
    on("organisations", "view", Read, &["get_organisation", "organisation_exists"], Full, |context| {
        context.orgs_view()
    }),
    on("organisations", "add", Admin, &["add_organisation"], Full, |context| context.orgs_add()),
    on("organisations", "edit", Admin, &["update_organisation"], Full, |context| context.orgs_edit()),
    on(
        "organisations",
        "delete",
        Admin,
        &["delete_organisation"],
        Partial("not while it holds records or has accounts"),
        |context| context.orgs_delete(),
    ),
    on("users", "view", Read, &["get_user"], Full, |context| context.users_view()),
    on("users", "index", Manage, &["users"], Full, |context| context.users_index()),
    on("users", "add", Manage, &["add_user"], Full, |context| context.users_add()),
    on("users", "edit", Read, &["update_user"], Full, |context| context.users_edit()),
    on("users", "delete", Manage, &["delete_user"], Full, |context| context.users_delete()),
    on("users", "changepw", Read, &["change_user_password"], Full, |context| context.users_password()),
    on(
        "users",
        "statistics",
        Read,
        &["users_statistics"],
        Partial(
            "all contexts, of what the caller may see; figures by month are not kept, correlations and proposals are not counted (null)",
        ),
        |context| context.users_statistics(),
    ),
    on("users", "heartbeat", Read, &["users_heartbeat"], Full, |context| context.heartbeat()),
    on("users", "resetauthkey", Read, &[], Full, |context| context.keys_add()),
    on("users", "register", Read, &[], Partial("without a key, where `self_registration` is on"), |context| {
        context.users_register()
    }),
    on("users", "registrations", Admin, &["user_registrations"], Full, |context| context.registrations_index()),
    on(
        "users",
        "acceptregistrations",
        Admin,
        &["accept_user_registration"],
        Partial("password and key are in the answer, not in a mail; the role says what the account may do"),
        |context| context.registrations_accept(),
    ),
    on("users", "discardregistrations", Admin, &["discard_user_registration"], Full, |context| {
        context.registrations_discard()
    }),
    on("authkeys", "add", Read, &["get_new_authkey"], Full, |context| context.keys_add()),
    on("roles", "index", Read, &["roles"], Full, |context| context.roles_index()),
    on("roles", "view", Read, &[], Full, |context| context.roles_view()),
    on("roles", "add", Admin, &["add_role"], OWN_ROLES, |context| context.roles_add()),
    on("roles", "edit", Admin, &["update_role"], OWN_ROLES, |context| context.roles_edit()),
    on("roles", "setdefault", Admin, &["set_default_role"], Full, |context| context.roles_default()),
    on("roles", "delete", Admin, &["delete_role"], Full, |context| context.roles_delete()),
    on("usersettings", "index", Read, &["user_settings"], Full, |context| context.user_settings()),
    on("usersettings", "getsetting", Read, &["get_user_setting"], Full, |context| context.user_settings()),
    on("usersettings", "setsetting", Read, &["set_user_setting"], Full, |context| context.user_settings()),
    on("usersettings", "delete", Read, &["delete_user_setting"], Full, |context| context.user_settings()),
    on("sharinggroups", "index", Read, &["sharing_groups"], Full, |context| context.groups_index()),
    on("sharinggroups", "view", Read, &["get_sharing_group", "sharing_group_exists"], Full, |context| {
        context.groups_view()
    }),
    on("sharinggroups", "add", Write, &["add_sharing_group"], Full, |context| context.groups_add()),
    on("sharinggroups", "edit", Write, &["update_sharing_group"], Full, |context| context.groups_edit()),
    on("sharinggroups", "delete", Write, &["delete_sharing_group"], Full, |context| context.groups_delete()),
    on("sharinggroups", "addorg", Write, &["add_org_to_sharing_group"], Full, |context| context.groups_change()),
    on("sharinggroups", "removeorg", Write, &["remove_org_from_sharing_group"], Full, |context| {
        context.groups_change()
    }),
    on(
        "sharinggroups",
        "addserver",
        Write,
        &["add_server_to_sharing_group"],
        Partial("it travels to no other servers; `all_orgs` is kept, and widens nothing"),
        |context| context.groups_change(),
    ),
    on("sharinggroups", "removeserver", Write, &["remove_server_from_sharing_group"], Full, |context| {
        context.groups_change()
    }),
    on("sharinggroups", "*", Read, &[], Full, |context| context.groups_view()),
    // Feeds, servers
    on("feeds", "index", Read, &["feeds"], Full, |context| context.feeds_index()),
    on("feeds", "view", Read, &["get_feed"], Full, |context| context.feeds_view()),
    on("feeds", "add", Admin, &["add_feed"], Full, |context| context.entries_add()),
    on(
        "feeds",
        "edit",
        Admin,
        &["update_feed", "enable_feed", "disable_feed", "enable_feed_cache", "disable_feed_cache"],
        Full,
        |context| context.entries_edit(),
    ),
    on("feeds", "delete", Admin, &["delete_feed"], Full, |context| context.entries_delete()),
    on("feeds", "enable", Admin, &[], Full, |context| context.feeds_switch()),
    on("feeds", "disable", Admin, &[], Full, |context| context.feeds_switch()),
    on("feeds", "importfeeds", Admin, &[], Full, |context| context.feeds_import()),
    on("feeds", "fetchfromfeed", Admin, &["fetch_feed"], FETCHED, |context| context.feeds_fetch()),
    on("feeds", "fetchfromallfeeds", Admin, &["fetch_all_feeds"], FETCHED, |context| context.feeds_fetch_all()),
    on("feeds", "previewindex", Admin, &[], Full, |context| context.feeds_preview()),
    on("feeds", "previewevent", Admin, &[], Full, |context| context.feeds_preview_event()),
    on(
        "feeds",
        "cachefeeds",
        Admin,
        &["cache_all_feeds", "cache_feed", "cache_freetext_feeds", "cache_misp_feeds"],
        Full,
        |context| context.feeds_cache(),
    ),
    on("feeds", "comparefeeds", Read, &["compare_feeds"], Partial("feeds, not servers"), |context| {
        context.feeds_compare()
    }),
    on("feeds", "loaddefaultfeeds", Admin, &["load_default_feeds"], Full, |context| context.feeds_defaults()),
    on("feeds", "searchcaches", Read, &["search_feeds"], Full, |context| context.feeds_search()),
    on("servers", "index", Admin, &["servers"], Full, |context| context.entries_index()),
    on("servers", "view", Admin, &[], Full, |context| context.entries_view()),
    on("servers", "add", Admin, &["add_server"], Full, |context| context.entries_add()),
    on("servers", "edit", Admin, &["update_server"], Full, |context| context.entries_edit()),
    on("servers", "delete", Admin, &["delete_server"], Full, |context| context.entries_delete()),
    on("servers", "cache", Admin, &[], Full, |context| context.servers_cache()),
    on("servers", "testconnection", Admin, &["test_server"], Full, |context| context.servers_test()),
    on("servers", "pull", Admin, &["server_pull"], Full, |context| context.servers_pull()),
    on("servers", "push", Admin, &["server_push"], Full, |context| context.servers_push()),
    on("servers", "import", Admin, &["import_server"], Full, |context| context.servers_import()),
    on(
        "servers",
        "createsync",
        Read,
        &["get_sync_config"],
        Partial("a key is put in by its owner: keys are shown once"),
        |context| context.sync_config(),
    ),
    on("servers", "getversion", Read, &["misp_instance_version"], Full, |context| context.version()),
    on("servers", "getpymispversion", Read, &["recommended_pymisp_version"], Full, |context| context.pymisp_version()),
    on("servers", "posttest", Read, &[], Full, |context| context.post_test()),
    on("servers", "getavailablesyncfilteringrules", Read, &[], Full, |context| context.sync_rules()),
    on("servers", "serversettings", Admin, &["server_settings"], Partial("those that a node has"), |context| {
        context.server_settings()
    }),
    on("servers", "getsetting", Admin, &["get_server_setting"], Partial("those that a node has"), |context| {
        context.server_setting()
    }),
    on("servers", "serversettingsedit", Admin, &["set_server_setting"], ON_NODE, |context| context.not_here()),
    on(
        "servers",
        "update",
        Admin,
        &["update_misp"],
        NotHere("a node is updated like any program of its system"),
        |context| context.not_here(),
    ),
    on("servers", "getworkers", Admin, &["get_workers"], Partial("there are none"), |context| context.workers()),
    on("servers", "restartworkers", Admin, &["restart_workers"], NO_WORKERS, |context| context.not_here()),
    on("servers", "restartdeadworkers", Admin, &["restart_dead_workers"], NO_WORKERS, |context| context.not_here()),
    on("servers", "startworker", Admin, &["start_worker"], NO_WORKERS, |context| context.not_here()),
    on("servers", "stopworker", Admin, &["stop_worker_by_pid"], NO_WORKERS, |context| context.not_here()),
    on("servers", "killallworkers", Admin, &["kill_all_workers"], NO_WORKERS, |context| context.not_here()),
    on(
        "servers",
        "dbschemadiagnostic",
        Admin,
        &["db_schema_diagnostic"],
        Partial("`manara verify` says more"),
        |context| context.schema(),
    ),
    on("servers", "queryacl", Read, &["get_all_functions"], Full, |context| context.acl()),
    on(
        "cryptographickeys",
        "serversign",
        Admin,
        &["sign_blob"],
        NotHere("protected events are not signed yet"),
        |context| context.not_configured(),
    ),
    // The rest
    on("logs", "index", Admin, &["search_logs"], Full, |context| context.logs()),
    on("jobs", "index", Admin, &[], Full, |context| context.jobs_index()),
    on("jobs", "view", Admin, &[], Full, |context| context.jobs_view()),
    on("jobs", "getprogress", Admin, &[], Full, |context| context.jobs_view()),
    on("tasks", "index", Admin, &[], Partial("there are none: exchanges have their own schedule"), |context| {
        context.none()
    }),
    on("communities", "index", Read, &["communities"], Partial("always empty"), |context| context.none()),
    on(
        "communities",
        "view",
        Read,
        &["get_community"],
        NotHere("no list of communities comes with a node"),
        |context| context.not_here(),
    ),
    on("communities", "requestaccess", Read, &["request_community_access"], NO_MAIL, |context| context.not_here()),
    on("eventdelegations", "index", Read, &["event_delegations"], Full, |context| context.delegations_index()),
    on("eventdelegations", "acceptdelegation", Write, &["accept_event_delegation"], Full, |context| {
        context.delegations_accept()
    }),
    on("eventdelegations", "deletedelegation", Write, &["discard_event_delegation"], Full, |context| {
        context.delegations_delete()
    }),
    on("eventdelegations", "delegateevent", Write, &["delegate_event"], Full, |context| context.delegations_add()),
];

/// Methods of PyMISP that are made of others, or ask no server.
pub(crate) const WITHOUT_ACTION: &[(&str, &str)] = &[
    ("add_note", "full: as `add_analyst_data`"),
    ("add_opinion", "full: as `add_analyst_data`"),
    ("add_relationship", "full: as `add_analyst_data`"),
    ("build_complex_query", "full: asks nothing; its filters are read"),
    ("change_sharing_group_on_entity", "full: as `update_event`, `update_attribute`, `update_object`"),
    ("delete_note", "full: as `delete_analyst_data`"),
    ("delete_opinion", "full: as `delete_analyst_data`"),
    ("delete_relationship", "full: as `delete_analyst_data`"),
    ("describe_types_local", "full: asks nothing"),
    ("direct_call", "full: whatever this table has"),
    ("get_note", "full: as `get_analyst_data`"),
    ("get_opinion", "full: as `get_analyst_data`"),
    ("get_relationship", "full: as `get_analyst_data`"),
    ("misp_instance_version_master", "not applicable: asks MISP's own project"),
    ("pymisp_version_main", "not applicable: asks PyMISP's own project"),
    ("pymisp_version_master", "not applicable: asks PyMISP's own project"),
    ("toggle_global_pythonify", "full: asks nothing"),
    ("update_note", "full: as `update_analyst_data`"),
    ("update_opinion", "full: as `update_analyst_data`"),
    ("update_relationship", "full: as `update_analyst_data`"),
    ("version", "full: asks nothing"),
];

/// The action that is asked for.
#[must_use]
pub(crate) fn find(controller: &str, action: &str) -> Option<&'static Action> {
    let of = || ACTIONS.iter().filter(move |one| one.controller == controller);
    of().find(|one| one.action == action).or_else(|| of().find(|one| one.action == "*"))
}

/// Does this door know the controller?
#[must_use]
pub fn has_controller(controller: &str) -> bool {
    ACTIONS.iter().any(|one| one.controller == controller)
}
