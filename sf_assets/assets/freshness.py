"""How old a table may grow: a cadence word becomes a freshness policy, a condition that keeps it, and a sensor.

A policy alone materializes nothing: it sets a state. The wanted age is the policy's warning, so that tables are
refreshed when it is reached, and a failed policy means that the promise is broken.
"""

from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

from sf_assets.assets.naming import Naming
from sf_assets.assets.settings import quoted
from sf_assets.errors import ConfigError
from sf_assets.specs.cadences import CADENCES
from sf_assets.specs.model import EndpointSpec

AC = dg.AutomationCondition


def policy(cadence: str) -> dg.FreshnessPolicy:
    """Return the policy that warns at the wanted age and fails at the promised one."""
    ages = CADENCES[cadence]
    return dg.FreshnessPolicy.time_window(fail_window=ages.promise, warn_window=ages.wanted)


_LATE = AC.freshness_warned() | AC.freshness_failed()
_FULL_HOUR = AC.cron_tick_passed("0 * * * *")
# A run that started and made nothing has failed, crashed or been terminated. What a person terminated must not start
# again within minutes, so its endpoint waits for the full hour, as after a failure.
_UNFINISHED = (AC.newly_requested() | AC.in_progress()).since(AC.newly_updated() | _FULL_HOUR)
_MAY_START = (
    ~AC.in_progress() & ~AC.newly_updated() & ~_UNFINISHED & (~AC.execution_failed() | _FULL_HOUR)
)  # a bare `freshness_failed()` would request the endpoint at every tick

KEEP_FRESH = ((_LATE | AC.missing()) & _MAY_START).with_label("keep_fresh")
"""Fills a table that was never filled, and keeps it fresh."""
KEEP_FRESH_ONCE_FILLED = (_LATE & _MAY_START).with_label("keep_fresh_once_filled")
"""For production: a person starts the first copy of an org; what follows runs by itself."""


def automated(specs: Iterable[EndpointSpec], wanted: str) -> frozenset[str]:
    """Return the endpoints that SF_ASSETS_ENDPOINTS names, as endpoints or groups; an empty text names all."""
    specs = tuple(specs)
    return _named(specs, wanted, "SF_ASSETS_ENDPOINTS") if split(wanted) else frozenset(s.endpoint for s in specs)


def with_history(specs: Iterable[EndpointSpec], wanted: str) -> frozenset[str]:
    """Return the endpoints with a history: those that say so, and those that SF_ASSETS_HISTORY names."""
    specs = tuple(specs)
    named = _named(specs, wanted, "SF_ASSETS_HISTORY")
    return named | {spec.endpoint for spec in specs if spec.history}


def _named(specs: Sequence[EndpointSpec], wanted: str, setting: str) -> frozenset[str]:
    words = split(wanted)
    _require_names(words, specs, setting)
    return frozenset(spec.endpoint for spec in specs if _names(spec).intersection(words))


def cadences(specs: Iterable[EndpointSpec], changes: str) -> dict[str, str]:
    """Return endpoint -> cadence word: the table's, changed by SF_ASSETS_CADENCES (`task=hourly,crm=daily,all=…`).

    The last entry that names an endpoint, its group or `all` holds.
    """
    specs, pairs = tuple(specs), [_pair(entry) for entry in split(changes)]
    _require_names([name for name, _ in pairs], specs, "SF_ASSETS_CADENCES")
    return {spec.endpoint: _last_word(spec, pairs) for spec in specs}


def split(text: str) -> list[str]:
    """Return the words of a comma-separated setting."""
    return [word.strip() for word in text.split(",") if word.strip()]


def build_sensors(
    words: Mapping[str, str], naming: Naming, *, is_running: bool = True
) -> list[dg.AutomationConditionSensorDefinition]:
    """Build one sensor for each cadence in use: daily endpoints do not delay hourly ones.

    `is_running`: without it the sensors wait to be switched on, since there is no org to read.
    """
    keys_of = {word: [naming.key(name) for name in words if words[name] == word] for word in CADENCES}
    sensors = {f"{naming.source}_{word}": (word, keys) for word, keys in keys_of.items() if keys}
    return [_sensor(name, word, keys, is_running=is_running) for name, (word, keys) in sensors.items()]


NO_ORG = " It is off: no practice org is running. Use `make dev`, or start one (`sf-assets practice`) and switch it on."


def _sensor(
    name: str, cadence: str, keys: Sequence[dg.AssetKey], *, is_running: bool
) -> dg.AutomationConditionSensorDefinition:
    return dg.AutomationConditionSensorDefinition(
        name,
        target=dg.AssetSelection.assets(*keys),
        default_status=dg.DefaultSensorStatus.RUNNING if is_running else dg.DefaultSensorStatus.STOPPED,
        minimum_interval_seconds=60,  # twice the freshness daemon's 30 s: a state that lags is not acted on twice
        description=f"Refreshes the {len(keys)} endpoints of the cadence {cadence}." + ("" if is_running else NO_ORG),
    )


def _names(spec: EndpointSpec) -> set[str]:
    return {spec.endpoint, spec.group, "all"}


def _last_word(spec: EndpointSpec, pairs: Iterable[tuple[str, str]]) -> str:
    return [spec.cadence, *(word for name, word in pairs if name in _names(spec))][-1]


def _pair(entry: str) -> tuple[str, str]:
    name, _, word = (part.strip() for part in entry.partition("="))
    if word not in CADENCES:
        what = f"SF_ASSETS_CADENCES: {quoted(entry)} is not name=cadence with one of {', '.join(CADENCES)}"
        raise ConfigError(what, setting="SF_ASSETS_CADENCES")
    return name, word


def _require_names(words: Iterable[str], specs: Iterable[EndpointSpec], setting: str) -> None:
    names = set[str]().union(*(_names(spec) for spec in specs))
    for word in words:
        if word not in names:
            valid = ", ".join(sorted(names))
            raise ConfigError(
                f"{setting}: no endpoint or group is named {quoted(word)}; there are {valid}", setting=setting
            )
