"""`sf-assets setup aws`: bucket, Glue database, two roles and their policies as a script for the AWS CLI."""

from sf_assets.commands.setup import policies
from sf_assets.commands.setup.render import render_script
from sf_assets.commands.setup.values import READER_ROLE, WRITER_ROLE, SetupValues


def aws_script(values: SetupValues) -> str:
    """Return the script. It is run step by step: AWS refuses to create what exists."""
    names = zip(values.named_orgs, list(values.secrets)[1:], list(values.databases)[1:], strict=True)
    return render_script(
        "aws.sh.j2", values, comment="#", policies=policies, reader=READER_ROLE, writer=WRITER_ROLE, others=list(names)
    )
