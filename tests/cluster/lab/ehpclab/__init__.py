"""A real Slurm cluster and sshd on one machine, for the tests."""
