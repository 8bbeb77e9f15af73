"""What is answered under which path; each route calls one use case."""
