"""What a user of a notebook holds in their hands: client, job, form and magic."""
