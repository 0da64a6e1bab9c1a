"""A Spark over a SQLite catalog of pyiceberg: runs SQL from stdin, answers on stdout; runs in Spark's own environment.

Arguments: a folder with the jars, the catalog's database file, the warehouse. One JSON string a line is one statement;
the answer is a line `ROWS [...]` with the cells as text, or `ERROR "..."`.
"""

import json
import sys
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

CATALOG = "spark.sql.catalog.salesforce"


def session(jars: str, database: str, warehouse: str) -> SparkSession:
    """Start a local Spark with Iceberg's runtime and the catalog `salesforce`."""
    paths = [str(path) for path in sorted(Path(jars).glob("*.jar"))]
    settings = {
        "spark.jars": ",".join(paths),
        "spark.driver.extraClassPath": ":".join(paths),
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.memory": "1g",
        "spark.sql.shuffle.partitions": "1",
        "spark.default.parallelism": "1",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        CATALOG: "org.apache.iceberg.spark.SparkCatalog",
        f"{CATALOG}.catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
        f"{CATALOG}.uri": f"jdbc:sqlite:{database}",
        f"{CATALOG}.warehouse": warehouse,
        f"{CATALOG}.cache-enabled": "false",
    }
    builder = SparkSession.builder.master("local[1]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def rows(frame: DataFrame) -> list[dict[str, str | None]]:
    """Return the rows with each cell cast to text by Spark."""
    texts = frame.selectExpr(*(f"cast(`{name}` as string) as `{name}`" for name in frame.columns))
    return [row.asDict() for row in texts.collect()]


def release(spark: SparkSession) -> None:
    """Close the catalog's connections. JdbcCatalog leaves statements open: their read locks block other writers."""
    manager = spark._jsparkSession.sessionState().catalogManager()  # noqa: SLF001 - no other way to Java
    if manager.isCatalogRegistered("salesforce"):
        manager.catalog("salesforce").icebergCatalog().close()
        manager.reset()


def main() -> None:
    """Answer until stdin ends."""
    spark = session(*sys.argv[1:4])
    for line in sys.stdin:
        try:
            answer = "ROWS " + json.dumps(rows(spark.sql(json.loads(line))))
        except Exception as error:  # noqa: BLE001 - the test decides what an error means
            answer = "ERROR " + json.dumps(str(error))
        release(spark)
        sys.stdout.write(f"\n{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
