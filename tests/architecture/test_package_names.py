"""Our top-level names are plain words; no dependency may bring a package of the same name."""

from importlib import metadata

OURS = {"domain", "projections", "api", "workers", "infra", "tests"}
OUR_DISTRIBUTION = "fiscal-ledger"


def test_no_dependency_brings_a_package_with_one_of_our_names() -> None:
    clashes = {
        name: sorted(owners)
        for name, distributions in metadata.packages_distributions().items()
        if name in OURS and (owners := set(distributions) - {OUR_DISTRIBUTION})
    }

    assert clashes == {}


def test_the_installed_command_is_ours() -> None:
    (command,) = metadata.entry_points(group="console_scripts", name="fiscal")

    assert command.value == "infra.cli.main:app"
