-- Upkeep of the tables by Spark's procedures, printed by `sf-assets setup upkeep --engine spark`. Run it every
-- 12 hours: the metadata of an hourly table then stays below 50 kB. Once a day is enough for tables that sync less often.
-- Set SF_ASSETS_UPKEEP=external first: otherwise the syncs compact too.

-- iceberg.apache.org/docs/latest/spark-procedures/. The catalog is named salesforce: see --engine emr for its settings.
-- Replace the timestamps before each run. A procedure that a sync overtakes fails, and succeeds when it is run again.
CALL salesforce.system.rewrite_data_files(table => 'salesforce.salesforce.account', options => map('delete-file-threshold', '1', 'partial-progress.enabled', 'true'));
CALL salesforce.system.rewrite_position_delete_files(table => 'salesforce.salesforce.account');
CALL salesforce.system.rewrite_manifests(table => 'salesforce.salesforce.account');
CALL salesforce.system.expire_snapshots(table => 'salesforce.salesforce.account', older_than => TIMESTAMP '<1_DAY_AGO>', retain_last => 10);
CALL salesforce.system.remove_orphan_files(table => 'salesforce.salesforce.account', older_than => TIMESTAMP '<3_DAYS_AGO>');
CALL salesforce.system.rewrite_data_files(table => 'salesforce.salesforce._sync_status', options => map('delete-file-threshold', '1', 'partial-progress.enabled', 'true'));
CALL salesforce.system.rewrite_position_delete_files(table => 'salesforce.salesforce._sync_status');
CALL salesforce.system.rewrite_manifests(table => 'salesforce.salesforce._sync_status');
CALL salesforce.system.expire_snapshots(table => 'salesforce.salesforce._sync_status', older_than => TIMESTAMP '<1_DAY_AGO>', retain_last => 10);
CALL salesforce.system.remove_orphan_files(table => 'salesforce.salesforce._sync_status', older_than => TIMESTAMP '<3_DAYS_AGO>');
CALL salesforce.system.rewrite_data_files(table => 'salesforce.salesforce_emea.account', options => map('delete-file-threshold', '1', 'partial-progress.enabled', 'true'));
CALL salesforce.system.rewrite_position_delete_files(table => 'salesforce.salesforce_emea.account');
CALL salesforce.system.rewrite_manifests(table => 'salesforce.salesforce_emea.account');
CALL salesforce.system.expire_snapshots(table => 'salesforce.salesforce_emea.account', older_than => TIMESTAMP '<1_DAY_AGO>', retain_last => 10);
CALL salesforce.system.remove_orphan_files(table => 'salesforce.salesforce_emea.account', older_than => TIMESTAMP '<3_DAYS_AGO>');
CALL salesforce.system.rewrite_data_files(table => 'salesforce.salesforce_emea._sync_status', options => map('delete-file-threshold', '1', 'partial-progress.enabled', 'true'));
CALL salesforce.system.rewrite_position_delete_files(table => 'salesforce.salesforce_emea._sync_status');
CALL salesforce.system.rewrite_manifests(table => 'salesforce.salesforce_emea._sync_status');
CALL salesforce.system.expire_snapshots(table => 'salesforce.salesforce_emea._sync_status', older_than => TIMESTAMP '<1_DAY_AGO>', retain_last => 10);
CALL salesforce.system.remove_orphan_files(table => 'salesforce.salesforce_emea._sync_status', older_than => TIMESTAMP '<3_DAYS_AGO>');
