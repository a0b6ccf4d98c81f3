"""A user's waiting and running jobs are counted often, so there is an index for it."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("jobs_by_state_of_user", "jobs", ["user_id", "state"])


def downgrade() -> None:
    """Remove it."""
    op.drop_index("jobs_by_state_of_user", table_name="jobs")
