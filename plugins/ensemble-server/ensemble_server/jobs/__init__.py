"""The queue, the workers, and what a worker does with a job."""
