"""States and tasks get plain names: `needs_review`, `possibly_paid`, `refresh_member`.

What waits for a person was `parked`, in awards and in webhook events; the flag of an award that may have been paid was
`doubtful`; the task that marks a member's sessions as stale was `freshen_member`.

Processes of the version before may run until the deploy ends. What happens meanwhile:

* Old web processes store webhooks and still add `freshen_member`. The new worker knows that name as an alias.
* `refresh_member` has a queue of its own, which old workers do not read: a worker fails a task that it does not know,
  and such a job never comes back. So waiting jobs change their queue together with their name. A job that an old worker
  runs at this moment changes too: that worker ends it by its id, or it dies and the new one runs it.
* Old workers cannot read awards any more, so they begin to pay none: the job fails (`job_failed`) and comes back within
  five minutes. An award that they sent just before stays `sent`, since the reply cannot be written down; the new worker
  reconciles it from the balance, as after any lost reply. Nothing is paid twice.
* Old workers still add awards, complete and `waiting`. An event that needs review they cannot settle, since the CHECK
  refuses `parked`: that job fails and comes back too.
* On old web processes `/retailers` fails (500) for members who have awards.

Whoever stops the worker before migrating, and starts the new one afterwards, meets none of this but the last.
"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE awards RENAME COLUMN doubtful TO possibly_paid")
    _rename_state("awards", "parked", "needs_review", among=("waiting", "sent", "unknown", "paid"))
    _rename_state("webhook_events", "parked", "needs_review", among=("new", "done", "ignored"))
    _index_open_events("needs_review")
    _rename_task("freshen_member", "refresh_member", queue="members")
    op.execute("ALTER INDEX redemptions_in_doubt RENAME TO redemptions_unresolved")


def downgrade() -> None:
    op.execute("ALTER INDEX redemptions_unresolved RENAME TO redemptions_in_doubt")
    _rename_task("refresh_member", "freshen_member", queue="default")
    _rename_state("webhook_events", "needs_review", "parked", among=("new", "done", "ignored"))
    _index_open_events("parked")
    _rename_state("awards", "needs_review", "parked", among=("waiting", "sent", "unknown", "paid"))
    op.execute("ALTER TABLE awards RENAME COLUMN possibly_paid TO doubtful")


def _rename_state(table: str, old: str, new: str, *, among: tuple[str, ...]) -> None:
    """Rename a state in the rows and in the CHECK; `among` are the states that keep their names."""
    allowed = ", ".join(f"'{state}'" for state in (*among, new))
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_state_check")
    op.execute(f"UPDATE {table} SET state = '{new}' WHERE state = '{old}'")  # noqa: S608  # Both are written here.
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {table}_state_check CHECK (state IN ({allowed}))")


def _index_open_events(needs_review: str) -> None:
    op.execute("DROP INDEX webhook_events_open")
    op.execute(f"CREATE INDEX webhook_events_open ON webhook_events (id) WHERE state IN ('new', '{needs_review}')")


def _rename_task(old: str, new: str, *, queue: str) -> None:
    op.execute(
        f"UPDATE procrastinate_jobs SET task_name = '{new}', queue_name = '{queue}'"  # noqa: S608  # Written here too.
        f" WHERE task_name = '{old}'"
    )
