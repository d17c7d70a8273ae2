"""Folders of clips lifted as one batch: jobs, what does them, and a record of what is done."""
