"""Read Iceberg tables with Spark and print their rows as JSON; runs in Spark's own environment.

Arguments: a folder with the jars, then the folders of the tables. Each table folder has a `version-hint.text`.
"""

import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession


def session(jars: str) -> SparkSession:
    """Start a local Spark with Iceberg's runtime."""
    paths = ",".join(str(path) for path in sorted(Path(jars).glob("*.jar")))
    builder = SparkSession.builder.master("local[1]").config("spark.jars", paths)
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.memory": "1g",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def main() -> None:
    """Print one JSON object: folder -> rows as text."""
    spark = session(sys.argv[1])
    rows = {}
    for folder in sys.argv[2:]:
        frame = spark.read.format("iceberg").load(folder)
        texts = frame.selectExpr(*(f"cast(`{name}` as string) as `{name}`" for name in frame.columns))
        rows[folder] = [row.asDict() for row in texts.collect()]
    sys.stdout.write("\nROWS " + json.dumps(rows))


if __name__ == "__main__":
    main()
