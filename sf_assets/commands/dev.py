"""`sf-assets dev`: Dagit and the daemon, with the practice org unless the deployment is production."""

import sys

import click

from sf_assets.commands.options import dagit_port_option, pace_option, port_option, row_options, rows_option
from sf_assets.commands.ports import require_free
from sf_assets.commands.settings import deployment, prepare_home, use_practice


@click.command()
@port_option
@rows_option
@pace_option
@dagit_port_option
def dev(port: int | None, rows: tuple[str, ...], pace: float, dagit_port: int) -> None:
    """Serve Dagit and its daemon, and the practice org.

    With SF_ASSETS_DEPLOYMENT=production Dagit shows the real org, and no practice org is started. Ctrl-C ends all.
    """
    require_free(dagit_port, flag="--dagit-port", what="Dagit")
    settings = deployment()
    prepare_home(settings)
    serve(port=port, rows=rows, pace=pace, dagit_port=dagit_port)


def serve(*, port: int | None, rows: tuple[str, ...], pace: float, dagit_port: int) -> None:
    """Serve until Ctrl-C, then exit the process."""
    from sf_assets.commands.dagit import serve_dagit
    from sf_assets.commands.practice import practice_org

    settings = deployment()
    if settings.name == "production":
        sys.exit(serve_dagit(dagit_port))
    options = [*row_options(rows), "--pace", str(pace)]
    with practice_org(settings.practice, port=port, options=options) as url:
        use_practice(url, settings)
        click.echo(f"The practice org: {url}. Dagit, in some seconds: http://127.0.0.1:{dagit_port}. Ctrl-C ends both.")
        sys.exit(serve_dagit(dagit_port))
