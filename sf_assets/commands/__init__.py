"""What stands behind the commands of `sf_assets.cli`, a module each."""
