"""The commands of `sf-assets`, one in each module; `sf_assets/cli.py` registers them."""
