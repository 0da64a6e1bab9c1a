"""Bulk API 2.0 query jobs: their states over time and the rows of their results. Not thread-safe: the org locks.

Source: Bulk API 2.0 guide, "Create a Query Job", "Get Information About a Query Job", "How Requests Are Processed" (a
job waits in a queue as UploadComplete). Results are kept for 7 days ("Bulk API 2.0 Limits").
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sf_assets.devorg.org.settings import Behaviour
from sf_assets.devorg.soql.bind import Plan
from sf_assets.devorg.store.ids import eighteen, record_id_of

State = Literal["UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"]
ENDED: frozenset[State] = frozenset({"JobComplete", "Failed", "Aborted"})
RESULT_LIFE = timedelta(days=7)
DAY = timedelta(days=1)


@dataclass
class BulkJob:
    """One query job. `rows` are the results, read when the job starts; None before."""

    id: str
    plan: Plan
    operation: Literal["query", "queryAll"]
    version: str
    delimiter: str
    line_ending: Literal["LF", "CRLF"]
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    aborted: bool = False
    error: str = ""
    rows: list[bytes] | None = field(default=None, repr=False)

    def state(self, now: datetime, behaviour: Behaviour) -> State:
        """Return the state at a time.

        A job waits, runs and ends as long as the settings say.
        """
        if self.aborted:
            return "Aborted"
        if self.started_at is None:
            return "UploadComplete"
        if now < self.end(behaviour):
            return "InProgress"
        return "Failed" if self.error else "JobComplete"

    def end(self, behaviour: Behaviour) -> datetime:
        """Return when a job that has started ends."""
        assert self.started_at is not None
        return self.ended_at or self.started_at + timedelta(seconds=behaviour.bulk_run_seconds)


class BulkJobs:
    """The jobs of an org by Id, in the order of their creation."""

    def __init__(self) -> None:
        self._jobs: dict[str, BulkJob] = {}
        self._count = 0
        self._created: list[datetime] = []

    def next_id(self) -> str:
        """Return the Id of a new job."""
        self._count += 1
        return record_id_of("750", 62**6 + self._count)

    def add(self, job: BulkJob) -> None:
        """Add a job."""
        self._jobs[job.id] = job
        self._created.append(job.created_at)

    def start_due(self, now: datetime, behaviour: Behaviour) -> None:
        """Start the jobs that no longer wait. Only some run at once, in the order of their creation."""
        ends = sorted(job.end(behaviour) for job in self._jobs.values() if job.started_at is not None)
        for job in self._jobs.values():
            if job.started_at is not None or job.aborted:
                continue
            start = job.created_at + timedelta(seconds=behaviour.bulk_queue_seconds)
            running = [end for end in ends if end > start]
            if len(running) >= behaviour.bulk_jobs_at_once:
                start = running[-behaviour.bulk_jobs_at_once]
            if start > now:
                return
            job.started_at = start
            ends = sorted([*ends, job.end(behaviour)])

    def created_within_a_day(self, now: datetime) -> int:
        """Return how many jobs were created in the last 24 hours, deleted ones included."""
        self._created = [at for at in self._created if now - at < DAY]
        return len(self._created)

    def find(self, job_id: str, now: datetime) -> BulkJob | None:
        """Return a job, or None if it is unknown or its results have expired."""
        job = self._jobs.get(eighteen(job_id))
        if job is None or now - job.created_at > RESULT_LIFE:
            return None
        return job

    def all(self, now: datetime) -> list[BulkJob]:
        """Return the jobs that have not expired."""
        return [job for job in self._jobs.values() if now - job.created_at <= RESULT_LIFE]

    def remove(self, job_id: str) -> None:
        """Delete a job."""
        del self._jobs[job_id]
