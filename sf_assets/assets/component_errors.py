"""Errors of a component's settings, with the file, the line and the attribute that they are about."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from sf_assets.assets.yaml_position import YamlAttributes
from sf_assets.errors import ConfigError, SfAssetsError, SpecError

KeyPath = tuple[str | int, ...]
_ROW = re.compile(r"custom_objects, row (\d+)")
_ENDPOINT = re.compile(r"overrides\.(\w+)|endpoint (\w+)|\((\w+)\):\d+:")
_ASSET_KEY = "asset key would change"


@dataclass(frozen=True)
class YamlSource:
    """The YAML of one component.

    `paths`: endpoint -> the place of its own settings. `variables`: attribute -> the variable that errors name.
    """

    file: Path
    attributes: YamlAttributes
    paths: Mapping[str, KeyPath]
    variables: Mapping[str, str]

    @classmethod
    def of(
        cls, context: dg.ComponentLoadContext, paths: Mapping[str, KeyPath], variables: Mapping[str, str]
    ) -> "YamlSource":
        """Return the source of the component that is being built."""
        file = context.path / "defs.yaml" if context.path.is_dir() else context.path
        number = getattr(context.component_loc, "instance_key", None)
        attributes = YamlAttributes(file, number if isinstance(number, int) else 0)
        return cls(file, attributes, paths, variables)

    @contextmanager
    def named_errors(self) -> Iterator[None]:
        """Name the file, its line and the attribute in errors of settings. A key that is there twice is one."""
        if repeated := self.attributes.repeated_key():
            what = f"{self.file}:{repeated[1]}: {repeated[0]} is there twice"
            raise ConfigError(what, remedy="Remove one of the two.", path=str(self.file), setting=repeated[0])
        try:
            yield
        except (ConfigError, SpecError) as error:
            raise self._renamed(error) from None

    def _renamed(self, error: SfAssetsError) -> ConfigError:
        setting = str(error.values.get("setting", ""))
        name = next((name for name, variable in self.variables.items() if variable == setting), "")
        what = str(error).replace(setting, name) if name else str(error)
        what = what.removeprefix(f"{self.file}: ").removeprefix(f"{self.file} ")
        path = (name,) if name else self._path(what) or tuple(setting.split("."))
        line = self.attributes.line(path, what.partition(";")[0])
        place = f"{self.file}:{line}" if line else str(self.file)
        remedy = error.remedy.replace(setting, name) if name else error.remedy
        return ConfigError(f"{place}: {what}", remedy=remedy, path=str(self.file), setting=name or setting)

    def _path(self, message: str) -> KeyPath:
        if row := _ROW.search(message):
            return "custom_objects", int(row[1]) - 1
        if _ASSET_KEY in message:
            return ("translation",)
        names = [name for groups in _ENDPOINT.findall(message) for name in groups if name]
        return next((self.paths[name] for name in names if name in self.paths), ())
