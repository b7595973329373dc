"""`python -m infra.cli`: the `fiscal` command where it is not on the path."""

from infra.cli.main import app

if __name__ == "__main__":
    app()
